from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server import policy
from nsroom_server.policy import Refusal


def test_the_longest_names_pass() -> None:
    assert policy.room_name("ä" * 128, 128)
    assert policy.nick_name("b" * 64, 64)


@given(st.text(max_size=140))
def test_a_room_name_is_printable(name: str) -> None:
    try:
        assert policy.room_name(name, 128).isprintable()
        assert 1 <= len(name) <= 128
    except Refusal:
        assert not name.isprintable() or not 1 <= len(name) <= 128


def test_only_members_send() -> None:
    policy.require_member(["a", "b"], ["a", "b"])
    with pytest.raises(Refusal, match="only a member"):
        policy.require_member(["a"], ["a", "b"])


def test_a_sid_is_no_room() -> None:
    with pytest.raises(Refusal, match="socket's id"):
        policy.require_joinable("sid", [], 128, lambda name: name == "sid")


def test_rooms_of_a_socket() -> None:
    rooms = [str(number) for number in range(128)]
    policy.require_joinable("0", rooms, 128, lambda _: False)
    policy.require_joinable("more", rooms[1:], 128, lambda _: False)
    with pytest.raises(Refusal) as refusal:
        policy.require_joinable("more", rooms, 128, lambda _: False)
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
