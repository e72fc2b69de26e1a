"""The times at which events are due."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsroom.bench.schedule import SECOND, Schedule


def test_below_a_thousand_a_second_each_event_has_its_own_time() -> None:
    schedule = Schedule(200, 1000)
    assert list(schedule.due(1000)) == [1000]
    assert list(schedule.due(1000 + SECOND // 100)) == [1000 + SECOND // 200, 1000 + SECOND // 100]
    assert list(schedule.due(1000 + SECOND // 100)) == []


def test_above_that_the_events_of_a_millisecond_are_due_together() -> None:
    due = list(Schedule(5000, 0).due(SECOND // 500))
    assert [(at, len(list(group))) for at, group in itertools.groupby(due)] == [
        (0, 5),
        (SECOND // 1000, 5),
        (SECOND // 500, 5),
    ]


def test_late_events_keep_their_due_time() -> None:
    schedule = Schedule(100, 0)
    list(schedule.due(0))
    late = list(schedule.due(SECOND))
    assert (late[0], late[-1], len(late)) == (SECOND // 100, SECOND, 100)


@settings(deadline=None)
@given(st.floats(0.1, 5000), st.integers(1, 50))
def test_the_rate_is_kept(rate: float, steps: int) -> None:
    schedule = Schedule(rate, 0)
    count = sum(len(list(schedule.due(step * SECOND // 10))) for step in range(steps + 1))
    assert count == pytest.approx(rate * steps / 10, abs=max(2, rate / 500 + 1))


@settings(deadline=None)
@given(st.floats(0.1, 5000))
def test_nothing_is_due_before_its_time(rate: float) -> None:
    schedule = Schedule(rate, SECOND)
    assert list(schedule.due(SECOND - 1)) == []
    assert all(at <= 2 * SECOND for at in schedule.due(2 * SECOND))
