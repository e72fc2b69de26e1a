"""Packets encoded in every dialect, and the frames given to python-socketio."""

import pytest

from nsroom.errors import DecodeError
from nsroom.protocol import msgpack_parser
from nsroom.protocol.dialect import DEFAULT, NOOP, Dialect
from nsroom.protocol.limits import Limits
from nsroom.protocol.socketio import Packet, PacketType

OLD, MSGPACK, OLD_MSGPACK = Dialect(3, query="a=b"), Dialect(4, True), Dialect(3, True, "a=b")
CONNECT = Packet(PacketType.CONNECT, "/chat", data={"token": "x"})
EVENT = Packet(PacketType.EVENT, data=["e", b"\1"])
BINARY_EVENT = '51-["e",{"_placeholder":true,"num":0}]'


@pytest.mark.parametrize(
    ("dialect", "connect", "event"),
    [
        (DEFAULT, ['0/chat,{"token":"x"}'], [BINARY_EVENT, b"\1"]),
        (OLD, ["0/chat?a=b,"], [BINARY_EVENT, b"\1"]),
        (MSGPACK, [msgpack_parser.encode(CONNECT)], [msgpack_parser.encode(EVENT)]),
        (OLD_MSGPACK, ['{"type":0,"nsp":"/chat?a=b"}'], [msgpack_parser.encode(EVENT)]),
    ],
)
def test_packets(dialect: Dialect, connect: list[str | bytes], event: list[str | bytes]) -> None:
    assert dialect.write(CONNECT) == connect
    assert dialect.write(EVENT) == event


@pytest.mark.parametrize("dialect", [OLD, OLD_MSGPACK])
def test_socket_io_2_connects_the_root_unasked(dialect: Dialect) -> None:
    assert dialect.write(Packet(PacketType.CONNECT)) == []


@pytest.mark.parametrize(
    ("dialect", "frame", "seen"),
    [
        (DEFAULT, '40{"sid":"x"}', '40{"sid":"x"}'),
        (OLD, "3", "3"),
        (OLD, "40/chat,", "40/chat,"),
        (OLD_MSGPACK, '4{"type":0,"nsp":"/chat"}', "40/chat,"),
        (OLD_MSGPACK, '4{"type":4,"nsp":"/","data":"no"}', "44"),
        (MSGPACK, msgpack_parser.encode(CONNECT), "40/chat,"),
        (MSGPACK, msgpack_parser.encode(Packet(PacketType.DISCONNECT)), "41"),
        (OLD_MSGPACK, b"\x04" + msgpack_parser.encode(CONNECT), "40/chat,"),
        (MSGPACK, "2", "2"),
        (MSGPACK, b"garbage", NOOP),
        (MSGPACK, msgpack_parser.encode(EVENT), NOOP),
        (MSGPACK, "4{", NOOP),
    ],
)
def test_frames_for_python_socketio(dialect: Dialect, frame: str | bytes, seen: str) -> None:
    assert dialect.as_default(frame) == seen


@pytest.mark.parametrize(
    ("dialect", "name", "options"),
    [
        (DEFAULT, "Socket.IO 3 or later (Engine.IO 4)", "--protocol 4"),
        (OLD, "Socket.IO 2 (Engine.IO 3)", "--protocol 3"),
        (MSGPACK, "msgpack", "--parser msgpack"),
        (OLD_MSGPACK, "Socket.IO 2 (Engine.IO 3) in msgpack", "--protocol 3 --parser msgpack"),
    ],
)
def test_names_and_options(dialect: Dialect, name: str, options: str) -> None:
    assert (str(dialect), dialect.options) == (name, options)


def test_bodies() -> None:
    assert OLD.split_body(b"2:401:2") == ["40", "2"]
    assert OLD.join_body(["40", "2"]) == "2:401:2"
    assert DEFAULT.split_body(b"40\x1e2") == ["40", "2"]
    assert DEFAULT.join_body(["40", "2"]) == "40\x1e2"


@pytest.mark.parametrize(
    ("dialect", "body"),
    [(DEFAULT, b"\x1e" * 3), (OLD, b"1:61:61:61:6"), (OLD, b"\x00\x01\xff6" * 4)],
)
def test_the_packets_of_a_body_are_limited(dialect: Dialect, body: bytes) -> None:
    assert len(dialect.split_body(body, Limits(packets=4))) == 4
    with pytest.raises(DecodeError, match="more than 3 packets"):
        dialect.split_body(body, Limits(packets=3))
