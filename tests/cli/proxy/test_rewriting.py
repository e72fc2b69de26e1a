"""Rewriting packets: frames, WebSocket bytes and polling bodies that read back as the same."""

import pytest

from nsroom.protocol import websocket
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.proxy.rewriting import (
    is_control,
    on_websocket,
    packet_frames,
    plain,
    polling_body,
    read_back,
)
from nsroom.record import Direction, Frame

IN, OUT = Direction.IN, Direction.OUT
EVENT = Packet(PacketType.EVENT, "/chat", 7, ["π", {"a": [b"\0\xff"]}, 1])
DIALECTS = [Dialect(), Dialect(3), Dialect(is_msgpack=True), Dialect(3, True)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_packet_reads_back_as_it_was_written(dialect: Dialect) -> None:
    back = read_back(packet_frames(EVENT, dialect), OUT)
    assert (back.namespace, back.id, back.event, back.args) == ("/chat", 7, "π", [{"a": [b"\0\xff"]}, 1])


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("direction", [IN, OUT])
def test_both_transports_carry_the_same_frames(dialect: Dialect, direction: Direction) -> None:
    frames = packet_frames(EVENT, dialect)
    body = dialect.split_body(polling_body(frames, direction, dialect))
    reader = websocket.Reader()
    messages = reader.feed(b"".join(on_websocket(frame, direction, dialect) for frame in frames))
    for carried in (body, [message.data for message in messages]):
        back = read_back([plain(frame, dialect.is_old) for frame in carried], direction)
        assert (back.event, back.args) == ("π", EVENT.data[1:])


def test_only_frames_for_the_server_are_masked() -> None:
    assert on_websocket("42", IN, Dialect()) == b"\x81\x0242"
    assert on_websocket("42", OUT, Dialect())[1] == 0x82


def test_text_that_is_not_utf_8_keeps_its_bytes() -> None:
    assert on_websocket("4\udcff", IN, Dialect()) == b"\x81\x024\xff"


@pytest.mark.parametrize(
    ("frame", "control"),
    [("2probe", True), ("5", True), ("6", True), ("", True), ("42[]", False), ("bAA==", False), (b"", False)],
)
def test_control_frames(frame: Frame, control: bool) -> None:
    assert is_control(frame) is control


def test_base64_that_is_malformed_stays_text() -> None:
    assert plain("bA", False) == "bA"
    assert plain("b4AA==", True) == b"\0"


def test_a_packet_that_cannot_be_read_back_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected a binary attachment"):
        read_back(['451-["a",{"_placeholder":true,"num":0}]', "42[]"], IN)
    with pytest.raises(ValueError, match="incomplete"):
        read_back(['451-["a",{"_placeholder":true,"num":0}]'], IN)
