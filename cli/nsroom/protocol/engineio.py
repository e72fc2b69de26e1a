"""Engine.IO protocol 4: packets, and the payloads that carry several of them over HTTP polling.

The specification: https://github.com/socketio/engine.io-protocol
"""

import base64
import re
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from nsroom.errors import DecodeError
from nsroom.protocol import strict_json
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.record import Json

SEPARATOR = "\x1e"
"""Stands between the packets of a polling payload."""
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


class PacketType(IntEnum):
    """The first character of a text frame."""

    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


# A look-up here takes a tenth of what PacketType(int(character)) does.
_TYPES = {str(int(kind)): kind for kind in PacketType}


class Packet(NamedTuple):
    """One packet; binary data is always that of a MESSAGE."""

    type: PacketType
    data: str | bytes = ""


class Handshake(NamedTuple):
    """What the server says in its OPEN packet; the times are in milliseconds."""

    sid: str
    upgrades: tuple[str, ...]
    ping_interval: int
    ping_timeout: int
    max_payload: int | None
    """Bytes in one polling body; None before Socket.IO 4.4."""


def encode(packet: Packet) -> str | bytes:
    """Write the packet as a WebSocket frame.

    Raises: ValueError for binary data in anything but a MESSAGE.
    """
    if isinstance(packet.data, str):
        return f"{packet.type:d}{packet.data}"
    if packet.type is not PacketType.MESSAGE:
        raise ValueError("only a message carries binary data")
    return packet.data


def decode(frame: str | bytes, limits: Limits = LIMITS) -> Packet:
    """Read a WebSocket frame, or one packet of a polling payload.

    Raises: DecodeError, whatever the frame is.
    """
    if len(frame) > limits.frame:
        raise DecodeError(f"larger than {limits.frame} characters or bytes", frame)
    if isinstance(frame, bytes):
        return Packet(PacketType.MESSAGE, frame)
    kind = _TYPES.get(frame[:1])
    if kind is not None:
        return Packet(kind, frame[1:])
    if frame.startswith("b"):
        return Packet(PacketType.MESSAGE, _from_base64(frame))
    raise DecodeError(f"unknown Engine.IO packet type {frame[0]!r}" if frame else "an empty frame", frame)


def _from_base64(frame: str) -> bytes:
    try:
        return base64.b64decode(frame[1:], validate=True)
    except ValueError:
        bad = _NOT_BASE64.search(frame.rstrip("="), 1)
        raise DecodeError("not base64", frame, bad.start() if bad else len(frame)) from None


def encode_payload(packets: Iterable[Packet]) -> str:
    """Write the packets as the body of one polling request or response.

    Raises: ValueError for text with the separator in it, which this transport cannot carry.
    """
    return SEPARATOR.join(_encode_text(packet) for packet in packets)


def _encode_text(packet: Packet) -> str:
    frame = encode(packet)
    if isinstance(frame, bytes):
        return "b" + base64.b64encode(frame).decode()
    if SEPARATOR in frame:
        raise ValueError("the text contains the record separator of polling payloads")
    return frame


def split_payload(body: str) -> list[str]:
    """Give the frames of a polling body, still encoded."""
    return body.split(SEPARATOR)


def decode_payload(body: str, limits: Limits = LIMITS) -> list[Packet]:
    """Read the body of one polling request or response.

    Raises: DecodeError with the frame that is malformed.
    """
    return [decode(frame, limits) for frame in split_payload(body)]


def parse_handshake(data: str) -> Handshake:
    """Read the data of an OPEN packet.

    Raises: DecodeError, whatever the data is.
    """
    fields = strict_json.load(data)
    if not isinstance(fields, dict):
        raise DecodeError("the handshake is not a JSON object", data)
    return Handshake(
        sid=_text(fields, "sid", data),
        upgrades=_texts(fields, "upgrades", data),
        ping_interval=_count(fields, "pingInterval", data),
        ping_timeout=_count(fields, "pingTimeout", data),
        max_payload=_count(fields, "maxPayload", data) if "maxPayload" in fields else None,
    )


def _text(fields: dict[str, Json], key: str, data: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise DecodeError(f"the handshake has no text {key}", data)
    return value


def _texts(fields: dict[str, Json], key: str, data: str) -> tuple[str, ...]:
    value = fields.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DecodeError(f"the handshake has no list of texts {key}", data)
    return tuple(value)


def _count(fields: dict[str, Json], key: str, data: str) -> int:
    value = fields.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        raise DecodeError(f"the handshake has no number {key}", data)
    return int(value)


def byte_count(frames: list[str | bytes]) -> int:
    """Count the bytes that frames take on the wire."""
    return sum(map(_octets, frames))


def _octets(frame: str | bytes) -> int:
    if isinstance(frame, bytes) or frame.isascii():
        return len(frame)
    return len(frame.encode("utf-8", "surrogatepass"))
