"""Parse lines of stdin and of recordings: events to emit, and records.

Most lines are written as compactly as their event is sent: then the line is the frame's text already, and the
line of an event's record has it in two pieces.
"""

import re
from typing import NamedTuple

from nsroom.client.events import Acknowledge, Emit
from nsroom.output.ndjson import packet_text, reread
from nsroom.protocol import strict_json
from nsroom.protocol.limits import LIMITS
from nsroom.record import FIELDS, Json, Kind, Record, from_json, parse_time, unescape

_ESCAPED = b'{"$'
"""How binary data starts, and what looks like it; see `record.unescape`."""
_TEXT = rb"[ !#-\[\]-~]*+"
"""A text in JSON that is written as it is."""
_EVENT_RECORD = re.compile(
    rb'{"time":"([0-9T:-]{19})\.([0-9]{6})Z","seq":[0-9]{1,15},"direction":"(in|out)","kind":"event",'
    rb'"namespace":"(/' + _TEXT + rb')",(?:"id":[0-9]{1,15},)?"event":("' + _TEXT + rb'"),"args":\[(.*)\]'
    rb'(?:,"sid":"' + _TEXT + rb'")?}'
)
"""An event's record as nsroom writes it: second, microseconds, direction, namespace, name, arguments."""


class Recorded(NamedTuple):
    """A recorded event."""

    time: int
    """Microseconds since the epoch."""
    direction: str
    emit: Emit


def parse_line(line: bytes, namespace: str) -> Emit | Acknowledge | None:
    """Return the item in a line: `["event", arg…]` or a record, which may have its own namespace.

    None for a record of another kind. Raises: ValueError with the reason.
    """
    if line[:1] == b"[":
        ready = _ready(line, namespace)
    else:
        recorded = parse_recorded(line)
        ready = recorded and recorded.emit
    if ready is not None:
        return ready
    try:
        value = strict_json.load(line.decode(), exact=True)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if isinstance(value, list):
        return _emit(namespace, _event(value), unescape(value[1:]))
    record = from_json(_written_by_hand(_with_plain_numbers(value)))
    return _from_record(record._replace(namespace=record.namespace or namespace))


def parse_recorded(line: bytes) -> Recorded | None:
    """Return the event in the line of a record, if it can be sent as the line has it; else None."""
    found = _EVENT_RECORD.fullmatch(line)
    if found is None:
        return None
    second, micros, direction, namespace, event, args = found.groups()
    emit = _ready(b"[%b,%b]" % (event, args) if args else b"[%b]" % event, namespace.decode())
    try:
        time = parse_time(second.decode() + "Z") + int(micros)  # many records are of the same second
    except ValueError:
        return None
    return emit and Recorded(time, direction.decode(), emit)


def recorded_event(record: Record) -> Recorded | None:
    """Return the event of a record, or None for a record of another kind."""
    if record.kind is not Kind.EVENT or record.event is None:
        return None
    event, args = record.event, record.args or []
    emit = Emit(record.namespace or "/", event, args, packet_text(event, args))
    return Recorded(record.time, record.direction, emit)


def _ready(line: bytes, namespace: str) -> Emit | None:
    """Return the event of a line whose text is already that of its packet, but for blanks; else None."""
    if not (found := reread(line, LIMITS)):
        return None
    value, text = found
    if _ESCAPED in text or not value:
        return None
    event = value.pop(0)
    return Emit(namespace, event, value, text.decode()) if type(event) is str else None


def _with_plain_numbers(value: Json) -> Json:
    """Return a record with its numbers as Python has them, except in the event's arguments."""
    if not isinstance(value, dict):
        return value
    return {key: each.value if isinstance(each, strict_json.Number) else each for key, each in value.items()}


def _event(line: list[Json]) -> Json:
    event = line[0] if line else None
    return event.value if isinstance(event, strict_json.Number) else event


def _written_by_hand(value: Json) -> Json:
    """Return an object without a `kind` as a record: many tools write the arguments of an event as `data`.

    Raises: ValueError for a key that would be lost.
    """
    if not isinstance(value, dict) or "kind" in value:
        return value
    if unknown := [key for key in value if key not in FIELDS]:
        raise ValueError(f'unknown key {unknown[0]!r:.60}: write the arguments as "args": […]')
    if "data" in value and "args" not in value:
        data = value["data"]
        return {**value, "args": data if isinstance(data, list) else [data]}
    return value


def _from_record(record: Record) -> Emit | Acknowledge | None:
    namespace = str(record.namespace)
    if record.kind is Kind.EVENT:
        return _emit(namespace, record.event, record.args or [])
    if record.kind is Kind.ACK and record.direction == "out":
        if record.id is None:
            raise ValueError("an acknowledgement needs the id of its event")
        return Acknowledge(namespace, record.id, record.args or [])
    return None


def _emit(namespace: str, event: Json, args: list[Json]) -> Emit:
    if not isinstance(event, (str, int, float)) or isinstance(event, bool):
        raise ValueError('an event needs a name: ["name", …]')
    return Emit(namespace, event, args)
