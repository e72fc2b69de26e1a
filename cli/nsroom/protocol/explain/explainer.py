"""Explain every character of an Engine.IO frame, and of the Socket.IO packet in it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3, msgpack_parser, socketio, strict_json
from nsroom.protocol.explain import msgpack, plain
from nsroom.protocol.explain.fields import IDS, LISTED, Field, argument, counted, describe, preview
from nsroom.protocol.redaction import REDACTED
from nsroom.protocol.strict_json import Element
from nsroom.record import Direction, Json, format_time

_T = TypeVar("_T")


class Found(NamedTuple):
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
        line, direction, sid, time = self[1:5]
        where: dict[str, int | str] = {} if line is None else {"line": line}
        if time is not None and (formatted := _formatted(time)) is not None:
            where["time"] = formatted
        if direction is not None:
            where["direction"] = direction
        if sid is not None:
            where["sid"] = sid
        return where


def _formatted(time: int) -> str | None:
    try:
        return format_time(time)
    except OverflowError:  # a file may claim any year
        return None


class Explanation(NamedTuple):
    """The parts of a frame, up to the first error."""

    found: Found
    fields: list[Field]
    error: DecodeError | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the keys of `Found.where`, `frame` (or bytes), `fields`, and `hint` and `error` if any."""
        found, fields, error = self
        value: dict[str, Json] = found.where()
        value["frame"] = found.frame
        value["fields"] = fields
        if found.hint is not None:
            value["hint"] = found.hint
        if error is not None:
            value["error"] = {"reason": error.reason, "offset": error.offset}
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
            return Explanation(found, [], found.error)
        if isinstance(found.frame, str) and (known := plain.fields(found.frame)):
            return Explanation(found, known)
        fields: list[Field] = []
        try:
            self._explain(found, fields)
        except DecodeError as error:
            known = [each for each in fields if each["at"] + len(each["text"]) <= error.offset]
            return Explanation(found, known, error)
        return Explanation(found, fields)

    def _explain(self, found: Found, fields: list[Field]) -> None:
        """Add the fields of a frame, up to an error. Raises: DecodeError."""
        if found.frame == REDACTED:
            fields.append(
                Field(at=0, text=REDACTED, name="packet", meaning="left out when this was recorded")
            )
            return
        is_old = self._is_old(found)
        packet = engineio.decode(engineio3.to_4(found.frame) if is_old else found.frame)
        if isinstance(packet.data, bytes):
            fields += self._binary(found, packet.data, is_old)
            return
        frame = str(found.frame)
        fields.append(Field(at=0, text=frame[0], name="engine.io type", meaning=_ENGINE_TYPES[packet.type]))
        if packet.type is _MESSAGE:
            self._message(found, frame, fields)
        elif packet.type is engineio.PacketType.OPEN:
            _handshake(frame, fields)
            self._opened = engineio.parse_handshake(str(packet.data)).sid
            self._sessions.setdefault(self._opened, False)
        elif packet.data:
            fields.append(Field(at=1, text=packet.data, name="data", meaning=_DATA.get(frame, "text")))

    def _is_old(self, found: Found) -> bool:
        """Return whether a frame is of Engine.IO 3, as all are after a server's CONNECT without a sid."""
        session = found.sid if found.sid in self._sessions else self._opened
        if found.direction is _IN and _OLD_CONNECT.match(str(found.frame)):
            self._sessions[session] = True
        # Base64 has groups of four characters: here the "4" cannot belong to them.
        frame = found.frame
        is_base64_of_3 = isinstance(frame, str) and frame.startswith("b4") and len(frame) % 4 == 2
        return found.is_old or is_base64_of_3 or self._sessions.get(session, False)

    def _message(self, found: Found, frame: str, fields: list[Field]) -> None:
        if frame[1:2] == "{":
            fields += _inner(msgpack.text_fields, frame)
            return
        header = socketio.HEADER.match(frame, 1)
        _header(frame, header, fields)
        start = header.end() if header else len(frame)
        if frame[1:2] == "0" and frame[start:] == REDACTED:
            fields.append(
                Field(at=start, text=REDACTED, name="payload", meaning="left out when this was recorded")
            )
            return
        packet = _inner(_packet, frame)
        if packet.attachments:
            owner = f"event {packet.data[0]}" if packet.type is _BINARY_EVENT else f"ack {packet.id}"
            self._announced[found.sid, found.direction] = _Announced(owner, packet.attachments)
        if start < len(frame):
            _payload(frame, start, packet, fields)

    def _binary(self, found: Found, data: bytes, is_old: bool) -> Iterator[Field]:
        frame, start = found.frame, 0
        if isinstance(frame, str):
            start = 2 if is_old else 1
            yield Field(at=0, text=frame[:start], name="engine.io type", meaning="message, binary in base64")
        elif is_old and len(frame) > len(data):
            start = 1
            yield Field(at=0, text="04", name="engine.io type", meaning="message")
        text = frame[start:] if isinstance(frame, str) else preview(data)
        attachment = self._next_attachment(found)
        if attachment is None and (packet := _msgpack(data)):
            step = 4 / 3 if isinstance(frame, str) else 1
            yield Field(
                at=start, text=text, name="packet", meaning=f"MessagePack: {counted(len(data), 'byte')}"
            )
            for field in msgpack.fields(packet, data):
                yield {**field, "at": start + int(field["at"] * step)}
            return
        meaning = f"{counted(len(data), 'byte')}: {preview(data)}"
        yield Field(
            at=start, text=text, name=attachment or "binary data that no packet announced", meaning=meaning
        )

    def _next_attachment(self, found: Found) -> str | None:
        """Return the name of the next announced attachment, or None if there is not one."""
        announced = self._announced.get((found.sid, found.direction))
        if announced is None or announced.seen == announced.total:
            return None
        announced.seen += 1
        return f"attachment {announced.seen - 1} of {announced.owner}"


# In Python 3.11 looking up an enum member or its name takes 0.2 µs or more.
_MESSAGE, _IN = engineio.PacketType.MESSAGE, Direction.IN
_EVENT, _BINARY_EVENT = socketio.PacketType.EVENT, socketio.PacketType.BINARY_EVENT
_ENGINE_TYPES = {kind: kind.name.lower() for kind in engineio.PacketType}
_TYPES = {str(int(kind)): (kind, kind.name.lower().replace("_", " ")) for kind in socketio.PacketType}
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
            raise DecodeError(error.reason, text, _payload_start(text)) from None
    return packet


def _payload_start(text: str) -> int:
    header = socketio.HEADER.match(text)
    return header.end() if header else len(text)


def _header(frame: str, header: re.Match[str] | None, fields: list[Field]) -> None:
    if frame[1:2] not in _TYPES:
        return
    kind, name = _TYPES[frame[1]]
    fields.append(Field(at=1, text=frame[1], name="socket.io type", meaning=name))
    if header is None:
        return
    count, namespace, id = header.groups()
    if count:
        fields.append(Field(at=2, text=f"{count}-", name="attachments", meaning=f"{count} to follow"))
    if namespace:
        fields.append(_namespace(frame, header))
    if id:
        fields.append(
            Field(at=header.start(3), text=id, name="id", meaning=IDS.get(kind, "without effect here"))
        )


def _namespace(frame: str, header: re.Match[str]) -> Field:
    name, _, query = header[2].partition("?")
    start = header.start(2)
    meaning = f"{name}, with the query {query}" if query else name
    return Field(at=start, text=frame[start : header.start(3)], name="namespace", meaning=meaning)


def _payload(frame: str, start: int, packet: socketio.Packet, fields: list[Field]) -> None:
    meaning = f"JSON: {describe(packet.data, packet.attachments)}"
    fields.append(Field(at=start, text=frame[start:], name="payload", meaning=meaning))
    if isinstance(packet.data, str):
        return
    is_event = packet.type is _EVENT or packet.type is _BINARY_EVENT
    attachments = packet.attachments
    _elements(frame, start, lambda index, part: argument(part, index, is_event, attachments), fields)


def _elements(
    frame: str, start: int, part: Callable[[int, Element], tuple[str, str]], fields: list[Field]
) -> None:
    """Add a field for each element; `part` returns its name and meaning."""
    for index, element in enumerate(strict_json.elements(frame, start)):
        if index == LISTED:
            fields.append(
                Field(
                    at=element.start,
                    text=frame[element.start :],
                    name="rest",
                    meaning=f"all after {LISTED} elements",
                )
            )
            return
        name, meaning = part(index, element)
        fields.append(
            Field(at=element.start, text=frame[element.start : element.end], name=name, meaning=meaning)
        )


_HANDSHAKE: dict[str, Callable[[Json], str]] = {
    "sid": lambda _: "the id of this session",
    "upgrades": lambda names: f"can go on over {', '.join(names) or 'nothing else'}",
    "pingInterval": lambda ms: f"a ping every {ms / 1000:g} s",
    "pingTimeout": lambda ms: f"{ms / 1000:g} s to answer a ping",
    "maxPayload": lambda size: f"at most {size} bytes in one polling body",
}


def _handshake(frame: str, fields: list[Field]) -> None:
    _inner(engineio.parse_handshake, frame)
    fields.append(Field(at=1, text=frame[1:], name="handshake", meaning="what the server says of itself"))
    _elements(frame, 1, _handshake_part, fields)


def _handshake_part(_: int, element: Element) -> tuple[str, str]:
    key = element.key or ""
    return key, _HANDSHAKE.get(key, describe)(element.value)
