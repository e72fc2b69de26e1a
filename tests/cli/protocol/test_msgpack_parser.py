"""Packets of socket.io-msgpack-parser, and any other data."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DecodeError
from nsroom.protocol import messagepack, msgpack_parser
from nsroom.protocol.limits import Limits
from nsroom.protocol.socketio import Packet, PacketType

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = PacketType


def packed(**fields: Any) -> bytes:
    return messagepack.dump({"nsp": "/", **fields})


@pytest.mark.parametrize(
    "packet",
    [
        Packet(CONNECT),
        Packet(CONNECT, "/admin", data={"token": "123"}),
        Packet(DISCONNECT, "/admin"),
        Packet(EVENT, "/chat", 12, ["b", b"\1\2", {"deep": [b"\xff"]}]),
        Packet(ACK, "/", 0, []),
        Packet(CONNECT_ERROR, "/", data={"message": "no"}),
    ],
)
def test_packets_round_trip(packet: Packet) -> None:
    assert msgpack_parser.decode(msgpack_parser.encode(packet)) == packet


def test_a_packet_of_javascript() -> None:
    """A CONNECT of socket.io 4.8, whose `pid` is undefined."""
    data = bytes.fromhex("83a47479706500a46461746182a3736964a17ba3706964d40000a36e7370a52f63686174")
    assert msgpack_parser.decode(data) == Packet(CONNECT, "/chat", data={"sid": "{"})


def test_binary_types_of_socket_io_2_become_the_plain_types() -> None:
    assert msgpack_parser.decode(packed(type=5, data=["b", b"\0"])) == Packet(EVENT, data=["b", b"\0"])
    assert msgpack_parser.decode(packed(type=6, data=[], id=1)) == Packet(ACK, id=1, data=[])


def test_control_packets_of_socket_io_2_are_json() -> None:
    connect = Packet(CONNECT, "/chat")
    assert msgpack_parser.encode_old(connect) == '{"type":0,"nsp":"/chat"}'
    assert msgpack_parser.encode_old(connect, "a=b") == '{"type":0,"nsp":"/chat?a=b"}'
    assert msgpack_parser.decode('{"type":0,"nsp":"/chat?a=b"}') == connect
    assert msgpack_parser.decode('{"type":4,"nsp":"/","data":"no"}') == Packet(CONNECT_ERROR, data="no")
    event = Packet(EVENT, data=["e"])
    assert msgpack_parser.encode_old(event) == msgpack_parser.encode(event)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (messagepack.dump([1]), "a packet must be a map"),
        (packed(), "unknown Socket.IO packet type None"),
        (packed(type=7), "unknown Socket.IO packet type 7"),
        (packed(type=True), "unknown Socket.IO packet type True"),
        (packed(type=2, nsp=1, data=["e"]), "the namespace must be"),
        (packed(type=2, nsp="/" + "x" * 1024, data=["e"]), "the namespace must be"),
        (packed(type=2), "the payload of EVENT must be a list"),
        (packed(type=2, data=[]), "the payload of EVENT must be a list that starts with"),
        (packed(type=2, data=[None]), "the payload of EVENT must be a list that starts with"),
        (packed(type=3, data=[]), "an acknowledgement without an id"),
        (packed(type=3, data=[], id=-1), "the id must be a number"),
        (packed(type=3, data=[], id="1"), "the id must be a number"),
        (packed(type=0, data=[]), "the payload of CONNECT must be an object"),
        (packed(type=1, data=1), "the payload of DISCONNECT must be absent"),
        ("{", "not JSON"),
        ("[]", "a packet must be a map"),
    ],
)
def test_malformed_packets(data: str | bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        msgpack_parser.decode(data)


@pytest.mark.parametrize("data", [b"\0" * 9, "0" * 9])
def test_the_size_is_limited(data: str | bytes) -> None:
    with pytest.raises(DecodeError, match="larger than 8"):
        msgpack_parser.decode(data, Limits(frame=8))


@given(
    st.binary()
    | st.text()
    | st.dictionaries(
        st.sampled_from(["type", "nsp", "data", "id"]), st.integers() | st.text() | st.lists(st.text())
    ).map(messagepack.dump)
)
def test_any_data_is_a_packet_or_an_error(data: str | bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert msgpack_parser.decode(data).type not in (BINARY_EVENT, BINARY_ACK)


@pytest.mark.parametrize(
    "packet",
    [
        Packet(EVENT, data=[]),
        Packet(ACK, data=[]),
        Packet(EVENT, "chat", data=["e"]),
        Packet(EVENT, id=-1, data=["e"]),
    ],
)
def test_packets_that_cannot_be_sent(packet: Packet) -> None:
    with pytest.raises(ValueError, match=r"must (not )?be|must have an id|cannot be a namespace"):
        msgpack_parser.encode(packet)
