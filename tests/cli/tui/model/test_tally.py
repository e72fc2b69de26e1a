"""The line that sums up a session."""

import pytest

from nsroom.tui.model.tally import Tally, session_summary


def tally(**counts: int) -> Tally:
    made = Tally()
    for name, count in counts.items():
        for _ in range(count):
            made.add(name)
    return made


@pytest.mark.parametrize(
    ("counted", "text"),
    [
        (tally(), "no events"),
        (tally(hi=1), "1 event (hi)"),
        (tally(hi=1, price=1200), "1,201 events (price 1,200, hi 1)"),
        (tally(a=1, b=3, c=2), "6 events (b 3, c 2 …)"),
        (tally(**{"x" * 300: 2}), "2 events"),
    ],
)
def test_the_most_frequent_events_are_named(counted: Tally, text: str) -> None:
    assert counted.summary() == text


def test_the_number_of_names_is_bounded() -> None:
    counted = tally(**{f"event-{number}": 1 for number in range(1200)}, last=5)
    assert counted.events == 1205
    assert "last" not in counted.summary()


@pytest.mark.parametrize(
    ("seconds", "reconnections", "saved_to", "text"),
    [
        (42.4, 0, "", "42 s on http://a, no events, not saved"),
        (14 * 60 + 50, 2, "", "14 min on http://a, no events, 2 reconnections, not saved"),
        (7500, 1, "run.ndjson", "2 h 5 min on http://a, no events, 1 reconnection, saved to run.ndjson"),
    ],
)
def test_the_summary_of_a_session(seconds: float, reconnections: int, saved_to: str, text: str) -> None:
    assert session_summary(seconds, "http://a", Tally(), reconnections, saved_to) == text
