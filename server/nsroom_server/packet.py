"""Socket.IO 5 packets, strict: what Node's parser refuses is refused, and so is what would cost too much.

https://github.com/socketio/socket.io-protocol
"""

import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, CONNECT, DISCONNECT, EVENT
from socketio.packet import Packet as _Packet

from nsroom_server.limits import Limits
from nsroom_server.payload import Kind, Malformed, Outgoing

Json = Any
Hook = Callable[[dict[str, Json]], Json]

_HEADER = re.compile(r"([0-6])(?:([0-9]{1,9})-)?(?:(/[^,]*),?)?([0-9]{0,16})")
_BINARY = frozenset((BINARY_EVENT, BINARY_ACK))
_LARGE_EXPONENT = re.compile(r"[eE]\+?[0-9]{3}")
_LARGEST_INTEGER = 308
"""Digits of the largest finite number."""
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LARGE = 10_000


class StrictJson:
    """JSON as the standard has it: no NaN, no Infinity, and not deeper than the limit."""

    @staticmethod
    def loads(text: str, depth: int, hook: Hook | None = None) -> Json:
        """Decode, with `hook` in place of every object.

        Raises: Malformed.
        """
        # Going through every number in Python is slow, and hardly ever needed.
        parse_float = _finite if _may_be_infinite(text) else None
        decoder = json.JSONDecoder(object_hook=hook, parse_float=parse_float, parse_constant=_finite)
        try:
            with _uncollected(len(text)):
                value = decoder.decode(text)
        except Malformed:
            raise
        except (ValueError, RecursionError):
            raise Malformed("broken JSON") from None
        if is_deeper(text, depth):
            raise Malformed("JSON nested too deeply")
        return value

    @staticmethod
    def dumps(value: Json, **options: Any) -> str:
        """Encode."""
        return json.dumps(value, allow_nan=False, **options)


def is_deeper(text: str, depth: int) -> bool:
    """Tell whether valid JSON has more levels than that; nothing here goes by single characters."""
    if text.count("[") + text.count("{") <= depth:
        return False
    outside = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    brackets = outside.encode("ascii", "replace").translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(depth):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _may_be_infinite(text: str) -> bool:
    if _LARGE_EXPONENT.search(text):
        return True
    parts = text.split(".") if len(text) > _LARGEST_INTEGER else ()
    return any(len(part) > _LARGEST_INTEGER and part[-_LARGEST_INTEGER:].isdigit() for part in parts)


@contextmanager
def _uncollected(size: int) -> Iterator[None]:
    """Keep the garbage collector from walking again and again through a value that is growing."""
    pause = size > _LARGE and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise Malformed("a number that is none")
    return number


class Packet(_Packet):  # type: ignore[misc]
    """A packet in or out.

    Stock looks for binary in every value; here the encoder and the decoder of the JSON come upon it.
    """

    json = StrictJson

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
        self.data = StrictJson.loads(self._text, self._depth, hook) if self._text else None

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
        data = "" if self.data is None else _dump(self.data, attachments)
        kind, count = self.packet_type, ""
        if attachments:
            kind, count = (BINARY_ACK if kind == ACK else BINARY_EVENT), f"{len(attachments)}-"
        namespace = f"{self.namespace}," if self.namespace not in (None, "/") else ""
        number = "" if self.id is None else self.id
        return [f"{kind}{count}{namespace}{number}{data}", *attachments]

    def outgoing(self) -> list[Outgoing]:
        """Make the Engine.IO packets that carry it."""
        return [Outgoing(Kind.MESSAGE, part) for part in self.encode()]


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


def _dump(data: Json, attachments: list[bytes]) -> str:
    def attach(value: object) -> dict[str, Json]:
        if not isinstance(value, (bytes, bytearray)):
            raise TypeError(f"{type(value).__name__} is no JSON")
        attachments.append(bytes(value))
        return {"_placeholder": True, "num": len(attachments) - 1}

    return StrictJson.dumps(data, separators=(",", ":"), default=attach)
