"""Format a record as one readable line, for plain output and for the live view.

Untrusted text passes `terminal.safe` once, here; what the public functions return is safe unless noted.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring
from typing import NamedTuple

from nsroom.output.file_types import binary_type
from nsroom.output.room_names import parse_room, room_text
from nsroom.output.terminal import MAX_MARKS, cells, clip, safe
from nsroom.output.times import CELLS, Times, local_time, utc_time
from nsroom.protocol.refusals import refusal
from nsroom.record import Direction, Json, Kind, Record

EVENT_CELLS = 14
"""The width of the event column; a longer name pushes the rest of its line to the right."""
MAX_EVENT_CELLS = 40
UNBOUNDED = 100_000
"""Cells of a summary without a terminal to set the width."""
_ROOMY = 10_000
"""Cells in which most events fit as a whole."""
_MIN_CELLS = 8
_BRIEF = 12
"""Cells of a text inside a list or an object while other values need the room."""
_MAX_ROOMS = 10
"""Rooms shown of an event that goes to many."""
_MAX_NESTING = 50
"""Levels of nested values shown; Python limits the recursion."""

_MAX_WORD = 41
_WORD = re.compile(rf"[A-Za-z_$][\w$-]{{0,{_MAX_WORD - 1}}}")
_ARROWS = {Direction.IN: "←", Direction.OUT: "→", Direction.LOCAL: "·"}
_PRESENCE = {
    "join-room": "joined",
    "leave-room": "left",
    "create-room": "created",
    "delete-room": "deleted",
}
_SIZES = (("kB", 10**3), ("MB", 10**6), ("GB", 10**9))


class Style(StrEnum):
    """The role of a piece of a line, from which its colour is chosen."""

    TEXT = "text"
    TIME = "time"
    SIGN = "sign"
    NAMESPACE = "namespace"
    EVENT = "event"
    QUIET = "quiet"
    GOOD = "good"
    WAITS = "waits"
    FAILED = "failed"


# Names for the hot path: in Python 3.11 looking up an enum member takes 0.2 µs.
_TIME, _SIGN, _EVENT, _TEXT, _QUIET = Style.TIME, Style.SIGN, Style.EVENT, Style.TEXT, Style.QUIET
_ACK, _CONNECT, _GAP, _LOCAL = Kind.ACK, Kind.CONNECT, Kind.GAP, Times.LOCAL
Piece = tuple[Style, str]


class Columns(NamedTuple):
    """The columns of a line; a width of 0 leaves a column out."""

    namespace: int = 0
    sid: int = 0
    event: int = EVENT_CELLS
    gap: int = 2
    """Cells between two columns."""


_WIDE = Columns()


def line(
    record: Record,
    width: int | None = None,
    columns: Columns = _WIDE,
    time: str | None = None,
    repeats: int = 1,
) -> list[Piece]:
    """Return a record as one line of `width` cells: time, sign, namespace, sid, event, summary, round trip.

    `time` is shown instead of the local time; `repeats` is the number of events in one line.
    """
    look, gap = _look(record), " " * columns.gap
    style = look.style
    times = f" ×{repeats:,}" if repeats > 1 else ""
    name = _name(label(record)[: MAX_EVENT_CELLS * (MAX_MARKS + 1) + 1]) + times
    time = local_time(record.time) if time is None else time
    pieces = [(_TIME, time), (style or _SIGN, f"{gap}{look.sign or _ARROWS[record.direction]}{gap}")]
    if columns.namespace:
        pieces.append((Style.NAMESPACE, pad(namespace(record, columns.namespace), columns.namespace) + gap))
    if columns.sid:
        pieces.append((Style.NAMESPACE, pad(clip(safe(record.sid or ""), columns.sid), columns.sid) + gap))
    pieces.append((style or _EVENT, pad(name, columns.event)))
    trip = _trip(record)
    room = UNBOUNDED
    if width:
        used = sum(cells(text) for _, text in pieces) + columns.gap + (cells(trip) + 2 if trip else 0)
        room = max(_MIN_CELLS, width - used)
    content = summary(record._replace(sid=None) if columns.sid else record, room)
    if content or trip:
        body = pad(content, room) if trip and width else content
        pieces.append((_QUIET if style is _QUIET else _TEXT, f"{gap}{body}"))
    if trip:
        pieces.append((Style.FAILED if refused(record) else Style.GOOD, f"  {trip}"))
    return pieces


def summary(record: Record, width: int) -> str:
    """Return the content of a record, without its event's name, in at most `width` cells."""
    # Cut first: a message may have a megabyte, and more characters than this cannot be seen.
    content = _look(record).content(record, width)
    return clip(safe(content[: width * (MAX_MARKS + 1) + 1]), width)


@lru_cache(maxsize=128)
def _name(text: str) -> str:
    return clip(safe(text), MAX_EVENT_CELLS)


def label(record: Record) -> str:
    """Return the text of the event column, not yet safe."""
    if record.event is not None:
        return f"ack {record.event}" if record.kind is _ACK else str(record.event)
    return _look(record).label


def sign(record: Record) -> str:
    """Return the sign of the column between time and event."""
    return _look(record).sign or _ARROWS[record.direction]


def namespace(record: Record, width: int) -> str:
    """Return the namespace in at most `width` cells."""
    return clip(safe(record.namespace or ""), width)


def refused(record: Record) -> bool:
    """Return whether this is an acknowledgement with an error."""
    return record.kind is _ACK and refusal(record.args) is not None


def time_column(how: Times, record: Record, first: Record, previous: Record) -> str:
    """Return the text of the column of times: empty for `none`, else as wide as a time of day."""
    if how is _LOCAL:  # nearly always
        return local_time(record.time)
    if how is Times.NONE:
        return ""
    if how is Times.UTC:
        return utc_time(record.time)
    since = first if how is Times.RELATIVE else previous
    return f"{'+' + duration(max(record.time - since.time, 0) / 1000):>{CELLS}}"


def pad(text: str, width: int) -> str:
    """Pad safe text with blanks to `width` cells."""
    return text + " " * (width - cells(text))


def size(count: int) -> str:
    """Return a number of bytes as text: `950 B`, `14.2 kB`, `1.0 MB`."""
    if count < 1000:
        return f"{count} B"
    unit, scale = next(((unit, scale) for unit, scale in _SIZES if count < 999.95 * scale), ("TB", 10**12))
    return f"{count / scale:.1f} {unit}"


def duration(milliseconds: float) -> str:
    """Return a time as text: `2.4 ms`, `148 ms`, `1.6 s`."""
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:.1f} s"


def _trip(record: Record) -> str:
    if record.rtt_ms is None:
        return ""
    return f"{'✗' if refused(record) else '✓'} {duration(record.rtt_ms)}"


def _event(record: Record, width: int) -> str:
    return _chat(record) or _presence(record) or _rooms(record) + _values(record.args or [], width)


def _rooms(record: Record) -> str:
    """Return the rooms to which an event goes that no client alone receives: `lobby, ops  `."""
    rooms = record.data.get("rooms") if isinstance(record.data, dict) else None
    if not isinstance(rooms, list):
        return ""
    return ", ".join(room_text(parse_room(room)) for room in rooms[:_MAX_ROOMS]) + "  "


def _answer(record: Record, width: int) -> str:
    return _values(record.args or [], width)


def _remarks(record: Record, width: int) -> str:
    """Return reason, message and data, or else the sid."""
    return ", ".join(_texts(record, width)) or (record.sid or "")


def _malformed(record: Record, width: int) -> str:
    frames = [_value(frame, width) for frame in (record.frames or [])[:1]]
    return ", ".join([*_texts(record, width), *frames]) or (record.sid or "")


def _texts(record: Record, width: int) -> list[str]:
    texts = [text for text in (record.reason, record.message) if text]
    if record.data is None or record.data == {"message": record.message}:
        return texts
    return [*texts, _value(record.data, width)]


def _retry(record: Record, width: int) -> str:
    """Return when the client connects again, as `in 1.0 s (try 2): cause`."""
    if not isinstance(record.data, dict):
        return _remarks(record, width)
    delay, attempt = record.data.get("delay_ms"), record.data.get("attempt")
    when = f"in {duration(delay)}" if isinstance(delay, (int, float)) else "soon"
    return f"{when} (try {attempt})" + (f": {record.message}" if record.message else "")


def _gap(record: Record, width: int) -> str:
    # The data repeats in parts what the message says.
    return (record.message or "") if isinstance(record.data, dict) else _remarks(record, width)


def _chat(record: Record) -> str:
    """Return `room  nick: text` if the event looks like a chat message."""
    message = _first(record)
    text = message.get("text")
    if text is None:  # nearly always
        return ""
    room = message.get("room")
    if not isinstance(text, str) or not isinstance(room, str | None):
        return ""
    who = next((name for key in ("nick", "from") if isinstance(name := message.get(key), str)), None)
    if who is None and room is None:
        return ""
    return (f"{room}  " if room else "") + (f"{who}: " if who else "") + text


def _presence(record: Record) -> str:
    """Return `room  nick joined  (3)` for a presence event of the server."""
    verb = _PRESENCE.get(record.event) if isinstance(record.event, str) else None
    if verb is None:
        return ""
    change = _first(record)
    room = change.get("room")
    if not isinstance(room, str):
        return ""
    who = next((name for key in ("nick", "sid") if isinstance(name := change.get(key), str)), "")
    members = change.get("members")
    count = len(members) if isinstance(members, list) else members
    return f"{room}  {who} {verb}".replace("   ", "  ") + (f"  ({count})" if isinstance(count, int) else "")


def _first(record: Record) -> dict[str, Json]:
    first = record.args[0] if record.args else None
    return first if isinstance(first, dict) else {}


def _value(value: Json, room: int, level: int = 0) -> str:
    """Return a value in `room` cells if possible; a list or an object shows at least its first entry."""
    if (not value and isinstance(value, (list, dict))) or level > _MAX_NESTING:
        return _brief(value)
    if isinstance(value, str):
        return _text(value, room)
    if isinstance(value, list):
        inner = _values(value, room - 2, level)
        return _brief(value) if inner.startswith("{…}") else f"[{inner}]"
    if isinstance(value, dict):
        return f"{{{_joined(_named(value), len(value), room - 2, level)}}}"
    return _brief(value)


def _brief(value: Json) -> str:
    """Return a value without what is in it: `{…}`, and `[2]` for a list of two."""
    # For numbers json.dumps returns the same, in 2 µs more.
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    if isinstance(value, str):
        return _text(value, _BRIEF)
    if isinstance(value, bytes):
        kind = binary_type(value)
        return f"‹binary {size(len(value))}{', ' if kind else ''}{kind}›"
    if isinstance(value, list):
        return f"[{len(value) or ''}]"
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    return json.dumps(value)


def _text(value: str, room: int) -> str:
    most = max(room - 2, 2)
    return encode_basestring(value if len(value) <= most else f"{value[: most - 1]}…")


def _values(values: list[Json], room: int, level: int = 0) -> str:
    if level == 0 and room >= _ROOMY and (whole := _whole_items(values, room)) is not None:
        return whole
    return _joined((("", value) for value in values), len(values), room, level)


def _whole_items(values: list[Json], room: int, level: int = 0) -> str | None:
    """Return what `_joined` returns if everything fits, or None if it may not; it is far quicker."""
    texts: list[str] = []
    for value in values:
        text = _whole(value, room, level)
        if text is None or (room := room - len(text) - 2) < 0:
            return None
        texts.append(text)
    return ", ".join(texts)


def _whole_members(values: dict[str, Json], room: int, level: int) -> str | None:
    texts: list[str] = []
    for key, value in values.items():
        text = _whole(value, room, level)
        if text is None:
            return None
        texts.append(f"{_key(key)}: {text}")
        if (room := room - len(texts[-1]) - 2) < 0:
            return None
    return ", ".join(texts)


def _whole(value: Json, room: int, level: int) -> str | None:
    kind = type(value)
    if kind is str:
        return encode_basestring(value) if value.isascii() and len(value) < room else None
    if (kind is not list and kind is not dict) or not value or level >= _MAX_NESTING:
        return _brief(value)
    if kind is dict:
        inner = _whole_members(value, room, level + 1)
        return None if inner is None else f"{{{inner}}}"
    inner = _whole_items(value, room, level + 1)
    if inner is None or inner.startswith("{…}"):
        return inner and _brief(value)
    return f"[{inner}]"


def _named(values: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    return ((f"{_key(key)}: ", value) for key, value in values.items())


def _key(key: str) -> str:
    is_word = (len(key) <= _MAX_WORD and key.isascii() and key.isidentifier()) or _WORD.fullmatch(key)
    return key if is_word else _text(key, 40)


def _joined(entries: Iterable[tuple[str, Json]], count: int, room: int, level: int) -> str:
    """Join the entries that fit into `room` cells, at least one, and count the rest: `…+4`.

    As many entries as possible are shown, in brief; the room left over goes to the first ones.
    """
    fitting: list[tuple[str, Json, str]] = []
    for prefix, value in entries:
        brief = _brief(value)
        taken = cells(prefix) + cells(brief) + (2 if fitting else 0)
        if fitting and room - taken < len(_rest(count - len(fitting) - 1)):
            break
        room -= taken
        fitting.append((prefix, value, brief))
    rest = _rest(count - len(fitting))
    must_expand = level == 0 and len(fitting) == 1
    return ", ".join(_expanded(fitting, room - len(rest), level, must_expand)) + rest


def _expanded(
    fitting: list[tuple[str, Json, str]], spare: int, level: int, must_expand: bool
) -> Iterator[str]:
    """Yield the entries, with as much of each value as fits into the cells that are left."""
    for prefix, value, brief in fitting:
        shown = brief
        if isinstance(value, (str, list, dict)) and ("…" in brief or brief[0] == "[" or spare < 0):
            room = cells(brief) + spare
            longer = _value(value, room, level + 1)
            if must_expand or cells(longer) <= room:
                spare -= cells(longer) - cells(brief)
                shown = longer
        yield prefix + shown


def _rest(count: int) -> str:
    return f", …+{count}" if count else ""


class _Look(NamedTuple):
    """How a kind of record is shown."""

    sign: str
    """Empty for the arrow of its direction."""
    label: str
    style: Style | None
    """Of the sign and the label; None for their usual ones."""
    content: Callable[[Record, int], str] = _remarks


_CONNECTING = _Look("→", "connecting", None)
_MISSING = _Look("≠", "missing", Style.FAILED, _gap)
_LOOKS = {
    Kind.EVENT: _Look("", "event", None, _event),
    Kind.ACK: _Look("", "ack", None, _answer),
    Kind.CONNECT: _Look("●", "connected", Style.GOOD),
    Kind.CONNECT_ERROR: _Look("✗", "refused", Style.FAILED),
    Kind.DISCONNECT: _Look("✗", "disconnected", Style.FAILED),
    Kind.OPEN: _Look("●", "opened", Style.GOOD),
    Kind.UPGRADE: _Look("●", "upgraded", Style.GOOD),
    Kind.PING: _Look("", "ping", Style.QUIET),
    Kind.PONG: _Look("", "pong", Style.QUIET),
    Kind.CLOSE: _Look("✗", "closed", Style.FAILED),
    Kind.RECONNECT: _Look("◌", "trying again", Style.WAITS, _retry),
    Kind.GAP: _Look("●", "reconnected", Style.GOOD, _gap),
    Kind.PROTOCOL_ERROR: _Look("≠", "malformed", Style.FAILED, _malformed),
}


def _look(record: Record) -> _Look:
    if record.kind is _CONNECT and record.direction is Direction.OUT:
        return _CONNECTING
    if record.kind is _GAP and isinstance(record.data, dict) and "bytes" in record.data:
        return _MISSING  # of a connection that was observed, not ours
    return _LOOKS[record.kind]
