"""The line that sums up a session."""

import pytest

from nsroom.tui.model.groups import Groups
from nsroom.tui.model.session_summary import events_summary, session_summary
from tests.cli.tui.records import emit, event


def counted(**counts: int) -> Groups:
    groups = Groups()
    for name, count in counts.items():
        for number in range(count):
            groups.learn(emit(name) if number % 2 else event(name), number)
    return groups


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        (counted(), "no events"),
        (counted(hi=1), "1 event (hi)"),
        (counted(hi=1, price=1200), "1,201 events (price 1,200, hi 1)"),
        (counted(a=1, b=3, c=2), "6 events (b 3, c 2 …)"),
        (counted(**{"x" * 300: 2}), "2 events"),
    ],
)
def test_the_most_frequent_events_are_named(groups: Groups, text: str) -> None:
    assert events_summary(groups) == text


def test_events_beyond_the_limit_on_names_are_counted() -> None:
    groups = counted(**{f"event-{number}": 1 for number in range(1200)}, last=5)
    assert events_summary(groups).startswith("1,205 events (")
    assert "last" not in events_summary(groups)


@pytest.mark.parametrize(
    ("seconds", "reconnections", "saved_to", "text"),
    [
        (42.4, 0, "", "42 s on http://a, no events, not saved"),
        (14 * 60 + 50, 2, "", "14 min on http://a, no events, 2 reconnections, not saved"),
        (7500, 1, "run.ndjson", "2 h 5 min on http://a, no events, 1 reconnection, saved to run.ndjson"),
    ],
)
def test_the_summary_of_a_session(seconds: float, reconnections: int, saved_to: str, text: str) -> None:
    assert session_summary(seconds, "http://a", Groups(), reconnections, saved_to) == text
