"""Socket.IO 5 packets, strict: what Node's parser refuses is refused, and so is what would cost too much.

https://github.com/socketio/socket.io-protocol
"""

import re
from typing import Any, Final, Self

from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, CONNECT, DISCONNECT, EVENT
from socketio.packet import Packet as _Packet

from nsroom_server import strict_json
from nsroom_server.engineio.packets import Outgoing, messages
from nsroom_server.errors import Malformed
from nsroom_server.settings.limits import Limits

Json = Any

_HEADER = re.compile(r"([0-6])(?:([0-9]{1,9})-)?(?:(/[^,]*),?)?([0-9]{0,16})")
_BINARY = frozenset((BINARY_EVENT, BINARY_ACK))


class Packet(_Packet):  # type: ignore[misc]
    """A packet in or out.

    Stock looks for binary in every value; here the encoder and the decoder of the JSON come upon it.
    """

    def __init__(
        self, packet_type: int, data: Json = None, namespace: str | None = None, id: int | None = None
    ) -> None:
        super().__init__(packet_type, data, namespace, id, binary=False)
        self.octets = 0
        self._text = ""
        self._depth = 0

    @classmethod
    def parse(cls, text: str, limits: Limits) -> Self:
        """Read a packet's text; `attachment_count` tells how many attachments are to come.

        Raises: Malformed.
        """
        header = _HEADER.match(text)
        if header is None:
            raise Malformed("no Socket.IO packet")
        kind, attachments, namespace, number = header.groups()
        rest = text[header.end() :]
        packet = cls(int(kind), namespace=namespace or "/", id=int(number) if number else None)
        packet.octets = len(text)
        packet.attachment_count = _attachments(packet.packet_type, attachments, limits)
        packet._text, packet._depth = rest, limits.json_depth
        packet._load([b""] * packet.attachment_count)
        _check(packet.packet_type, bool(rest), packet.data, packet.id)
        return packet

    def _load(self, attachments: list[bytes]) -> None:
        def place(value: dict[str, Json]) -> Json:
            return attachments[_place(value, len(attachments))] if value.get("_placeholder") else value

        hook = place if self.packet_type in _BINARY else None
        self.data = strict_json.loads(self._text, self._depth, hook) if self._text else None

    def attach(self, attachment: bytes) -> bool:
        """Take an attachment; true with the last one.

        Raises: Malformed.
        """
        self.attachments.append(attachment)
        self.octets += len(attachment)
        if len(self.attachments) < self.attachment_count:
            return False
        self._load(self.attachments)
        return True

    @property
    def arguments(self) -> list[Json]:
        """An event's name and its arguments."""
        return list(self.data or ())

    def encode(self) -> list[str | bytes]:
        """Write the packet: its text, and its attachments."""
        attachments: list[bytes] = []
        data = "" if self.data is None else strict_json.dumps(self.data, attachments)
        kind, count = self.packet_type, ""
        if attachments:
            kind, count = (BINARY_ACK if kind == ACK else BINARY_EVENT), f"{len(attachments)}-"
        namespace = f"{self.namespace}," if self.namespace not in (None, "/") else ""
        number = "" if self.id is None else self.id
        return [f"{kind}{count}{namespace}{number}{data}", *attachments]

    def outgoing(self) -> list[Outgoing]:
        """Make the Engine.IO packets that carry it."""
        return messages(self.encode())


def _attachments(kind: int, count: str | None, limits: Limits) -> int:
    if (count is not None) != (kind in _BINARY):
        raise Malformed("attachments where there are none")
    number = int(count or 0)
    if number > limits.attachments:
        raise Malformed("too many attachments")
    return number


def _check(kind: int, there: bool, data: Json, number: int | None) -> None:
    if kind == CONNECT and there and not isinstance(data, dict):
        raise Malformed("a CONNECT whose payload is no object")
    if kind == DISCONNECT and there:
        raise Malformed("a DISCONNECT with a payload")
    if kind in (EVENT, BINARY_EVENT) and not _is_event(data):
        raise Malformed("an event without a name")
    if kind in (ACK, BINARY_ACK) and (number is None or not isinstance(data, list)):
        raise Malformed("an acknowledgement of nothing")


def _is_event(data: Json) -> bool:
    return isinstance(data, list) and bool(data) and type(data[0]) in (str, int, float)


def _place(value: dict[str, Json], count: int) -> int:
    place = value.get("num")
    if value["_placeholder"] is not True or type(place) is not int or not 0 <= place < count:
        raise Malformed("a place for no attachment")
    return place


RESERVED_EVENTS: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
