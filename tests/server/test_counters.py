"""The histogram of durations, and the counters of the bus."""

import pytest

from nsroom_server.counters import BusFigures, Histogram


def test_a_bucket_counts_durations_up_to_its_bound() -> None:
    histogram = Histogram()
    for seconds in (0, 0.001, 0.0011, 9):
        histogram.observe(seconds)
    assert histogram.counts == [2, 1, *[0] * 9, 1]
    assert histogram.total == 9.0021


@pytest.mark.parametrize(("written", "read", "behind"), [(5, 3, 2), (3, 3, 0), (3, 5, 0)])
def test_entries_that_are_not_read_yet(written: int, read: int, behind: int) -> None:
    assert BusFigures(written=written, read=read).behind == behind
