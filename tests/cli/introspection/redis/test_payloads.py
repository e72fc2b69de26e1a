"""What servers publish in Redis, and what others could."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DecodeError
from nsroom.introspection.inventory import Socket
from nsroom.introspection.redis import payloads
from nsroom.introspection.redis.payloads import (
    Broadcast,
    broadcast,
    load,
    load_reply,
    load_value,
    options,
    sockets,
)
from nsroom.protocol import messagepack
from nsroom.record import Json

HANDSHAKE = {"address": "::1", "issued": 1_700_000_000_000, "headers": {"cookie": "secret"}, "auth": "secret"}
EVENT = {"type": 2, "data": ["hello", 1], "nsp": "/"}


def nested(levels: int) -> Json:
    value: Json = "deep"
    for _ in range(levels):
        value = [value]
    return value


def test_a_message_is_json_or_messagepack() -> None:
    assert load(b'{"a":[1]}') == {"a": [1]}
    assert load(messagepack.dump({"a": b"\x00"})) == {"a": b"\x00"}
    assert load_value(messagepack.dump(["a"])) == ["a"]


@pytest.mark.parametrize(
    "data", [b"", b"[1]", b"{", b'{"a":NaN}', b'{"a":"\xff"}', b"\xc1", b"\x93ab", b"1", b"\xa1a", b"{}{}"]
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        load(data)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: b"{" + data))
def test_no_data_raises_anything_else(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        load(data)


def test_sizes_and_numbers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "MAX_BYTES", 100)
    with pytest.raises(DecodeError, match="more than 100 bytes"):
        load(b'{"a":"' + 100 * b"a" + b'"}')
    monkeypatch.undo()
    with pytest.raises(DecodeError, match="more than 5000000 values"):
        load(b'{"a":[' + 5_000_000 * b"1," + b"1]}")
    with pytest.raises(DecodeError, match="nested more than 256 levels"):
        load(json.dumps({"a": nested(300)}).encode())
    with pytest.raises(DecodeError, match="nested too deeply"):
        load_reply(b'{"a":' + 100_000 * b"[" + 100_000 * b"]" + b"}")


def test_a_socket_has_its_address_and_time_but_no_secrets() -> None:
    described = {"id": "s1", "handshake": HANDSHAKE, "rooms": ["s1", "lobby", 7], "data": {"name": "ann"}}
    (socket,) = sockets([described], "/chat", "uid")
    assert socket == Socket(
        "/chat",
        "s1",
        frozenset({"s1", "lobby", 7}),
        address="::1",
        connected=1_700_000_000_000_000,
        data={"name": "ann"},
        server="uid",
        is_described=True,
    )
    assert "secret" not in repr(socket)


def test_what_does_not_describe_a_socket_is_left_out() -> None:
    good = {"id": "s1", "rooms": []}
    listed = sockets([None, 1, {}, {"id": 1, "rooms": []}, {"id": "s", "rooms": "s"}, good], "/")
    assert [each.sid for each in listed] == ["s1"]
    for other in (None, {}, "s1"):
        with pytest.raises(DecodeError):
            sockets(other, "/")


def test_data_that_is_nested_too_deeply_is_dropped() -> None:
    described = [{"id": "s1", "rooms": [], "data": nested(levels)} for levels in (100, 101, 500)]
    assert [each.data is None for each in sockets(described, "/")] == [False, True, True]


@pytest.mark.parametrize(
    ("packet", "given", "expected"),
    [
        (EVENT, {"rooms": []}, Broadcast("/", "hello", [1], [], [])),
        (EVENT, {"rooms": ["a", 7], "except": ["b"]}, Broadcast("/", "hello", [1], ["a", 7], ["b"])),
        ({**EVENT, "type": 5}, {"rooms": []}, Broadcast("/", "hello", [1], [], [])),
        ({"type": 1}, {"rooms": []}, None),
    ],
)
def test_a_broadcast_has_its_rooms(packet: Json, given: Json, expected: Broadcast | None) -> None:
    assert broadcast(packet, given, "/") == expected


@pytest.mark.parametrize(
    ("packet", "given"),
    [
        (None, {"rooms": []}),
        ({}, {"rooms": []}),
        (EVENT, None),
        (EVENT, {}),
        (EVENT, {"rooms": "lobby"}),
        (EVENT, {"rooms": ["a"] * 10_001}),
        (EVENT, {"rooms": [], "except": {"a": 1}}),
    ],
)
def test_other_broadcasts_are_refused(packet: Json, given: Json) -> None:
    with pytest.raises(DecodeError):
        broadcast(packet, given, "/")


def test_the_sockets_to_act_on() -> None:
    assert options(None) == {"rooms": [], "except": [], "flags": {}}
    assert options("s1")["rooms"] == ["s1"]
    assert options(["a", 7])["rooms"] == ["a", 7]
