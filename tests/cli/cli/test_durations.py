"""Durations on the command line."""

import pytest

from nsroom.cli.durations import parse_duration
from nsroom.errors import UsageError


@pytest.mark.parametrize(("text", "seconds"), [("200ms", 0.2), ("1.5s", 1.5), ("0s", 0)])
def test_valid(text: str, seconds: float) -> None:
    assert parse_duration("--delay", text) == seconds


@pytest.mark.parametrize("text", ["", "200", "1m", "-1s", "ms", "1 s", "٣s"])
def test_invalid(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--max-p50 .*: write it as 200ms or 1\.5s$"):
        parse_duration("--max-p50", text)
