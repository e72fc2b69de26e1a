"""Engine.IO protocol 4: packets, and the payloads that carry them over HTTP polling.

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
"""Separates the packets of a polling payload."""
_MAX_NUMBER = 2**53 - 1
"""Number.MAX_SAFE_INTEGER; Python cannot divide integers of 400 digits."""
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
    """One packet; only a MESSAGE has binary data."""

    type: PacketType
    data: str | bytes = ""


class Handshake(NamedTuple):
    """The data of the server's OPEN packet; times are in milliseconds."""

    sid: str
    upgrades: tuple[str, ...]
    ping_interval: int
    ping_timeout: int
    max_payload: int | None
    """The size of a polling body in bytes; None before Socket.IO 4.4."""


def encode(packet: Packet) -> str | bytes:
    """Return the packet as a WebSocket frame.

    Raises: ValueError if a packet other than a MESSAGE has binary data.
    """
    if isinstance(packet.data, str):
        return f"{packet.type:d}{packet.data}"
    if packet.type is not PacketType.MESSAGE:
        raise ValueError("only a message carries binary data")
    return packet.data


def decode(frame: str | bytes, limits: Limits = LIMITS) -> Packet:
    """Return the packet in a WebSocket frame, or in one frame of a polling payload.

    Raises: DecodeError, and nothing else, for any frame.
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
    """Return the packets as the body of one polling request or response.

    Raises: ValueError if a text contains the separator, which this transport cannot carry.
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
    """Return the frames of a polling body, still encoded."""
    return body.split(SEPARATOR)


def decode_payload(body: str, limits: Limits = LIMITS) -> list[Packet]:
    """Return the packets in the body of one polling request or response.

    Raises: DecodeError with the malformed frame.
    """
    return [decode(frame, limits) for frame in split_payload(body)]


def parse_handshake(data: str) -> Handshake:
    """Return the handshake in the data of an OPEN packet.

    Raises: DecodeError, and nothing else, for any data.
    """
    fields = strict_json.load(data)
    if not isinstance(fields, dict):
        raise DecodeError("the handshake is not a JSON object", data)
    return Handshake(
        sid=_string(fields, "sid", data),
        upgrades=_strings(fields, "upgrades", data),
        ping_interval=_number(fields, "pingInterval", data),
        ping_timeout=_number(fields, "pingTimeout", data),
        max_payload=_number(fields, "maxPayload", data) if "maxPayload" in fields else None,
    )


def _string(fields: dict[str, Json], key: str, data: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise DecodeError(f"the handshake's `{key}` must be a non-empty string", data)
    return value


def _strings(fields: dict[str, Json], key: str, data: str) -> tuple[str, ...]:
    value = fields.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DecodeError(f"the handshake's `{key}` must be a list of strings", data)
    return tuple(value)


def _number(fields: dict[str, Json], key: str, data: str) -> int:
    value = fields.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= _MAX_NUMBER:
        raise DecodeError(f"the handshake's `{key}` must be a number from 0 to {_MAX_NUMBER}", data)
    return int(value)


def byte_count(frames: list[str | bytes]) -> int:
    """Return the number of bytes that frames take on the wire."""
    return sum(map(_size, frames))


def _size(frame: str | bytes) -> int:
    if isinstance(frame, bytes) or frame.isascii():
        return len(frame)
    return len(frame.encode("utf-8", "surrogatepass"))
