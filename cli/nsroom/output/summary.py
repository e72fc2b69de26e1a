"""What a record says on one line of a terminal: plain lines and the full-screen view read the same.

All text here is safe: what came from outside has passed `terminal.safe` once.
"""

import json
import re
from collections.abc import Iterable, Sized
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from nsroom.output.terminal import MAX_MARKS, cells, clip, safe
from nsroom.record import Direction, Json, Kind, Record

EVENT_CELLS = 14
"""The width of the event column; a longer name pushes the rest of its line to the right."""
MAX_EVENT_CELLS = 40
UNBOUNDED = 100_000
"""Cells of a summary where no terminal sets the width."""
_MIN_CELLS = 20
_MORE_CELLS = 6

_WORD = re.compile(r"[A-Za-z_$][\w$-]{0,40}")
_SIGNS = {
    Kind.CONNECT: "●",
    Kind.RECONNECT: "◌",
    Kind.OPEN: "●",
    Kind.UPGRADE: "●",
    Kind.GAP: "●",
    Kind.CONNECT_ERROR: "✗",
    Kind.DISCONNECT: "✗",
    Kind.CLOSE: "✗",
    Kind.PROTOCOL_ERROR: "≠",
}
_ARROWS = {Direction.IN: "←", Direction.OUT: "→", Direction.LOCAL: "·"}
_LABELS = {
    Kind.ACK: "ack",
    Kind.CONNECT: "connected",
    Kind.CONNECT_ERROR: "refused",
    Kind.DISCONNECT: "disconnected",
    Kind.OPEN: "opened",
    Kind.UPGRADE: "upgraded",
    Kind.CLOSE: "closed",
    Kind.RECONNECT: "trying again",
    Kind.GAP: "reconnected",
    Kind.PROTOCOL_ERROR: "malformed",
}
_PRESENCE = {
    "join-room": "joined",
    "leave-room": "left",
    "create-room": "created",
    "delete-room": "deleted",
}
_SIZES = (("kB", 10**3), ("MB", 10**6), ("GB", 10**9))
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"OggS", "Ogg"),
    (b"ID3", "MP3"),
    (b"\x1a\x45\xdf\xa3", "WebM"),
    (b"\0asm", "WebAssembly"),
)
_RIFF = {b"WEBP": "WebP", b"WAVE": "WAV", b"AVI ": "AVI"}


class Style(StrEnum):
    """The role of a piece of a line, for whoever colours it."""

    TEXT = "text"
    TIME = "time"
    SIGN = "sign"
    NAMESPACE = "namespace"
    EVENT = "event"
    QUIET = "quiet"
    GOOD = "good"
    WAITS = "waits"
    FAILED = "failed"


Piece = tuple[Style, str]


def line(
    record: Record, width: int | None = None, namespace_cells: int = 0, sid_cells: int = 0
) -> list[Piece]:
    """Lay a record out on one line of `width` cells: time, sign, namespace, sid, event, summary, round trip.

    Namespace and sid are columns of their width, if that is not 0.
    """
    style = _style(record)
    name = clip(safe(label(record)[: MAX_EVENT_CELLS * (MAX_MARKS + 1) + 1]), MAX_EVENT_CELLS)
    pieces = [(Style.TIME, _clock(record.time)), (style or Style.SIGN, f"  {sign(record)}  ")]
    if namespace_cells:
        pieces.append((Style.NAMESPACE, pad(namespace(record, namespace_cells), namespace_cells) + "  "))
    if sid_cells:
        pieces.append((Style.NAMESPACE, pad(clip(safe(record.sid or ""), sid_cells), sid_cells) + "  "))
    pieces.append((style or Style.EVENT, pad(name, EVENT_CELLS)))
    trip = _trip(record)
    used = sum(cells(text) for _, text in pieces) + 2 + (cells(trip) + 2 if trip else 0)
    room = max(_MIN_CELLS, width - used) if width else UNBOUNDED
    content = summary(record._replace(sid=None) if sid_cells else record, room)
    if content or trip:
        body = pad(content, room) if trip and width else content
        pieces.append((Style.QUIET if style is Style.QUIET else Style.TEXT, f"  {body}"))
    if trip:
        pieces.append((Style.FAILED if refused(record) else Style.GOOD, f"  {trip}"))
    return pieces


def summary(record: Record, width: int) -> str:
    """Say in at most `width` cells what a record carries, its event's name aside."""
    # No more of it than this can be seen, and a message may have a megabyte.
    return clip(safe(_content(record, width)[: width * (MAX_MARKS + 1) + 1]), width)


def label(record: Record) -> str:
    """Name a record in the event column; not safe yet."""
    if record.event is not None:
        return f"ack {record.event}" if record.kind is Kind.ACK else str(record.event)
    if record.kind is Kind.CONNECT and record.direction is Direction.OUT:
        return "connecting"
    return _LABELS.get(record.kind, record.kind.value)


def sign(record: Record) -> str:
    """Give the sign of the column between time and event."""
    if record.kind is Kind.CONNECT and record.direction is Direction.OUT:
        return "→"
    return _SIGNS.get(record.kind) or _ARROWS[record.direction]


def namespace(record: Record, width: int) -> str:
    """Give the namespace in at most `width` cells."""
    return clip(safe(record.namespace or ""), width)


def refused(record: Record) -> bool:
    """Say whether this is an acknowledgement by which the other side refuses."""
    first = record.args[0] if record.kind is Kind.ACK and record.args else None
    return isinstance(first, dict) and "error" in first


def pad(text: str, width: int) -> str:
    """Fill safe text with blanks up to `width` cells."""
    return text + " " * (width - cells(text))


def size(count: int) -> str:
    """Write a number of bytes with three digits at most, or four below a kilobyte."""
    if count < 1000:
        return f"{count} B"
    unit, scale = next(((unit, scale) for unit, scale in _SIZES if count < 999.95 * scale), ("TB", 10**12))
    return f"{count / scale:.1f} {unit}"


def duration(milliseconds: float) -> str:
    """Write a time as a person reads it: `2.4 ms`, `148 ms`, `12.3 s`."""
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 9999.5 else f"{milliseconds / 1000:.1f} s"


def binary_type(data: bytes) -> str:
    """Name the file type that the first bytes show, or nothing."""
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], "")
    if data[4:8] == b"ftyp":
        return "MP4"
    return next((name for signature, name in _SIGNATURES if data.startswith(signature)), "")


def _style(record: Record) -> Style | None:
    if record.kind in (Kind.CONNECT_ERROR, Kind.DISCONNECT, Kind.CLOSE, Kind.PROTOCOL_ERROR):
        return Style.FAILED
    if record.kind in (Kind.PING, Kind.PONG):
        return Style.QUIET
    if record.kind is Kind.RECONNECT:
        return Style.WAITS
    return Style.GOOD if sign(record) == "●" else None


def _trip(record: Record) -> str:
    if record.rtt_ms is None:
        return ""
    return f"{'✗' if refused(record) else '✓'} {duration(record.rtt_ms)}"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):  # a recording may say what no local clock can
        return "--:--:--"


def _clock(time: int) -> str:
    seconds, micros = divmod(time, 1_000_000)
    return f"{_second(seconds)}.{micros // 1000:03d}"


def _content(record: Record, width: int) -> str:
    if record.kind is Kind.EVENT:
        return _chat(record) or _presence(record) or _values(record.args or [], width)
    if record.args is not None:
        return _values(record.args, width)
    if record.kind in (Kind.RECONNECT, Kind.GAP) and isinstance(record.data, dict):
        return _return(record, record.data)
    told = [text for text in (record.reason, record.message) if text]
    if record.data is not None and record.data != {"message": record.message}:
        told.append(_value(record.data, width))
    if record.frames and record.kind is Kind.PROTOCOL_ERROR:
        told.append(_value(record.frames[0], width))
    return ", ".join(told) or (record.sid or "")


def _return(record: Record, data: dict[str, Json]) -> str:
    """Say when a connection is tried again, or how it came back."""
    if record.kind is Kind.GAP:
        return record.message or ""
    delay, attempt = data.get("delay_ms"), data.get("attempt")
    when = f"in {duration(delay)}" if isinstance(delay, (int, float)) else "soon"
    return f"{when} (try {attempt})" + (f": {record.message}" if record.message else "")


def _chat(record: Record) -> str:
    """Say `room  nick: text` for what looks like a chat message."""
    message = _first(record)
    text, room = message.get("text"), message.get("room")
    who = next((name for key in ("nick", "from") if isinstance(name := message.get(key), str)), None)
    if not isinstance(text, str) or not isinstance(room, str | None) or (who is None and room is None):
        return ""
    return (f"{room}  " if room else "") + (f"{who}: " if who else "") + text


def _presence(record: Record) -> str:
    """Say `room  nick joined  (3)` for the server's presence events."""
    change = _first(record)
    room, verb = change.get("room"), _PRESENCE.get(str(record.event))
    if verb is None or not isinstance(room, str):
        return ""
    who = next((name for key in ("nick", "sid") if isinstance(name := change.get(key), str)), "")
    members = change.get("members")
    count = len(members) if isinstance(members, list) else members
    return f"{room}  {who} {verb}".replace("   ", "  ") + (f"  ({count})" if isinstance(count, int) else "")


def _first(record: Record) -> dict[str, Json]:
    first = record.args[0] if record.args else None
    return first if isinstance(first, dict) else {}


def _value(value: Json, room: int) -> str:
    if isinstance(value, str):
        return json.dumps(
            value[: max(room, 1)] + ("…" if len(value) > max(room, 1) else ""), ensure_ascii=False
        )
    if isinstance(value, bytes):
        kind = binary_type(value)
        return f"‹binary {size(len(value))}{', ' if kind else ''}{kind}›"
    if isinstance(value, list):
        return f"[{_values(value, room - 2) if room > 2 or not value else '…'}]"
    if isinstance(value, dict):
        return f"{{{_pairs(value, room - 2) if room > 2 or not value else '…'}}}"
    return json.dumps(value)


def _values(values: list[Json], room: int) -> str:
    return _joined((("", value) for value in values), values, room)


def _pairs(values: dict[str, Json], room: int) -> str:
    return _joined(((f"{_key(key)}: ", value) for key, value in values.items()), values, room)


def _key(key: str) -> str:
    return key if _WORD.fullmatch(key) else _value(key, 40)


def _joined(entries: Iterable[tuple[str, Json]], whole: Sized, room: int) -> str:
    """Join what fits into `room` cells, the first in any case, and count the rest: `…+4`."""
    shown: list[str] = []
    for prefix, value in entries:
        text = prefix + _value(value, room - len(prefix))
        left = len(whole) - len(shown)
        if shown and len(text) + (_MORE_CELLS if left > 1 else 0) > room:
            return ", ".join([*shown, f"…+{left}"])
        shown.append(text)
        room -= len(text) + 2
    return ", ".join(shown)
