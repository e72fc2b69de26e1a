from datetime import datetime

import pytest

from nsroom.errors import UsageError
from nsroom.tui.input.moments import parse_moment

SECOND = 1_000_000
FIRST = round(datetime(2026, 3, 4, 23, 50, 10).timestamp()) * SECOND + 500_000
LAST = FIRST + 3600 * SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("start", 0),
        ("end", 3600),
        ("50%", 1800),
        ("999 %", 3600),
        ("+90", 90),
        ("+1.5", 1.5),
        ("+1:30", 90),
        ("+1:00:01", 3601),
        ("23:50:11", 0.5),
        (" 23:51 ", 49.5),
        ("23:50:10.75", 0.25),
        ("0:10:10", 1199.5),
    ],
)
def test_times_in_a_recording(text: str, seconds: float) -> None:
    assert parse_moment(text, FIRST, LAST) == FIRST + round(seconds * SECOND)


def test_a_time_with_a_date_and_utc() -> None:
    assert parse_moment("2026-03-04T10:00:00Z", FIRST, LAST) == 1_772_618_400 * SECOND
    assert parse_moment("10:00", 1_772_618_399 * SECOND, LAST, utc=True) == 1_772_618_400 * SECOND


@pytest.mark.parametrize("text", ["", "soon", "25:00", "12:61", "+", "+1:2:3:4", "-5", "+9999999999", "²:00"])
def test_unknown_times(text: str) -> None:
    with pytest.raises(UsageError, match="unknown time"):
        parse_moment(text, FIRST, LAST)


def test_a_recording_beyond_the_clock() -> None:
    with pytest.raises(UsageError, match="unknown time"):
        parse_moment("12:00", 10**20, 10**20)
