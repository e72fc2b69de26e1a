"""Rewrite packets for a side of the proxy: as frames of Engine.IO, of a WebSocket, or of a polling body.

Between the transports, frames are those of Engine.IO 4: text, or bytes for binary data.
"""

import base64
import os

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.session import Observer
from nsroom.protocol.socketio import Packet
from nsroom.protocol.websocket import Opcode, client_frame, server_frame
from nsroom.proxy.sessions import LIMITS
from nsroom.record import Direction, Frame, Record


def plain(frame: Frame, is_old: bool) -> Frame:
    """Return a frame on the wire as one of Engine.IO 4, with base64 decoded."""
    frame = engineio3.to_4(frame) if is_old else frame
    if isinstance(frame, str) and frame.startswith("b"):
        try:
            return engineio.decode(frame, LIMITS).data
        except DecodeError:
            return frame
    return frame


def is_control(frame: Frame) -> bool:
    """Return whether a frame is not a message of Socket.IO, but a heartbeat, a handshake or an upgrade."""
    return isinstance(frame, str) and frame[:1] not in ("4", "b")


def websocket_frame(direction: Direction, opcode: Opcode, payload: bytes) -> bytes:
    """Return a frame of a WebSocket; those for the server are masked."""
    if direction is Direction.IN:
        return server_frame(opcode, payload)
    return client_frame(opcode, payload, os.urandom(4))


def on_websocket(frame: Frame, direction: Direction, dialect: Dialect) -> bytes:
    """Return a frame as the bytes of a WebSocket."""
    wire = dialect.to_wire(frame)
    if isinstance(wire, bytes):
        return websocket_frame(direction, Opcode.BINARY, wire)
    return websocket_frame(direction, Opcode.TEXT, wire.encode("utf-8", "surrogateescape"))


def polling_body(frames: list[Frame], direction: Direction, dialect: Dialect) -> bytes:
    """Return the body of a polling request or response that carries frames."""
    write = dialect.to_polling if direction is Direction.OUT else dialect.to_wire
    texts = (f"b{base64.b64encode(each).decode()}" if isinstance(each, bytes) else each for each in frames)
    return dialect.join_body([str(write(text)) for text in texts]).encode("utf-8", "surrogateescape")


def packet_frames(packet: Packet, dialect: Dialect) -> list[Frame]:
    """Return the frames of a packet. Raises: ValueError if the protocol cannot carry it."""
    return [f"4{part}" if isinstance(part, str) else part for part in dialect.write(packet)]


def read_back(frames: list[Frame], direction: Direction) -> Record:
    """Return the record of a packet from its frames: what the other side will read.

    Raises: ValueError if it cannot be read.
    """
    observer = Observer(limits=LIMITS)
    records = [observer.feed(direction, frame, 0) for frame in frames]
    record = records[-1]
    if record is None or record.args is None:
        raise ValueError(record.message if record is not None else "the packet is incomplete")
    return record
