"""The column of times."""

import pytest

from nsroom.output.summary import time_column
from nsroom.output.times import CELLS, Times, local_time, moment, utc_time
from nsroom.record import Direction, Kind, Record
from tests.peers.program import Runner, Server


def at(time: int) -> Record:
    return Record(time, 1, Direction.IN, Kind.EVENT, event="x")


@pytest.mark.parametrize(
    ("how", "text"),
    [
        (Times.UTC, "10:17:36.500"),
        (Times.RELATIVE, "+2.5 s"),
        (Times.DELTA, "+500 ms"),
        (Times.NONE, ""),
    ],
)
def test_what_the_column_shows(how: Times, text: str) -> None:
    first, previous, record = (at(1_700_043_454_000_000 + ms * 1000) for ms in (0, 2000, 2500))
    shown = time_column(how, record, first, previous)
    assert shown.strip() == text
    assert len(shown) == (CELLS if text else 0)


def test_times_that_no_clock_can_show() -> None:
    assert local_time(10**18) == "--:--:--.000"
    assert len(utc_time(10**18)) == CELLS
    assert len(utc_time(-1)) == CELLS


@pytest.mark.parametrize(
    ("how", "start"), [("utc", r"\d\d:\d\d"), ("delta", r" +\+0\.0 ms"), ("none", "  ←  hi")]
)
async def test_plain_lines_with_other_times(how: str, start: str, nsroom: Runner, server: Server) -> None:
    result = await nsroom("connect", "-u", server.url, "-C", "1", "--plain", "--time", how)
    assert result.code == 0
    import re

    assert re.match(start, result.stdout)


async def test_records_have_their_own_times(nsroom: Runner, server: Server) -> None:
    result = await nsroom("connect", "-u", server.url, "-C", "1", "--time", "utc")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.endswith("--time is for readable lines: add --plain, or leave it out\n")


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (0, "1970-01-01 00:00:00.000 UTC"),
        (-1, "1969-12-31 23:59:59.999 UTC"),
        (1_732_363_202_123_456, "2024-11-23 12:00:02.123 UTC"),
        (10**20, ""),
        (-(10**18), ""),
    ],
)
def test_a_moment(time: int, shown: str) -> None:
    assert moment(time, utc=True) == shown
