"""Sizes and durations as text."""

import pytest

from nsroom.output.units import duration, size


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (14_200, "14.2 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (2 * 10**9, "2.0 GB"),
        (10**15, "1000.0 TB"),
    ],
)
def test_size(count: int, shown: str) -> None:
    assert size(count) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0.04, "0.0 ms"),
        (2.41, "2.4 ms"),
        (9.96, "10 ms"),
        (148.2, "148 ms"),
        (999.6, "1.0 s"),
        (1621, "1.6 s"),
        (12_345, "12.3 s"),
    ],
)
def test_duration(milliseconds: float, shown: str) -> None:
    assert duration(milliseconds) == shown
