import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server import policy
from nsroom_server.policy import Join, Message, Page, Refusal, Relay

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
    assert policy.join(args) == request_


def test_message_keeps_further_keys() -> None:
    assert policy.message([{"room": "r", "text": "", "k": [1]}]) == Message("r", "", {"k": [1]})


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
    assert policy.relay([fields]) == request_


@pytest.mark.parametrize(
    ("args", "request_"),
    [
        (["r"], Page("r", None, policy.HISTORY_DEFAULT)),
        ([{"room": "r", "after": 0, "limit": 1}], Page("r", 0, 1)),
    ],
)
def test_page(args: list[Any], request_: Page) -> None:
    assert policy.page(args) == request_


@pytest.mark.parametrize(
    ("read", "args", "code"),
    [
        (policy.join, [], "bad_request"),
        (policy.join, [None], "bad_request"),
        (policy.join, [{}], "bad_room"),
        (policy.join, [{"room": ["a"]}], "bad_room"),
        (policy.join, [""], "bad_room"),
        (policy.join, ["a" * 129], "bad_room"),
        (policy.join, ["a\nb"], "bad_room"),
        (policy.join, ["\ud800"], "bad_room"),
        (policy.join, ["\u202e"], "bad_room"),
        (policy.join, [{"room": "r", "nick": ""}], "bad_request"),
        (policy.join, [{"room": "r", "after": -1}], "bad_request"),
        (policy.join, [{"room": "r", "after": True}], "bad_request"),
        (policy.join, [{"room": "r", "after": 2**63}], "bad_request"),
        (policy.room, [7], "bad_request"),
        (policy.nick, ["a" * 65], "bad_request"),
        (policy.message, ["hello"], "bad_request"),
        (policy.message, [{"room": "r"}], "bad_request"),
        (policy.message, [{"room": "r", "text": 1}], "bad_request"),
        (policy.message, [{"room": None, "text": "x"}], "bad_room"),
        (policy.message, [{"room": "r", "text": "x", "deep": [{"k": b"1"}]}], "bad_request"),
        (policy.relay, [{"event": "x"}], "bad_request"),
        (policy.relay, [{"event": "x", "to": []}], "bad_request"),
        (policy.relay, [{"event": "x", "to": [None]}], "bad_room"),
        (policy.relay, [{"event": "x", "to": ["r"] * 129}], "bad_request"),
        (policy.relay, [{"event": "x", "to": "r", "args": "no list"}], "bad_request"),
        (policy.relay, [{"event": 1, "to": "r"}], "bad_request"),
        (policy.relay, [{"event": "disconnect", "to": "r"}], "reserved_event"),
        (policy.page, [{"room": "r", "limit": 0}], "bad_request"),
        (policy.page, [{"room": "r", "limit": 1001}], "bad_request"),
    ],
)
def test_refusals(read: Any, args: list[Any], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(args)
    assert refusal.value.answer == {"error": code, "message": str(refusal.value)}


@pytest.mark.parametrize(
    "read", [policy.join, policy.room, policy.nick, policy.message, policy.relay, policy.page]
)
@given(args=ARGS)
def test_whatever_comes_is_read_or_refused(read: Any, args: list[Any]) -> None:
    with contextlib.suppress(Refusal):
        assert read(args)


def test_the_longest_names_pass() -> None:
    assert policy.room_name("ä" * 128)
    assert policy.nick_name("b" * 64)


@given(st.text(max_size=140))
def test_a_room_name_is_printable(name: str) -> None:
    try:
        assert policy.room_name(name).isprintable()
        assert 1 <= len(name) <= 128
    except Refusal:
        assert not name.isprintable() or not 1 <= len(name) <= 128


def test_only_members_send() -> None:
    policy.require_member(["a", "b"], ["a", "b"])
    with pytest.raises(Refusal, match="only a member"):
        policy.require_member(["a"], ["a", "b"])


def test_a_sid_is_no_room() -> None:
    with pytest.raises(Refusal, match="socket's id"):
        policy.require_joinable("sid", [], lambda name: name == "sid")


def test_rooms_of_a_socket() -> None:
    rooms = [str(number) for number in range(128)]
    policy.require_joinable("0", rooms, lambda _: False)
    policy.require_joinable("more", rooms[1:], lambda _: False)
    with pytest.raises(Refusal) as refusal:
        policy.require_joinable("more", rooms, lambda _: False)
    assert refusal.value.code == "too_many_rooms"


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("/", True),
        ("/chat", True),
        ("chat", False),
        ("", False),
        ("/a,b", False),
        ("/a\n", False),
        ("/?", False),
    ],
)
def test_namespaces(name: str, valid: bool) -> None:
    assert policy.is_namespace(name) == valid


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert policy.is_loopback(host) == loopback


@pytest.mark.parametrize(
    ("origin", "allowed", "verdict"),
    [
        ("http://localhost:3000", (), True),
        ("http://LOCALHOST:3000", (), True),
        ("https://localhost:3000", (), False),
        ("http://localhost", (), False),
        ("http://evil.example", (), False),
        ("null", (), False),
        ("http://[", (), False),
        ("http://ok.example", ("http://ok.example",), True),
        ("http://evil.example", ("*",), True),
    ],
)
def test_origins(origin: str, allowed: tuple[str, ...], verdict: bool) -> None:
    assert policy.is_allowed_origin(origin, "http", "localhost:3000", allowed) == verdict


@pytest.mark.parametrize(
    ("auth", "knows"),
    [
        ({"token": "s€cret"}, True),
        ({"token": "s€cret", "more": 1}, True),
        ({"token": "s€cre"}, False),
        ({"token": "\ud800"}, False),
        ({"token": 1}, False),
        ({}, False),
        (None, False),
        (["token"], False),
    ],
)
def test_token(auth: Any, knows: bool) -> None:
    assert policy.knows_token(auth, "s€cret") == knows


@pytest.mark.parametrize(
    ("text", "deeper_than_the_limit"),
    [
        ("[" * 64 + "]" * 64, False),
        ("[" * 65 + "]" * 65, True),
        ("[" + "[]," * 100 + "1]", False),
        ('["' + "[" * 100 + '"]', False),
        ('["\\"' + "[" * 100 + '"]', False),
        ('["\\\\",' + "[" * 64 + "]" * 64 + "]", True),
    ],
)
def test_depth(text: str, deeper_than_the_limit: bool) -> None:
    assert (policy.depth(text) > policy.JSON_DEPTH) == deeper_than_the_limit
