"""The checker of histories finds each broken promise, and nothing in a whole history."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.peers.history_model import Gap, History, Message, Viewer, broken

A, B, C, D = (Message(number, text) for number, text in enumerate("abcd", 1))
WHOLE = History(
    stores={"one": [A, B, C, D]},
    acknowledged={"a": 1, "b": 2, "d": 4},
    sent=[["a", "c"], ["b", "lost", "d"]],
    viewers=[Viewer("ann", [A, B, C, D]), Viewer("late", [C, D]), Viewer("away", [A, B], catches_up=False)],
)


def seen(*items: Message | Gap, catches_up: bool = True) -> History:
    """Return the history with one viewer, who saw this."""
    return replace(WHOLE, viewers=[Viewer("ann", items, catches_up)])


def stored(*messages: Message) -> History:
    """Return a history of nothing else than a store."""
    return History({"one": messages})


def test_a_whole_history() -> None:
    assert broken(WHOLE) == []


@pytest.mark.parametrize(
    ("history", "fault"),
    [
        (stored(A, B, D), "store one: 4 follows 2"),
        (stored(A, C, B), "store one: 3 follows 1"),
        (stored(A, Message(2, "a")), "a: stored 2 times"),
        (replace(WHOLE, acknowledged={"e": 5}), "e: acknowledged as 5, and not stored so"),
        (replace(WHOLE, acknowledged={"a": 2}), "a: acknowledged as 2, and not stored so"),
        (replace(WHOLE, sent=[["d", "a"]]), "a: sent after d, stored before it"),
        (seen(A, B, D), "ann: missed 3 to 3, and was not told"),
        (seen(A, C, B, D), "ann: saw 2 after 3"),
        (seen(A, B, C, C, D), "ann: saw c 2 times"),
        (seen(A, Gap("trimmed"), B, C, D), "before 2 are missing (trimmed), and none is"),
        (seen(A, Message(2, "forged"), C, D), "ann: saw forged as 2, stored as None"),
        (seen(A, Message(2, "c"), C, D), "ann: saw c as 2, stored as 3"),
        (seen(A, B, C), "ann: saw messages up to 3, stored are those up to 4"),
        (seen(), "ann: saw messages up to None, stored are those up to 4"),
        (seen(A, C, catches_up=False), "ann: missed 2 to 2, and was not told"),
    ],
)
def test_a_broken_promise_is_found(history: History, fault: str) -> None:
    assert any(fault in line for line in broken(history)), broken(history)


@pytest.mark.parametrize(
    "history",
    [
        seen(A, Gap("trimmed"), D),
        seen(Message(None, "x"), A, B, C, D),
        seen(A, Message(None, "b"), C, D),
        seen(A, B, Gap("joined"), D, catches_up=False),
        History({"old": [A, B], "new": [Message(1, "x")]}, viewers=[
            Viewer("ann", [A, B, Gap("epoch"), Message(1, "x")])
        ]),
        History({"one": []}, viewers=[Viewer("ann", [])]),
    ],
)  # fmt: skip
def test_what_is_told_is_not_broken(history: History) -> None:
    assert broken(history) == []


@given(st.lists(st.sampled_from([A, B, C, D]), max_size=6))
def test_only_the_whole_order_is_unbroken(items: Sequence[Message]) -> None:
    assert (broken(seen(*items)) == []) == (list(items) in ([A, B, C, D], [B, C, D], [C, D], [D]))
