"""The one thing that flows through nsroom: what was seen on a connection.

A Record is written as one JSON object (`to_json`) and read back from it (`from_json`);
the two are inverse for every JSON value and for bytes.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

Json = Any
"""A JSON value in which `bytes` may stand wherever a value may."""
Frame = str | bytes
"""An Engine.IO frame, text or binary."""


class Direction(StrEnum):
    """Which way it went, as seen from the client. `local`: nsroom itself says so."""

    IN = "in"
    OUT = "out"
    LOCAL = "local"


class Kind(StrEnum):
    """What was seen."""

    EVENT = "event"
    ACK = "ack"
    CONNECT = "connect"
    CONNECT_ERROR = "connect_error"
    DISCONNECT = "disconnect"
    OPEN = "open"
    UPGRADE = "upgrade"
    PING = "ping"
    PONG = "pong"
    CLOSE = "close"
    RECONNECT = "reconnect"
    GAP = "gap"
    PROTOCOL_ERROR = "protocol_error"


class Record(NamedTuple):
    """What was seen on a connection at one moment.

    A named tuple, because one is made for every packet: a frozen dataclass of this width takes
    2.3 µs to make, this 0.45.
    """

    time: int
    """Microseconds since the epoch."""
    seq: int
    """Counts from 1 within one run."""
    direction: Direction
    kind: Kind
    namespace: str | None = None
    id: int | None = None
    """The packet's acknowledgement id."""
    event: str | int | float | None = None
    args: list[Json] | None = None
    rtt_ms: float | None = None
    sid: str | None = None
    reason: str | None = None
    message: str | None = None
    """Text for a person."""
    data: Json = None
    """The payload of a packet that is no event: a handshake, a refusal."""
    bytes: int | None = None
    """Size on the wire."""
    frames: list[Frame] | None = None
    """The Engine.IO frames as they were on the wire, one for each attachment too."""


FIELDS = Record._fields


def framed(record: Record, size: int | None, frames: list[Frame] | None) -> Record:
    """Give the record with these for `bytes` and `frames`; `_replace` takes three times as long."""
    return Record._make((*record[:-2], size, frames))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BINARY = re.compile(r"\$+binary")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "seq": int,
    "namespace": str,
    "id": int,
    "event": (str, int, float),
    "args": list,
    "rtt_ms": (int, float),
    "sid": str,
    "reason": str,
    "message": str,
    "bytes": int,
    "frames": list,
}


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


@lru_cache(maxsize=8)
def format_time(time: int) -> str:
    """Write microseconds since the epoch as RFC 3339 in UTC."""
    # What was read at once has one time.
    seconds, micros = divmod(time, 1_000_000)
    return f"{_second(seconds)}.{micros:06d}Z"


@lru_cache(maxsize=8)
def parse_time(text: str) -> int:
    """Read an RFC 3339 time as microseconds since the epoch.

    Raises: ValueError.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def escape(value: Json) -> Json:
    """Make a value plain JSON: bytes become `{"$binary": base64}`.

    A real object of that shape gets one more `$` in its key, so that `unescape` can tell them apart.
    """
    if isinstance(value, bytes):
        return {"$binary": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [escape(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1 and _BINARY.fullmatch(next(iter(value))):
            return {f"${key}": escape(item) for key, item in value.items()}
        return {key: escape(item) for key, item in value.items()}
    return value


def unescape(value: Json) -> Json:
    """Undo `escape`.

    Raises: ValueError where `$binary` holds no base64.
    """
    if isinstance(value, list):
        return [unescape(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        key, item = next(iter(value.items()))
        if key == "$binary":
            return _from_base64(item)
        if _BINARY.fullmatch(key):
            return {key[1:]: unescape(item)}
    return {key: unescape(item) for key, item in value.items()}


def _from_base64(text: Json) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise ValueError("$binary holds no base64") from None


def to_json(record: Record) -> dict[str, Json]:
    """Give the record as plain JSON: only the keys that are there, bytes as `{"$binary": …}`."""
    return escape(shallow(record))  # type: ignore[no-any-return]


def shallow(record: Record) -> dict[str, Json]:
    """Give the record's keys that are there, with the time as text and the values as they are."""
    # Every line of output comes through here: written out it takes 1.2 µs, as a comprehension 2.0.
    (
        time,
        seq,
        direction,
        kind,
        namespace,
        id,
        event,
        args,
        rtt_ms,
        sid,
        reason,
        message,
        data,
        size,
        frames,
    ) = record
    fields: dict[str, Json] = {"time": format_time(time), "seq": seq, "direction": direction, "kind": kind}
    if namespace is not None:
        fields["namespace"] = namespace
    if id is not None:
        fields["id"] = id
    if event is not None:
        fields["event"] = event
    if args is not None:
        fields["args"] = args
    if rtt_ms is not None:
        fields["rtt_ms"] = rtt_ms
    if sid is not None:
        fields["sid"] = sid
    if reason is not None:
        fields["reason"] = reason
    if message is not None:
        fields["message"] = message
    if data is not None:
        fields["data"] = data
    if size is not None:
        fields["bytes"] = size
    if frames is not None:
        fields["frames"] = frames
    return fields


def from_json(value: Json) -> Record:
    """Read what `to_json` wrote; unknown keys are passed over.

    What a person leaves out when writing one by hand has a default: now unknown (time 0), `out`, `event`.

    Raises: ValueError that names the key.
    """
    if not isinstance(value, Mapping):
        raise ValueError("a record is a JSON object")
    fields = {key: value[key] for key in FIELDS if value.get(key) is not None}
    for key, kind in _TYPES.items():
        if key in fields and (not isinstance(fields[key], kind) or isinstance(fields[key], bool)):
            raise ValueError(f"{key}: of the wrong type")
    for key in ("event", "args", "data", "frames"):
        if key in fields:
            fields[key] = unescape(fields[key])
    if not all(isinstance(frame, (str, bytes)) for frame in fields.get("frames", [])):
        raise ValueError("frames: not all are text or binary")
    return Record(
        time=_field(parse_time, fields, "time", "1970-01-01T00:00:00Z"),
        seq=fields.pop("seq", 0),
        direction=_field(Direction, fields, "direction", "out"),
        kind=_field(Kind, fields, "kind", "event"),
        **fields,
    )


def _field(read: Any, fields: dict[str, Json], key: str, default: str) -> Any:
    text = fields.pop(key, default)
    try:
        return read(text)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{key}: {text!r:.60} is not one") from None
