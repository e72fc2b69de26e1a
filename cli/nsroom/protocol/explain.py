"""Say what every character of an Engine.IO frame means, and of the Socket.IO packet in it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, socketio, strict_json
from nsroom.protocol.session import REDACTED
from nsroom.protocol.strict_json import Element
from nsroom.record import Direction, Json, escape, format_time

_T = TypeVar("_T")

_PREVIEW = 16
"""Bytes of binary data that are shown."""
_LISTED = 1000
"""Elements that are taken apart: a field for each of a million would take gigabytes."""


class Field(NamedTuple):
    """A part of a frame: where it begins, its characters, its name and its meaning."""

    at: int
    text: str
    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Found:
    """A frame and where it was found; `error` says why it cannot be one."""

    frame: str | bytes
    line: int | None = None
    direction: Direction | None = None
    sid: str | None = None
    time: int | None = None
    """Microseconds since the epoch."""
    error: DecodeError | None = None

    def where(self) -> dict[str, int | str]:
        """Give `line`, `time`, `direction` and `sid`, as far as they are known."""
        where = {"line": self.line, "time": self._when(), "direction": self.direction, "sid": self.sid}
        return {key: value for key, value in where.items() if value is not None}

    def _when(self) -> str | None:
        try:
            return None if self.time is None else format_time(self.time)
        except OverflowError:  # a file may claim any year
            return None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a frame says, as far as it can be read."""

    found: Found
    fields: tuple[Field, ...] = ()
    error: DecodeError | None = None

    def to_json(self) -> dict[str, Json]:
        """Give it as plain JSON: the keys of `Found.where`, `frame`, `fields`, and `error` when malformed."""
        fields = [field._asdict() for field in self.fields]
        value = {**self.found.where(), "frame": escape(self.found.frame), "fields": fields}
        if self.error is not None:
            value["error"] = {"reason": self.error.reason, "offset": self.error.offset}
        return value


@dataclass(slots=True)
class _Due:
    """The attachments that a packet has announced."""

    owner: str
    total: int
    seen: int = 0


class Explainer:
    """Explains frames one after the other, and so knows which packet an attachment belongs to."""

    def __init__(self) -> None:
        self._due: dict[tuple[str | None, Direction | None], _Due] = {}

    def explain(self, found: Found) -> Explanation:
        """Explain one frame, malformed or not."""
        if found.error is not None:
            return Explanation(found, (), found.error)
        fields: list[Field] = []
        try:
            for field in self._fields(found):
                fields.append(field)
        except DecodeError as error:
            known = (field for field in fields if field.at + len(field.text) <= error.offset)
            return Explanation(found, tuple(known), error)
        return Explanation(found, tuple(fields))

    def _fields(self, found: Found) -> Iterator[Field]:
        packet = engineio.decode(found.frame)
        if isinstance(packet.data, bytes):
            yield from self._binary(found, packet.data)
            return
        frame = str(found.frame)
        yield Field(0, frame[0], "engine.io type", packet.type.name.lower())
        if packet.type is engineio.PacketType.MESSAGE:
            yield from self._message(found, frame)
        elif packet.type is engineio.PacketType.OPEN:
            yield from _handshake(frame)
        elif packet.data:
            yield Field(1, packet.data, "data", _DATA.get(frame, "text"))

    def _message(self, found: Found, frame: str) -> Iterator[Field]:
        yield from _header(frame)
        start = _payload_start(frame)
        if frame[start:] == REDACTED and frame[1] == "0":
            yield Field(start, REDACTED, "payload", "left out when this was recorded")
            return
        packet = _inner(_packet, frame)
        if packet.attachments:
            owner = f"event {packet.data[0]}" if packet.type is _BINARY_EVENT else f"ack {packet.id}"
            self._due[found.sid, found.direction] = _Due(owner, packet.attachments)
        if start < len(frame):
            yield from _payload(frame, start, packet)

    def _binary(self, found: Found, data: bytes) -> Iterator[Field]:
        meaning = f"{_count(len(data), 'byte')}: {_hex(data)}"
        if isinstance(found.frame, bytes):
            yield Field(0, _hex(data), self._take(found), meaning)
            return
        yield Field(0, "b", "engine.io type", "message, binary in base64")
        yield Field(1, found.frame[1:], self._take(found), meaning)

    def _take(self, found: Found) -> str:
        due = self._due.get((found.sid, found.direction))
        if due is None or due.seen == due.total:
            return "binary data that no packet announced"
        due.seen += 1
        return f"attachment {due.seen - 1} of {due.owner}"


_BINARY_EVENT = socketio.PacketType.BINARY_EVENT
_IDS = {
    socketio.PacketType.EVENT: "wants an acknowledgement",
    socketio.PacketType.BINARY_EVENT: "wants an acknowledgement",
    socketio.PacketType.ACK: "answers the event of this id",
    socketio.PacketType.BINARY_ACK: "answers the event of this id",
}
_DATA = {"2probe": "tries this transport", "3probe": "this transport works"}


def _hex(data: bytes) -> str:
    return data[:_PREVIEW].hex(" ") + (" …" if len(data) > _PREVIEW else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _inner(parse: Callable[[str], _T], frame: str) -> _T:
    """Parse what follows the Engine.IO type; an error's offset counts from the start of the frame."""
    try:
        return parse(frame[1:])
    except DecodeError as error:
        raise DecodeError(error.reason, frame, error.offset + 1) from None


def _packet(text: str) -> socketio.Packet:
    packet = socketio.decode(text)
    if packet.attachments:
        try:
            socketio.join(packet, [b""] * packet.attachments, text)
        except DecodeError as error:
            raise DecodeError(error.reason, text, _payload_start(text, 0)) from None
    return packet


def _payload_start(frame: str, at: int = 1) -> int:
    header = socketio.HEADER.match(frame, at)
    return header.end() if header else len(frame)


def _header(frame: str) -> Iterator[Field]:
    if not "0" <= frame[1:2] <= "6":
        return
    kind = socketio.PacketType(int(frame[1]))
    yield Field(1, frame[1], "socket.io type", kind.name.lower().replace("_", " "))
    header = socketio.HEADER.match(frame, 1)
    if header is None:
        return
    count, namespace, id = header.groups()
    if count:
        yield Field(2, f"{count}-", "attachments", f"{count} to follow")
    if namespace:
        yield _namespace(frame, header)
    if id:
        yield Field(header.start(3), id, "id", _IDS.get(kind, "without effect here"))


def _namespace(frame: str, header: re.Match[str]) -> Field:
    name, _, query = header[2].partition("?")
    start = header.start(2)
    meaning = f"{name}, with the query {query}" if query else name
    return Field(start, frame[start : header.start(3)], "namespace", meaning)


def _payload(frame: str, start: int, packet: socketio.Packet) -> Iterator[Field]:
    yield Field(start, frame[start:], "payload", f"JSON: {_describe(packet.data, packet.attachments)}")
    if isinstance(packet.data, str):
        return
    names_event = packet.type in (socketio.PacketType.EVENT, _BINARY_EVENT)

    def part(index: int, element: Element) -> tuple[str, str]:
        if names_event and index == 0:
            return "event", _event(element.value)
        number = index if names_event else index + 1
        name = f"argument {number}" if element.key is None else element.key
        return name, _describe(element.value, packet.attachments)

    yield from _elements(frame, start, part)


def _elements(frame: str, start: int, part: Callable[[int, Element], tuple[str, str]]) -> Iterator[Field]:
    """Yield a field for each element, its name and meaning given by `part`."""
    for index, element in enumerate(strict_json.elements(frame, start)):
        if index == _LISTED:
            yield Field(element.start, frame[element.start :], "rest", f"all after {_LISTED} elements")
            return
        yield Field(element.start, frame[element.start : element.end], *part(index, element))


def _event(name: str | int | float) -> str:
    if name in socketio.RESERVED_EVENTS:
        return f"{name}, a reserved name: JavaScript peers end the connection"
    return str(name)


def _describe(value: Json, attachments: int = 0) -> str:
    """Say what kind of value it is; the characters are there already."""
    if isinstance(value, (dict, list)):
        return _container(value, list(_placeholders(value)) if attachments else [])
    if isinstance(value, str):
        return f"text of {_count(len(value), 'character')}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return "number"


def _container(value: dict[str, Json] | list[Json], attachments: list[int]) -> str:
    names = ", ".join(f"attachment {num}" for num in attachments)
    if isinstance(value, dict) and value.get("_placeholder") is True and names:
        return names
    size = _count(len(value), "member" if isinstance(value, dict) else "item")
    kind = "object" if isinstance(value, dict) else "list"
    return f"{kind} of {size}, with {names}" if names else f"{kind} of {size}"


def _placeholders(value: Json) -> Iterator[int]:
    """Yield the numbers of the attachments in a value, in their order."""
    rest = [value]
    while rest:
        value = rest.pop()
        if isinstance(value, dict) and value.get("_placeholder") is True:
            yield value["num"]
        elif isinstance(value, (dict, list)):
            rest.extend(reversed(value.values() if isinstance(value, dict) else value))


_HANDSHAKE: dict[str, Callable[[Json], str]] = {
    "sid": lambda _: "the id of this session",
    "upgrades": lambda names: f"can go on over {', '.join(names) or 'nothing else'}",
    "pingInterval": lambda ms: f"a ping every {ms / 1000:g} s",
    "pingTimeout": lambda ms: f"{ms / 1000:g} s to answer a ping",
    "maxPayload": lambda size: f"at most {size} bytes in one polling body",
}


def _handshake(frame: str) -> Iterator[Field]:
    _inner(engineio.parse_handshake, frame)
    yield Field(1, frame[1:], "handshake", "what the server says of itself")
    yield from _elements(frame, 1, _handshake_part)


def _handshake_part(_: int, element: Element) -> tuple[str, str]:
    key = element.key or ""
    return key, _HANDSHAKE.get(key, _describe)(element.value)
