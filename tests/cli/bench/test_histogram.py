"""The histogram, compared with HdrHistogram's own library for Python."""

import math

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from nsroom.bench.histogram import DIGITS, HIGHEST, LOWEST, Histogram, highest_of, index_of, lowest_of

DURATIONS = st.lists(st.integers(0, HIGHEST) | st.integers(0, 10**7), min_size=1, max_size=200)


def made(durations: list[int]) -> Histogram:
    histogram = Histogram()
    for duration in durations:
        histogram.record(duration)
    return histogram


@given(st.integers(0, HIGHEST))
def test_a_counter_holds_its_durations_to_three_digits(duration: int) -> None:
    index = index_of(duration)
    low, high = lowest_of(index), highest_of(index)
    assert low <= duration <= high
    assert high - low <= duration / 1000


@settings(max_examples=25, deadline=None)
@given(DURATIONS)
def test_counters_are_those_of_the_reference(durations: list[int]) -> None:
    theirs = HdrHistogram(LOWEST, HIGHEST, DIGITS)
    for duration in durations:
        theirs.record_value(duration)
    ours = made(durations)
    assert ours.counts == {index: count for index, count in enumerate(theirs.counts) if count}
    assert ours.percentile(100) == theirs.get_value_at_percentile(100)


@settings(deadline=None)
@given(DURATIONS, st.floats(0.1, 100))
def test_a_percentile_is_not_exceeded_by_so_many(durations: list[int], percent: float) -> None:
    histogram = made(durations)
    found = histogram.percentile(percent)
    wanted = math.ceil(len(durations) * percent / 100)
    exact = sorted(durations)[max(wanted, 1) - 1]
    assert exact <= found <= exact + exact / 1000
    assert sum(duration <= found for duration in durations) >= wanted


@settings(max_examples=25, deadline=None)
@given(DURATIONS)
def test_the_reference_reads_what_is_written(durations: list[int]) -> None:
    ours = made(durations)
    theirs = HdrHistogram.decode(ours.encode())
    assert theirs.get_total_count() == len(durations)
    assert {index: count for index, count in enumerate(theirs.counts) if count} == ours.counts


@settings(deadline=None)
@given(DURATIONS, DURATIONS)
def test_adding_is_like_recording_in_one(some: list[int], others: list[int]) -> None:
    histogram = made(some)
    histogram.add(made(others))
    assert histogram.counts == made(some + others).counts


@pytest.mark.parametrize(("duration", "counted"), [(-5, 0), (HIGHEST + 10**15, HIGHEST)])
def test_durations_out_of_range_count_as_the_nearest(duration: int, counted: int) -> None:
    assert made([duration]).counts == {index_of(counted): 1}


def test_an_empty_histogram() -> None:
    empty = Histogram()
    assert (empty.total, empty.mean, empty.percentile(99)) == (0, 0.0, 0)


def test_between() -> None:
    histogram = made([1500, 2500, 4999, 5000])
    assert (histogram.between(0, 2000), histogram.between(2000, 5000)) == (1, 2)
