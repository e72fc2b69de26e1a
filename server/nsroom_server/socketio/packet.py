"""Socket.IO 5 packets, strictly parsed: refused is what Node's parser refuses, and what would cost too much.

https://github.com/socketio/socket.io-protocol
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from itertools import compress, count
from typing import Any, Final, Self

from nsroom_server import strict_json
from nsroom_server.engineio.packets import Outgoing, messages
from nsroom_server.errors import Malformed
from nsroom_server.settings.limits import Limits

Json = Any


class PacketType(IntEnum):
    """The types of packets."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


EVENTS: Final = frozenset((PacketType.EVENT, PacketType.BINARY_EVENT))
ACKS: Final = frozenset((PacketType.ACK, PacketType.BINARY_ACK))
_BINARY = frozenset((PacketType.BINARY_EVENT, PacketType.BINARY_ACK))
_CONTAINERS = frozenset((list, dict))
_Place = tuple[Any, Any, int]
"""A list or an object, the index or key in it, and the number of the attachment that belongs there."""
_HEADER = re.compile(r"([0-6])(?:([1-9][0-9]{0,8})-)?(?:(/[^,]*),?)?([0-9]{0,16})")
_TYPES = {str(int(each)): each for each in PacketType}
"""By digit: calling the enumeration takes ten times as long."""


class Packet:
    """A packet that is received or sent."""

    __slots__ = (
        "_places",
        "attachment_count",
        "attachments",
        "data",
        "id",
        "namespace",
        "octets",
        "packet_type",
    )

    def __init__(
        self, packet_type: PacketType, data: Json = None, namespace: str = "/", id: int | None = None
    ) -> None:
        self.packet_type = packet_type
        self.data = data
        self.namespace = namespace
        self.id = id
        self.attachment_count = 0
        """The attachments that its text announces."""
        self.attachments: list[bytes] = []
        """The attachments received so far."""
        self.octets = 0
        """The size of its text and attachments, as received."""
        self._places: list[_Place] = []

    @classmethod
    def parse(cls, text: str, limits: Limits) -> Self:
        """Parse a packet's text; the next `attachment_count` frames are its attachments.

        Raises: Malformed.
        """
        header = _HEADER.match(text)
        if header is None:
            raise Malformed("not a Socket.IO packet")
        kind, attachments, namespace, number = header.groups()
        rest = text[header.end() :]
        packet = cls(_TYPES[kind], None, namespace or "/", int(number) if number else None)
        packet.octets = len(text)
        packet.attachment_count = _attachments(packet.packet_type, attachments, limits)
        # To search for placeholders takes longer than to decode.
        containers = limits.json_containers // (2 if packet.packet_type in _BINARY else 1)
        packet.data = strict_json.loads(rest, limits.json_depth, containers) if rest else None
        _check(packet.packet_type, bool(rest), packet.data, packet.id)
        if packet.packet_type in _BINARY:
            packet._places = list(_find_places(packet.data, packet.attachment_count))
        return packet

    def attach(self, attachment: bytes) -> bool:
        """Add an attachment, and return whether it was the last one.

        Raises: Malformed.
        """
        self.attachments.append(attachment)
        self.octets += len(attachment)
        if len(self.attachments) < self.attachment_count:
            return False
        for container, key, number in self._places:
            container[key] = self.attachments[number]
        return True

    @property
    def arguments(self) -> list[Json]:
        """The name of an event, followed by its arguments."""
        return list(self.data or ())

    def encode(self) -> list[str | bytes]:
        """Encode the packet: its text, and its attachments."""
        attachments: list[bytes] = []
        data = "" if self.data is None else strict_json.dumps(self.data, attachments)
        kind, count = self.packet_type, ""
        if attachments:
            kind = PacketType.BINARY_ACK if kind == PacketType.ACK else PacketType.BINARY_EVENT
            count = f"{len(attachments)}-"
        namespace = f"{self.namespace}," if self.namespace != "/" else ""
        number = "" if self.id is None else self.id
        return [f"{kind}{count}{namespace}{number}{data}", *attachments]

    def outgoing(self) -> list[Outgoing]:
        """Return the Engine.IO packets that carry it."""
        return messages(self.encode())


def _attachments(kind: PacketType, count: str | None, limits: Limits) -> int:
    if (count is not None) != (kind in _BINARY):
        raise Malformed("unexpected attachments")
    number = int(count or 0)
    if number > limits.attachments:
        raise Malformed("too many attachments")
    return number


def _check(kind: PacketType, there: bool, data: Json, number: int | None) -> None:
    if kind == PacketType.CONNECT and there and not isinstance(data, dict):
        raise Malformed("CONNECT payload must be an object")
    if kind == PacketType.DISCONNECT and there:
        raise Malformed("unexpected payload of a DISCONNECT")
    if kind == PacketType.CONNECT_ERROR and there and not isinstance(data, (dict, str)):
        raise Malformed("CONNECT_ERROR payload must be an object or a string")
    if kind in EVENTS and not _is_event(data):
        raise Malformed("an event without a name")
    if kind in ACKS and (number is None or not isinstance(data, list)):
        raise Malformed("ACK without an id or a list")


def _is_event(data: Json) -> bool:
    return isinstance(data, list) and bool(data) and type(data[0]) in (str, int, float)


def _find_places(data: Json, attachments: int) -> Iterator[_Place]:
    """Yield the places of the placeholders."""
    containers = [data]
    while containers:
        container = containers.pop()
        # In C: a list may hold half a million numbers.
        keys, values = (container, container.values()) if type(container) is dict else (count(), container)
        for key in compress(keys, map(_CONTAINERS.__contains__, map(type, values))):
            value = container[key]
            if type(value) is dict and value.get("_placeholder"):
                yield container, key, _number(value, attachments)
            elif value:
                containers.append(value)


def _number(placeholder: dict[str, Json], count: int) -> int:
    number = placeholder.get("num")
    if placeholder["_placeholder"] is not True or type(number) is not int or not 0 <= number < count:
        raise Malformed("placeholder without an attachment")
    return number


RESERVED_EVENTS: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
