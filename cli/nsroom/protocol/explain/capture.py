"""Find the Engine.IO frames in a capture: lines, polling bodies, a recording or a HAR file."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from nsroom.errors import DataError, DecodeError
from nsroom.protocol import engineio, engineio3, socketio, strict_json
from nsroom.protocol.explain import pasted
from nsroom.protocol.explain.explainer import Explainer, Found
from nsroom.protocol.limits import LIMITS
from nsroom.record import Direction, Json, Kind, Record, from_json

# A record, and each $binary in it, adds a few levels to the payload of a frame.
_RECORD_LIMITS = LIMITS._replace(depth=LIMITS.depth + 4, values=2 * LIMITS.values)


Take = Callable[[str, int], bool]
"""Offered each line of frames first, with its number: if it returns true, nothing is yielded of that line."""


_Line = tuple[int, str, DecodeError | None]
"""The number of a line, its text, and why that is not one."""


def find_frames(lines: Iterable[bytes], take: Take | None = None) -> Iterator[Found]:
    """Yield the frames while lines arrive; the first line decides which kind of capture it is.

    Raises: DataError if it is not one of these kinds.
    """
    texts = _texts(lines)
    first = next(texts, None)
    if first is None:
        return
    _, text, error = first
    is_json = text.lstrip().startswith("{")
    if error or ("\0" in text and not is_json):
        raise DataError("binary data: expected frames, a recording, a HAR file or a network capture")
    if not is_json:
        yield from _each(split, chain([first], texts), take)
    elif _is_record(text):
        yield from _each(_recorded, chain([first], texts))
    else:
        from nsroom.protocol.explain import har

        yield from har.parse("\n".join(text for _, text, _ in chain([first], texts)))


def split(text: str, line: int | None = None) -> list[Found]:
    """Return the frames of one line: a frame, a polling body of either Engine.IO, or a text around one."""
    if pasted.looks_complete(text):
        return _split(text, line)
    found = _split(text, line)
    if not pasted.is_odd_control(text) and _are_valid(found):
        return found
    for candidate, hint in pasted.candidates(text):
        if _are_valid(inner := _split(candidate, line)):
            return [each._replace(hint=hint) for each in inner]
    if pasted.is_odd_control(text) and not engineio3.is_payload(text):
        return [
            Found(text, line, error=DecodeError("not a frame: a control packet has no such data", text, 1))
        ]
    return found


def _are_valid(found: list[Found]) -> bool:
    explain = Explainer().explain
    return not any(explain(each).error for each in found)


def _split(text: str, line: int | None) -> list[Found]:
    if not engineio3.is_payload(text):
        return [Found(frame, line) for frame in engineio.split_payload(text)]
    try:
        return [Found(frame, line, is_old=True) for frame in engineio3.split_text(text)]
    except DecodeError as error:
        return [Found(text, line, error=error)]


def _texts(lines: Iterable[bytes]) -> Iterator[_Line]:
    """Yield the lines that are not blank, without their line endings."""
    for number, line in enumerate(lines, 1):
        if len(line) > LIMITS.frame:
            raise DataError(f"line {number}: longer than {LIMITS.frame} bytes")
        content = line.rstrip(b"\r\n")
        try:
            text, error = content.decode(), None
        except UnicodeDecodeError as wrong:
            text = content.decode(errors="surrogateescape")
            at = len(content[: wrong.start].decode())
            error = DecodeError("not UTF-8", text, at)
        if text.strip():
            yield number, text, error


def _is_record(text: str) -> bool:
    try:
        return "log" not in json.loads(text)
    except (ValueError, RecursionError):
        return False


def _each(
    read: Callable[[str, int], Iterable[Found]], lines: Iterable[_Line], take: Take | None = None
) -> Iterator[Found]:
    for number, text, error in lines:
        if error:
            yield Found(text, number, error=error)
        elif not (take and take(text, number)):
            yield from read(text, number)


def _recorded(text: str, line: int) -> list[Found]:
    """Return the frames of one line of a recording, encoded again if it was recorded without them."""
    try:
        record = from_json(strict_json.load(text, 0, _RECORD_LIMITS))
        frames = _encoded(record) if record.frames is None else record.frames
    except DecodeError as error:
        wrong = DecodeError(f"not a complete record: {error.reason}", text, error.offset)
        return [Found(text, line, error=wrong)]
    except ValueError as error:
        return [Found(text, line, error=DecodeError(f"not a record: {error}", text))]
    time = record.time or None
    return [Found(frame, line, record.direction, record.sid, time) for frame in frames]


def _encoded(record: Record) -> list[str | bytes]:
    """Return the frames of a record; local records were never on the wire."""
    if record.direction is Direction.LOCAL:
        return []
    if record.kind in _CONTROL:
        return [engineio.encode(engineio.Packet(_CONTROL[record.kind], record.data or ""))]
    if record.kind is Kind.OPEN:
        data = strict_json.dump(_with_sid(record))
        return [engineio.encode(engineio.Packet(engineio.PacketType.OPEN, data))]
    if record.kind not in _PACKETS:
        return []
    packet = socketio.Packet(_PACKETS[record.kind], record.namespace or "/", record.id, _payload(record))
    text, *attachments = socketio.encode(packet)
    return [f"4{text!s}", *attachments]


def _payload(record: Record) -> Json:
    match record.kind:
        case Kind.EVENT:
            return [record.event, *(record.args or [])]
        case Kind.ACK:
            return record.args or []
        case Kind.CONNECT if record.direction is Direction.IN and record.sid is not None:
            return _with_sid(record)
        case _:
            return record.data


def _with_sid(record: Record) -> dict[str, Json]:
    return {"sid": record.sid, **(record.data if isinstance(record.data, dict) else {})}


_CONTROL = {
    Kind.PING: engineio.PacketType.PING,
    Kind.PONG: engineio.PacketType.PONG,
    Kind.UPGRADE: engineio.PacketType.UPGRADE,
    Kind.CLOSE: engineio.PacketType.CLOSE,
}
_PACKETS = {
    Kind.EVENT: socketio.PacketType.EVENT,
    Kind.ACK: socketio.PacketType.ACK,
    Kind.CONNECT: socketio.PacketType.CONNECT,
    Kind.CONNECT_ERROR: socketio.PacketType.CONNECT_ERROR,
    Kind.DISCONNECT: socketio.PacketType.DISCONNECT,
}
