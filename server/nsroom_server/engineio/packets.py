"""Engine.IO 4 packets and polling payloads, as the server sends and takes them.

https://github.com/socketio/engine.io-protocol
"""

import base64
import binascii
import struct
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from nsroom_server.errors import Malformed

_SEPARATOR = "\x1e"
_TEXT, _BINARY = 0x81, 0x82
"""How a frame of one begins: RFC 6455, section 5.2."""


class Kind(StrEnum):
    """The types of packets."""

    OPEN = "0"
    CLOSE = "1"
    PING = "2"
    PONG = "3"
    MESSAGE = "4"
    UPGRADE = "5"
    NOOP = "6"


class Incoming(NamedTuple):
    """A packet that has come."""

    kind: Kind
    data: str | bytes


class Outgoing:
    """A packet on its way out, encoded once for all who get it."""

    __slots__ = ("frame", "size")

    def __init__(self, kind: Kind, data: str | bytes = "") -> None:
        first, octets = (_BINARY, data) if isinstance(data, bytes) else (_TEXT, (kind + data).encode())
        self.size = len(octets)
        """Bytes of the packet."""
        self.frame = _frame(first, octets)
        """The packet as a WebSocket frame."""

    @property
    def text(self) -> str:
        """The packet as a part of a polling payload."""
        octets = self.frame[len(self.frame) - self.size :]
        if self.frame[0] == _BINARY:
            return "b" + base64.b64encode(octets).decode()
        return octets.decode()


def messages(parts: Iterable[str | bytes]) -> list[Outgoing]:
    """Make the packets that carry a Socket.IO packet: its text, and its attachments."""
    return [Outgoing(Kind.MESSAGE, part) for part in parts]


def octets_of(packet: str | bytes) -> int:
    """Count the bytes that it takes in UTF-8."""
    return len(packet) if isinstance(packet, bytes) or packet.isascii() else len(packet.encode())


def decode(packet: str | bytes) -> Incoming:
    """Take a packet apart.

    Raises: Malformed.
    """
    if isinstance(packet, bytes):
        return Incoming(Kind.MESSAGE, packet)
    if packet.startswith("b"):
        return Incoming(Kind.MESSAGE, _binary(packet[1:]))
    try:
        return Incoming(Kind(packet[:1]), packet[1:])
    except ValueError:
        raise Malformed("no Engine.IO packet") from None


def decode_payload(body: bytes) -> list[Incoming]:
    """Take the body of a POST apart.

    Raises: Malformed.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Malformed("no UTF-8") from None
    return [decode(packet) for packet in text.split(_SEPARATOR)]


def encode_payload(packets: Iterable[Outgoing]) -> str:
    """Make the body of a poll's answer."""
    return _SEPARATOR.join(packet.text for packet in packets)


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("no base64") from None


def _frame(first: int, octets: bytes) -> bytes:
    size = len(octets)
    if size < 126:
        return bytes((first, size)) + octets
    if size < 65536:
        return struct.pack("!BBH", first, 126, size) + octets
    return struct.pack("!BBQ", first, 127, size) + octets
