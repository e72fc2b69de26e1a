"""Replies of all servers, of some, and of too many."""

from typing import Any

import pytest

from nsroom.introspection.inventory import Socket
from nsroom.introspection.redis.classic import ClassicAdapter
from nsroom.introspection.redis.payloads import Reply
from nsroom.introspection.redis.questions import Question, listing, number
from nsroom.introspection.redis.state import Silence

ADAPTER = ClassicAdapter("socket.io", "/", "u")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([b"channel", 2], 2),
        ([(b"channel", 2)], 2),
        ([], 0),
        (None, 0),
        ([b"channel", "x"], 0),
        ([10**9], 10_000),
    ],
)
def test_the_number_in_an_answer(answer: Any, expected: int) -> None:
    assert number(answer) == expected


async def test_all_servers_have_answered() -> None:
    question = Question(2)
    for sid in "abc":
        assert question.answered.is_set() is (sid == "c")
        question.add(Reply("r", [Socket("/", sid)]))
    listed = listing([ADAPTER], [question], {("/", "stored"): Socket("/", "stored")})
    assert {sid for _, sid in listed.sockets} == {"a", "b", "stored"}
    assert listed.silences == {}


async def test_a_server_has_not_answered() -> None:
    question = Question(2)
    question.add(Reply("r", []))
    assert listing([ADAPTER], [question], {}).silences == {"/": Silence(1, 2)}


async def test_without_servers_nothing_is_waited_for() -> None:
    assert Question(0).answered.is_set()
