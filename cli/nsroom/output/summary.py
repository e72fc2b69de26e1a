"""Format a record as one readable line, for plain output and for the live view.

Untrusted text passes `terminal.safe` once, here; what the public functions return is safe unless noted.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from nsroom.output.room_names import parse_room, room_text
from nsroom.output.terminal import MAX_MARKS, cells, clip, safe
from nsroom.output.times import CELLS, Times, local_time, utc_time
from nsroom.output.units import duration
from nsroom.output.values import format_value, format_values
from nsroom.protocol.refusals import refusal
from nsroom.record import Direction, Json, Kind, Record

EVENT_CELLS = 14
"""The width of the event column; a longer name pushes the rest of its line to the right."""
MAX_EVENT_CELLS = 40
UNBOUNDED = 100_000
"""Cells of a summary without a terminal to set the width."""
_MIN_CELLS = 8
_MAX_ROOMS = 10
"""Rooms shown of an event that goes to many."""

_ARROWS = {Direction.IN: "←", Direction.OUT: "→", Direction.LOCAL: "·"}
_PRESENCE = {
    "join-room": "joined",
    "leave-room": "left",
    "create-room": "created",
    "delete-room": "deleted",
}


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
_PLAIN, _ACK, _CONNECT, _GAP, _LOCAL = Kind.EVENT, Kind.ACK, Kind.CONNECT, Kind.GAP, Times.LOCAL
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
    name = _visible(label(record), MAX_EVENT_CELLS)
    space = _visible(record.namespace or "", columns.namespace)
    sid = _visible(record.sid or "", columns.sid)
    head = _head(look, record.direction, space, sid, name, times, columns)
    pieces = [(_TIME, local_time(record.time) if time is None else time), *head]
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


@lru_cache(maxsize=256)
def _head(
    look: "_Look", direction: Direction, namespace: str, sid: str, name: str, times: str, columns: Columns
) -> tuple[Piece, ...]:
    """Return the pieces between the time and the summary: the same for most events that follow each other."""
    style, gap = look.style, " " * columns.gap
    pieces = [(style or _SIGN, f"{gap}{look.sign or _ARROWS[direction]}{gap}")]
    for width, text in ((columns.namespace, namespace), (columns.sid, sid)):
        if width:
            pieces.append((Style.NAMESPACE, pad(clip(safe(text), width), width) + gap))
    pieces.append((style or _EVENT, pad(clip(safe(name), MAX_EVENT_CELLS) + times, columns.event)))
    return tuple(pieces)


def text_line(record: Record, columns: Columns, time: str) -> str:
    """Return the text of `line` without a width and without blanks at its end, quickly for most events."""
    name = record.event
    if (
        record.kind is not _PLAIN
        or not isinstance(name, str)
        or len(name) > MAX_EVENT_CELLS
        or record.rtt_ms is not None
    ):
        return "".join([text for _, text in line(record, None, columns, time)]).rstrip(" ")
    space = _visible(record.namespace or "", columns.namespace)
    sid = _visible(record.sid or "", columns.sid)
    head = _event_head(record.direction, space, sid, name, columns)
    return f"{time}{head}{_fitting(_event(record, UNBOUNDED), UNBOUNDED)}".rstrip(" ")


@lru_cache(maxsize=256)
def _event_head(direction: Direction, namespace: str, sid: str, name: str, columns: Columns) -> str:
    pieces = _head(_LOOKS[_PLAIN], direction, namespace, sid, name, "", columns)
    return "".join(text for _, text in pieces) + " " * columns.gap


def _visible(text: str, width: int) -> str:
    """Return the part of a text that can be seen in `width` cells: a message may have a megabyte."""
    return text[: width * (MAX_MARKS + 1) + 1] if width else ""


def summary(record: Record, width: int) -> str:
    """Return the content of a record, without its event's name, in at most `width` cells."""
    return _fitting(_look(record).content(record, width), width)


def _fitting(content: str, width: int) -> str:
    if len(content) <= width and content.isascii() and content.isprintable():  # nearly always
        return content
    return clip(safe(_visible(content, width)), width)


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


def _trip(record: Record) -> str:
    if record.rtt_ms is None:
        return ""
    return f"{'✗' if refused(record) else '✓'} {duration(record.rtt_ms)}"


def _event(record: Record, width: int) -> str:
    return _chat(record) or _presence(record) or _rooms(record) + format_values(record.args or [], width)


def _rooms(record: Record) -> str:
    """Return the rooms to which an event goes that no client alone receives: `lobby, ops  `."""
    rooms = record.data.get("rooms") if isinstance(record.data, dict) else None
    if not isinstance(rooms, list):
        return ""
    return ", ".join(room_text(parse_room(room)) for room in rooms[:_MAX_ROOMS]) + "  "


def _answer(record: Record, width: int) -> str:
    return format_values(record.args or [], width)


def _remarks(record: Record, width: int) -> str:
    """Return reason, message and data, or else the sid."""
    return ", ".join(_texts(record, width)) or (record.sid or "")


def _malformed(record: Record, width: int) -> str:
    frames = [format_value(frame, width) for frame in (record.frames or [])[:1]]
    return ", ".join([*_texts(record, width), *frames]) or (record.sid or "")


def _texts(record: Record, width: int) -> list[str]:
    texts = [text for text in (record.reason, record.message) if text]
    if record.data is None or record.data == {"message": record.message}:
        return texts
    return [*texts, format_value(record.data, width)]


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
    if not isinstance(text, str) or not (room is None or isinstance(room, str)):
        return ""
    who = _who(message, "nick", "from")
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
    who = _who(change, "nick", "sid") or ""
    members = change.get("members")
    count = len(members) if isinstance(members, list) else members
    return f"{room}  {who} {verb}".replace("   ", "  ") + (f"  ({count})" if isinstance(count, int) else "")


def _who(message: dict[str, Json], key: str, other: str) -> str | None:
    for name in (message.get(key), message.get(other)):
        if isinstance(name, str):
            return name
    return None


def _first(record: Record) -> dict[str, Json]:
    first = record.args[0] if record.args else None
    return first if isinstance(first, dict) else {}


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
