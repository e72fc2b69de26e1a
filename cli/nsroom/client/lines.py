"""Parse lines of stdin and of recordings: events to emit, and records.

Most lines are written as compactly as their event is sent: then the line is the frame's text already, and the
line of an event's record has it in two pieces.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat

from nsroom.client.events import Acknowledge, Emit
from nsroom.output.ndjson import packet_text, reread, reread_flat
from nsroom.protocol import strict_json
from nsroom.protocol.limits import LIMITS
from nsroom.record import FIELDS, Json, Kind, Record, from_json, parse_time, unescape

_ESCAPED = b'{"$'
"""How binary data starts, and what looks like it; see `record.unescape`."""
_TEXT = rb"[ !#-\[\]-~]*+"
"""A text in JSON that is written as it is."""
_EVENT_RECORD = re.compile(
    rb'{"time":"([0-9T:-]{19}+\.[0-9]{6}+Z)","seq":[0-9]{1,15}+,"direction":"(in|out)","kind":"event",'
    rb'"namespace":"(/' + _TEXT + rb')",(?:"id":[0-9]{1,15}+,)?+"event":("' + _TEXT + rb'"),"args":\[(.*)\]'
    rb'(?:,"sid":"' + _TEXT + rb'")?+}\r?(?:\n|$)|.*\n|.+'
)
"""An event's record as nsroom writes it: time, direction, namespace, name, arguments.

Of any other line the parts are empty.
"""


Recorded = tuple[int, str, Emit]
"""A recorded event: its time in microseconds since the epoch, its direction, and what to emit."""


def parse_line(line: bytes, namespace: str) -> Emit | Acknowledge | None:
    """Return the item in a line: `["event", arg…]` or a record, which may have its own namespace.

    None for a record of another kind. Raises: ValueError with the reason.
    """
    if line[:1] == b"[":
        if ready := _ready(line, namespace):
            return ready
    elif line[:1] == b"{" and b"\n" not in line and (recorded := parse_recorded(line)[0]):
        return recorded[2]
    try:
        value = strict_json.load(line.decode(), exact=True)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if isinstance(value, list):
        return _emit(namespace, _event(value), unescape(value[1:]))
    record = from_json(_written_by_hand(_with_plain_numbers(value)))
    return _from_record(record._replace(namespace=record.namespace or namespace))


def parse_recorded(lines: bytes) -> list[Recorded | None]:
    """Return the event of each line of a record, or None if it cannot be sent as the line has it."""
    found: list[tuple[bytes, ...]] = _EVENT_RECORD.findall(lines)
    matched = [parts for parts in found if parts[0]]
    if not matched:
        return [None] * len(found)
    times, directions, namespaces, names, args = zip(*matched, strict=True)
    texts = [b"[%b,%b]" % pair if pair[1] else b"[%b]" % pair[0] for pair in zip(names, args, strict=True)]
    emits = _ready_all(texts, list(map(bytes.decode, namespaces)))
    recorded = [
        None if time is None or emit is None else (time, direction, emit)
        for time, direction, emit in zip(map(_time, times), map(bytes.decode, directions), emits, strict=True)
    ]
    if len(matched) == len(found):
        return recorded
    rest = iter(recorded)
    return [next(rest) if parts[0] else None for parts in found]


@lru_cache(maxsize=8)
def _time(text: bytes) -> int | None:
    """Return a record's time in microseconds since the epoch, or None if it does not exist."""
    try:
        return parse_time(text.decode())
    except ValueError:
        return None


def recorded_event(record: Record) -> Recorded | None:
    """Return the event of a record, or None for a record of another kind."""
    if record.kind is not Kind.EVENT or record.event is None:
        return None
    event, args = record.event, record.args or []
    emit = Emit(record.namespace or "/", event, args, packet_text(event, args))
    return record.time, record.direction, emit


def _ready_all(lines: Sequence[bytes], namespaces: Sequence[str]) -> list[Emit | None]:
    """Return `_ready` of each line; each is a list that starts with a text."""
    values = reread_flat(lines, LIMITS)
    whole = b"".join(lines)
    # A single byte first: searching for one is ten times faster than for a word.
    if values is None or (b"$" in whole and _ESCAPED in whole):
        return list(map(_ready, lines, namespaces))
    names = [value.pop(0) for value in values]
    columns = zip(namespaces, names, values, map(bytes.decode, lines), strict=True)
    return list(map(tuple.__new__, repeat(Emit), columns))


def _ready(line: bytes, namespace: str) -> Emit | None:
    """Return the event in a line whose text is already that of its packet, but for blanks; else None."""
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
