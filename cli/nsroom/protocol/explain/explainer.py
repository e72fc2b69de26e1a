"""Explain every character of an Engine.IO frame, and of the Socket.IO packet in it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3, msgpack_parser, socketio, strict_json
from nsroom.protocol.explain import msgpack
from nsroom.protocol.explain.fields import IDS, LISTED, Field, argument, counted, describe, preview
from nsroom.protocol.redaction import REDACTED
from nsroom.protocol.strict_json import Element
from nsroom.record import Direction, Json, escape, format_time

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """A frame and where it was found; `error` is why it is not a valid one."""

    frame: str | bytes
    line: int | None = None
    direction: Direction | None = None
    sid: str | None = None
    time: int | None = None
    """Microseconds since the epoch."""
    error: DecodeError | None = None
    is_old: bool = False
    """Whether the frame is known to be of Engine.IO 3; the Explainer may detect that too."""
    hint: str | None = None
    """How the frame differs from the text that it was found in."""

    def where(self) -> dict[str, int | str]:
        """Return `line`, `time`, `direction` and `sid`, without the unknown ones."""
        where = {
            "line": self.line,
            "time": self._formatted_time(),
            "direction": self.direction,
            "sid": self.sid,
        }
        return {key: value for key, value in where.items() if value is not None}

    def _formatted_time(self) -> str | None:
        try:
            return None if self.time is None else format_time(self.time)
        except OverflowError:  # a file may claim any year
            return None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of a frame, up to the first error."""

    found: Found
    fields: tuple[Field, ...] = ()
    error: DecodeError | None = None

    def to_json(self) -> dict[str, Json]:
        """Return plain JSON: the keys of `Found.where`, `frame`, `fields`, and `hint` and `error` if any."""
        fields = [field._asdict() for field in self.fields]
        value = {**self.found.where(), "frame": escape(self.found.frame), "fields": fields}
        if self.found.hint is not None:
            value["hint"] = self.found.hint
        if self.error is not None:
            value["error"] = {"reason": self.error.reason, "offset": self.error.offset}
        return value


@dataclass(slots=True)
class _Announced:
    """The attachments that a packet announced."""

    owner: str
    total: int
    seen: int = 0


class Explainer:
    """Explains frames in order, so that it knows which packet an attachment belongs to."""

    def __init__(self) -> None:
        self._announced: dict[tuple[str | None, Direction | None], _Announced] = {}
        self._opened: str | None = None
        """The sid of the last handshake."""
        self._sessions: dict[str | None, bool] = {}
        """By sid of a handshake: whether the session uses Engine.IO 3."""

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
        if found.frame == REDACTED:
            yield Field(0, REDACTED, "packet", "left out when this was recorded")
            return
        is_old = self._is_old(found)
        packet = engineio.decode(engineio3.to_4(found.frame) if is_old else found.frame)
        if isinstance(packet.data, bytes):
            yield from self._binary(found, packet.data, is_old)
            return
        frame = str(found.frame)
        yield Field(0, frame[0], "engine.io type", packet.type.name.lower())
        if packet.type is engineio.PacketType.MESSAGE:
            yield from self._message(found, frame)
        elif packet.type is engineio.PacketType.OPEN:
            yield from _handshake(frame)
            self._opened = engineio.parse_handshake(str(packet.data)).sid
            self._sessions.setdefault(self._opened, False)
        elif packet.data:
            yield Field(1, packet.data, "data", _DATA.get(frame, "text"))

    def _is_old(self, found: Found) -> bool:
        """Return whether a frame is of Engine.IO 3, as all are after a server's CONNECT without a sid."""
        session = found.sid if found.sid in self._sessions else self._opened
        if found.direction is Direction.IN and _OLD_CONNECT.match(str(found.frame)):
            self._sessions[session] = True
        # Base64 has groups of four characters: here the "4" cannot belong to them.
        frame = found.frame
        is_base64_of_3 = isinstance(frame, str) and frame.startswith("b4") and len(frame) % 4 == 2
        return found.is_old or is_base64_of_3 or self._sessions.get(session, False)

    def _message(self, found: Found, frame: str) -> Iterator[Field]:
        if frame[1:2] == "{":
            yield from _inner(msgpack.text_fields, frame)
            return
        yield from _header(frame)
        start = _payload_start(frame)
        if frame[start:] == REDACTED and frame[1] == "0":
            yield Field(start, REDACTED, "payload", "left out when this was recorded")
            return
        packet = _inner(_packet, frame)
        if packet.attachments:
            owner = f"event {packet.data[0]}" if packet.type is _BINARY_EVENT else f"ack {packet.id}"
            self._announced[found.sid, found.direction] = _Announced(owner, packet.attachments)
        if start < len(frame):
            yield from _payload(frame, start, packet)

    def _binary(self, found: Found, data: bytes, is_old: bool) -> Iterator[Field]:
        frame, start = found.frame, 0
        if isinstance(frame, str):
            start = 2 if is_old else 1
            yield Field(0, frame[:start], "engine.io type", "message, binary in base64")
        elif is_old and len(frame) > len(data):
            start = 1
            yield Field(0, "04", "engine.io type", "message")
        text = frame[start:] if isinstance(frame, str) else preview(data)
        attachment = self._next_attachment(found)
        if attachment is None and (packet := _msgpack(data)):
            step = 4 / 3 if isinstance(frame, str) else 1
            yield Field(start, text, "packet", f"MessagePack: {counted(len(data), 'byte')}")
            for field in msgpack.fields(packet, data):
                yield field._replace(at=start + int(field.at * step))
            return
        meaning = f"{counted(len(data), 'byte')}: {preview(data)}"
        yield Field(start, text, attachment or "binary data that no packet announced", meaning)

    def _next_attachment(self, found: Found) -> str | None:
        """Return the name of the next announced attachment, or None if there is not one."""
        announced = self._announced.get((found.sid, found.direction))
        if announced is None or announced.seen == announced.total:
            return None
        announced.seen += 1
        return f"attachment {announced.seen - 1} of {announced.owner}"


_BINARY_EVENT = socketio.PacketType.BINARY_EVENT
_OLD_CONNECT = re.compile(r'40(/[^,{]*,?)?$|4\{"type":0')
_DATA = {"2probe": "tries this transport", "3probe": "this transport works"}


def _msgpack(data: bytes) -> socketio.Packet | None:
    try:
        return msgpack_parser.decode(data)
    except DecodeError:
        return None


def _inner(parse: Callable[[str], _T], frame: str) -> _T:
    """Parse a frame after its Engine.IO type; offsets of errors count from the start of the frame."""
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
        yield Field(header.start(3), id, "id", IDS.get(kind, "without effect here"))


def _namespace(frame: str, header: re.Match[str]) -> Field:
    name, _, query = header[2].partition("?")
    start = header.start(2)
    meaning = f"{name}, with the query {query}" if query else name
    return Field(start, frame[start : header.start(3)], "namespace", meaning)


def _payload(frame: str, start: int, packet: socketio.Packet) -> Iterator[Field]:
    yield Field(start, frame[start:], "payload", f"JSON: {describe(packet.data, packet.attachments)}")
    if isinstance(packet.data, str):
        return
    is_event = packet.type in (socketio.PacketType.EVENT, _BINARY_EVENT)
    yield from _elements(
        frame, start, lambda index, element: argument(element, index, is_event, packet.attachments)
    )


def _elements(frame: str, start: int, part: Callable[[int, Element], tuple[str, str]]) -> Iterator[Field]:
    """Yield a field for each element; `part` returns its name and meaning."""
    for index, element in enumerate(strict_json.elements(frame, start)):
        if index == LISTED:
            yield Field(element.start, frame[element.start :], "rest", f"all after {LISTED} elements")
            return
        yield Field(element.start, frame[element.start : element.end], *part(index, element))


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
    return key, _HANDSHAKE.get(key, describe)(element.value)
