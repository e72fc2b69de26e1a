"""TCP connections put together from segments in any order."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nsroom.capture.packets import ACK, FIN, RST, SYN, Segment
from nsroom.capture.tcp import (
    ACKNOWLEDGED_PATIENCE,
    MAX_WAITING,
    PATIENCE,
    Connection,
    Data,
    End,
    Event,
    Hole,
    Reset,
)

A, B = 0, 1
FIRST = 2**32 - 5
"""The sequence number of both sides' SYN: their data wraps around."""


def segment(
    start: int, data: bytes = b"", acknowledged: int = 1, flags: int = 0, missing: int = 0
) -> Segment:
    """Return a segment; numbers count from the SYN."""
    numbers = ((FIRST + number) % 2**32 for number in (start, acknowledged))
    return Segment(b"", b"", *numbers, flags | ACK, data, missing)


class Trial:
    """A connection and its events, of which Data is joined."""

    def __init__(self, started: bool = True) -> None:
        self.connection = Connection()
        self.events: list[Any] = []
        self.at = 0
        if started:
            self.add(A, segment(0, flags=SYN)._replace(flags=SYN))
            self.add(B, segment(0, flags=SYN))

    def add(self, side: int, each: Segment) -> list[Any]:
        self.at += 1
        return self.show(list(self.connection.add(side, each, self.at)))

    def show(self, events: list[Event]) -> list[Any]:
        found = [_shown(event) for event in events]
        self.events += found
        return found


def _shown(event: Event) -> Any:
    match event:
        case Data(side, _, data):
            return side, data
        case Hole(side, _, size):
            return side, size
        case End(side, _):
            return side, "end"
        case Reset(side, _):
            return side, "reset"


def test_in_order() -> None:
    trial = Trial()
    assert trial.add(A, segment(1, b"ask")) == [(A, b"ask")]
    assert trial.add(B, segment(1, b"answer", 4)) == [(B, b"answer")]
    assert trial.add(A, segment(4, b"", 7, FIN)) == [(A, "end")]
    assert trial.add(B, segment(7, b"", 5, FIN)) == [(B, "end")]
    assert trial.connection.is_closed
    assert trial.add(A, segment(1, b"ask")) == []


def test_repeated_overlapping_and_late() -> None:
    trial = Trial()
    assert trial.add(A, segment(4, b"def")) == []
    assert trial.add(A, segment(7, b"ghi")) == []
    assert trial.connection.waits_since == 3
    assert trial.add(A, segment(1, b"abcde")) == [(A, b"abcde"), (A, b"f"), (A, b"ghi")]
    assert trial.connection.waits_since is None
    assert trial.add(A, segment(2, b"XX")) == []
    assert trial.add(A, segment(8, b"hijk")) == [(A, b"jk")]


def test_an_answer_waits_for_what_it_acknowledges() -> None:
    trial = Trial()
    assert trial.add(B, segment(1, b"answer", 4)) == []
    assert trial.add(A, segment(1, b"ask")) == [(A, b"ask"), (B, b"answer")]


def test_acknowledged_bytes_that_are_missing_are_soon_a_hole() -> None:
    trial = Trial()
    trial.add(A, segment(4, b"def"))
    trial.add(B, segment(1, b"", 7))
    assert list(trial.connection.give_up(trial.at)) == []
    assert trial.show(list(trial.connection.give_up(3 + ACKNOWLEDGED_PATIENCE))) == [(A, 3), (A, b"def")]
    assert trial.add(A, segment(1, b"abc")) == []


def test_a_request_that_is_missing_alone() -> None:
    trial = Trial()
    trial.add(B, segment(1, b"answer", 4))
    assert trial.show(list(trial.connection.give_up())) == [(A, 3), (B, b"answer")]


def test_what_may_be_sent_again_is_waited_for() -> None:
    trial = Trial()
    trial.add(A, segment(4, b"def"))
    assert list(trial.connection.give_up(3 + ACKNOWLEDGED_PATIENCE)) == []
    assert trial.show(list(trial.connection.give_up(3 + PATIENCE))) == [(A, 3), (A, b"def")]


def test_what_waits_is_limited() -> None:
    trial = Trial()
    at = 2
    while not trial.events:
        trial.add(A, segment(at, b"x" * 1000))
        at += 1000
    assert trial.events[:2] == [(A, 1), (A, b"x" * 1000)]
    assert at < MAX_WAITING
    assert trial.connection.size == 0


def test_a_segment_that_was_cut_when_captured() -> None:
    trial = Trial()
    assert trial.add(A, segment(1, b"abc", missing=5)) == [(A, b"abc"), (A, 5)]
    assert trial.add(A, segment(9, b"next")) == [(A, b"next")]


def test_joined_in_the_middle() -> None:
    trial = Trial(started=False)
    assert trial.add(B, segment(500, b"news", 90)) == [(B, b"news")]
    assert trial.add(A, segment(90, b"ask", 504)) == [(A, b"ask")]
    assert trial.add(A, segment(80, b"old", 504)) == []


def test_a_position_known_from_a_late_acknowledgement_is_corrected() -> None:
    trial = Trial(started=False)
    trial.add(A, segment(0, flags=SYN)._replace(flags=SYN))
    trial.add(A, segment(1, b"", 7))
    assert trial.add(B, segment(4, b"def")) == [(B, b"def")]
    other = Trial(started=False)
    other.add(A, segment(0, flags=SYN)._replace(flags=SYN))
    other.add(A, segment(1, b"", 7))
    other.add(B, segment(0, flags=SYN))
    assert other.add(B, segment(4, b"def")) == []
    assert other.add(B, segment(1, b"abc")) == [(B, b"abc"), (B, b"def")]


def test_a_reset_ends_with_what_waits() -> None:
    trial = Trial()
    trial.add(A, segment(4, b"def"))
    assert trial.add(B, segment(1, flags=RST)) == [(A, 3), (A, b"def"), (B, "reset")]
    assert trial.connection.is_closed


def test_each_side_acknowledges_what_the_other_never_sent() -> None:
    trial = Trial()
    trial.add(A, segment(1, b"a", 5))
    trial.add(B, segment(1, b"b", 5))
    events = trial.show(list(trial.connection.give_up()))
    assert (A, b"a") in events
    assert (B, b"b") in events


def test_reused_ports() -> None:
    trial = Trial()
    trial.add(A, segment(1, b"ask"))
    again = segment(0)._replace(flags=SYN)
    assert not trial.connection.is_reused(A, again)
    assert trial.connection.is_reused(A, again._replace(sequence=77))
    assert not trial.connection.is_reused(A, segment(4, b"more"))
    assert trial.connection.is_reused(A, segment(4 + 2**31 - 10, b"far"))
    joined = Trial(started=False)
    joined.add(A, segment(1, b"ask"))
    assert not joined.connection.is_reused(A, again)
    assert joined.connection.is_reused(A, segment(90)._replace(flags=SYN))


def test_numbers_far_away_are_ignored() -> None:
    trial = Trial()
    assert trial.add(A, segment(1 + 2**31 - 10, b"far")) == []
    assert trial.add(A, segment(1, b"x", 2**31 - 10)) == []
    assert trial.add(A, segment(1, b"ask")) == [(A, b"ask")]


@st.composite
def transfers(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int]]]:
    """Return data, and the start and end of its segments in the order in which they are captured."""
    data = bytes(range(draw(st.integers(1, 200))))
    cuts = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=8))})
    parts = list(itertools.pairwise(cuts))
    more = draw(st.lists(st.tuples(st.integers(0, len(data)), st.integers(0, len(data))), max_size=4))
    lost = draw(st.sets(st.integers(0, len(parts)), max_size=2))
    kept = [part for index, part in enumerate(parts) if index not in lost]
    return data, draw(st.permutations(kept + [(min(each), max(each)) for each in more]))


@given(transfers())
def test_every_byte_comes_once_and_in_order_or_is_in_a_hole(
    transfer: tuple[bytes, list[tuple[int, int]]],
) -> None:
    data, order = transfer
    trial = Trial()
    captured = set()
    for start, stop in order:
        captured |= set(range(start, stop))
        trial.add(A, segment(1 + start, data[start:stop]))
    trial.show(list(trial.connection.give_up()))
    rebuilt, missing = b"", 0
    for _, item in trial.events:
        if isinstance(item, int):
            rebuilt += b"?" * item
            missing += item
        else:
            rebuilt += item
    assert all(byte in (ord("?"), data[at]) for at, byte in enumerate(rebuilt))
    assert missing == len(set(range(len(rebuilt))) - captured)
    assert len(rebuilt) == max(captured, default=-1) + 1
