"""Engine.IO packets and polling payloads.

https://github.com/socketio/engine.io-protocol
"""

import base64
import binascii
import struct
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from nsroom_server.errors import Malformed

_SEPARATOR = "\x1e"
_TEXT, _BINARY = 0x81, 0x82
"""The first byte of a text and of a binary frame: RFC 6455, section 5.2."""


class PacketType(StrEnum):
    """The packet types."""

    OPEN = "0"
    CLOSE = "1"
    PING = "2"
    PONG = "3"
    MESSAGE = "4"
    UPGRADE = "5"
    NOOP = "6"


class Incoming(NamedTuple):
    """A received packet."""

    type: PacketType
    data: str | bytes


class Outgoing:
    """A packet to send, encoded once for all recipients."""

    __slots__ = ("frame", "size")

    def __init__(self, type: PacketType, data: str | bytes = "") -> None:
        first, payload = (_BINARY, data) if isinstance(data, bytes) else (_TEXT, (type + data).encode())
        self.size = len(payload)
        """Bytes of the packet."""
        self.frame = _frame(first, payload)
        """The packet as a WebSocket frame."""

    @property
    def text(self) -> str:
        """The packet as part of a polling payload."""
        payload = self.frame[len(self.frame) - self.size :]
        if self.frame[0] == _BINARY:
            return "b" + base64.b64encode(payload).decode()
        return payload.decode()


class Batch:
    """Packets to send in a row to many, in groups that nothing may come between."""

    __slots__ = ("data", "frames", "groups", "octets")

    def __init__(self, groups: Sequence[Sequence[Outgoing]]) -> None:
        packets = list(chain.from_iterable(groups))
        self.groups = groups
        self.frames = [packet.frame for packet in packets]
        self.data = b"".join(self.frames)
        """The frames as they are sent."""
        self.octets = sum(packet.size for packet in packets)
        """Bytes of the packets."""


def messages(parts: Iterable[str | bytes]) -> list[Outgoing]:
    """Return the packets that carry a Socket.IO packet: its text and its attachments."""
    return [Outgoing(PacketType.MESSAGE, part) for part in parts]


def size_of(packet: str | bytes) -> int:
    """Return the size of a packet in bytes of UTF-8."""
    return len(packet) if isinstance(packet, bytes) or packet.isascii() else len(packet.encode())


def decode(packet: str | bytes) -> Incoming:
    """Decode a packet.

    Raises: Malformed.
    """
    if isinstance(packet, bytes):
        return Incoming(PacketType.MESSAGE, packet)
    if packet.startswith("b"):
        return Incoming(PacketType.MESSAGE, _binary(packet[1:]))
    try:
        return Incoming(PacketType(packet[:1]), packet[1:])
    except ValueError:
        raise Malformed("not an Engine.IO packet") from None


def decode_payload(body: bytes) -> list[Incoming]:
    """Decode the body of a POST.

    Raises: Malformed.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Malformed("invalid UTF-8") from None
    return [decode(packet) for packet in text.split(_SEPARATOR)]


def encode_payload(packets: Iterable[Outgoing]) -> str:
    """Encode the body of a poll's response."""
    return _SEPARATOR.join(packet.text for packet in packets)


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("invalid base64") from None


def _frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload
