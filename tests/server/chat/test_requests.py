import contextlib
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.chat import requests
from nsroom_server.chat.requests import Join, Message, Page, Relay
from nsroom_server.errors import Refusal
from nsroom_server.settings.limits import Limits

LIMITS = Limits()
who = partial(requests.room, "who")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
FIELDS = st.sampled_from(["room", "nick", "after", "limit", "text", "event", "args", "to", "except"])
ARGS = st.lists(JSON | st.dictionaries(FIELDS, JSON), max_size=3)


@pytest.mark.parametrize(
    ("args", "request_"),
    [
        (["lobby"], Join("lobby")),
        ([{"room": "lobby"}], Join("lobby")),
        ([{"room": "lobby", "nick": "ann", "after": 7}], Join("lobby", "ann", 7)),
        (["lobby", "more", {}], Join("lobby")),
    ],
)
def test_join(args: list[Any], request_: Join) -> None:
    assert requests.join(args, LIMITS) == request_


def test_a_message_for_the_namespace() -> None:
    assert requests.message(["hello", "more"], LIMITS) == Message(None, "hello", {})


def test_message_keeps_further_keys() -> None:
    assert requests.message([{"room": "r", "text": "", "k": [1]}], LIMITS) == Message("r", "", {"k": [1]})


@pytest.mark.parametrize(
    ("fields", "request_"),
    [
        ({"event": "x", "to": "r"}, Relay("x", [], ("r",), ())),
        (
            {"event": "x", "args": [b"1", 2], "to": ["a", "b"], "except": "c"},
            Relay("x", [b"1", 2], ("a", "b"), ("c",)),
        ),
    ],
)
def test_relay(fields: dict[str, Any], request_: Relay) -> None:
    assert requests.relay([fields], LIMITS) == request_


@pytest.mark.parametrize(
    ("args", "request_"),
    [
        (["r"], Page("r", None, 100)),
        ([{"room": "r", "after": 0, "limit": 1}], Page("r", 0, 1)),
    ],
)
def test_page(args: list[Any], request_: Page) -> None:
    assert requests.page(args, LIMITS) == request_


@pytest.mark.parametrize(
    ("read", "args", "code"),
    [
        (requests.join, [], "bad_request"),
        (requests.join, [None], "bad_request"),
        (requests.join, [{}], "bad_room"),
        (requests.join, [{"room": ["a"]}], "bad_room"),
        (requests.join, [""], "bad_room"),
        (requests.join, ["a" * 129], "bad_room"),
        (requests.join, ["a\nb"], "bad_room"),
        (requests.join, ["\ud800"], "bad_room"),
        (requests.join, ["\u202e"], "bad_room"),
        (requests.join, [{"room": "r", "nick": ""}], "bad_request"),
        (requests.join, [{"room": "r", "after": -1}], "bad_request"),
        (requests.join, [{"room": "r", "after": True}], "bad_request"),
        (requests.join, [{"room": "r", "after": 2**63}], "bad_request"),
        (who, [7], "bad_room"),
        (requests.join, [{"room": 7}], "bad_room"),
        (requests.nick, ["a" * 65], "bad_request"),
        (requests.message, [], "bad_request"),
        (requests.message, [7], "bad_request"),
        (requests.message, [{"text": "x"}], "bad_room"),
        (requests.message, [{"room": "r"}], "bad_request"),
        (requests.message, [{"room": "r", "text": 1}], "bad_request"),
        (requests.message, [{"room": None, "text": "x"}], "bad_room"),
        (requests.message, [{"room": "r", "text": "x", "deep": [{"k": b"1"}]}], "bad_request"),
        (requests.relay, [{"event": "x"}], "bad_request"),
        (requests.relay, [{"event": "x", "to": []}], "bad_request"),
        (requests.relay, [{"event": "x", "to": [None]}], "bad_room"),
        (requests.relay, [{"event": "x", "to": ["r"] * 129}], "bad_request"),
        (requests.relay, [{"event": "x", "to": "r", "args": "no list"}], "bad_request"),
        (requests.relay, [{"event": 1, "to": "r"}], "bad_request"),
        (requests.relay, [{"event": "disconnect", "to": "r"}], "reserved_event"),
        (requests.page, [{"room": "r", "limit": 0}], "bad_request"),
        (requests.page, [{"room": "r", "limit": 1001}], "bad_request"),
    ],
)
def test_refusals(read: Any, args: list[Any], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(args, LIMITS)
    assert refusal.value.answer == {"error": code, "message": str(refusal.value)}
    if code != "reserved_event":
        assert " wants " in str(refusal.value)


@pytest.mark.parametrize(
    "read", [requests.join, who, requests.nick, requests.message, requests.relay, requests.page]
)
@given(args=ARGS)
def test_whatever_comes_is_read_or_refused(read: Any, args: list[Any]) -> None:
    with contextlib.suppress(Refusal):
        assert read(args, LIMITS)
