"""Format records as NDJSON, and read plain lines of it quickly."""

import json
import math
from collections.abc import Callable, Sequence
from functools import partial

import orjson

from nsroom.protocol.limits import Limits
from nsroom.record import Json, Record, escape, escape_bytes, shallow

_BLANKS = b" \t\r\n"
_DEL, _DOLLAR = b"\x7f$"
_BINARY = b'$binary"'
_ascii_json = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def encode(record: Record) -> bytes:
    """Return a record as one line of NDJSON in ASCII.

    NaN and the infinities become null, as in JSON.stringify.
    """
    return encode_value(shallow(record))


def encode_all(records: Sequence[Record]) -> bytes:
    """Return the lines of several records, one after the other."""
    # Not joined from a list: orjson allocates 1 KiB for each result, which takes 3 µs while others are alive.
    lines, convert = bytearray(), _Converter()
    for record in records:
        lines += _encode(convert, shallow(record))
    return bytes(lines)


def encode_value(value: Json) -> bytes:
    """Return any value of a record as one line of JSON in ASCII, as `encode` does."""
    return _encode(_Converter(), value)


def encoder() -> Callable[[Json], bytes]:
    """Return `encode_value` for many values, one after the other."""
    return partial(_encode, _Converter())


class _Converter:
    """Converts bytes for orjson, and counts them."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, data: object) -> Json:
        if not isinstance(data, bytes):
            raise TypeError
        self.count += 1
        return escape_bytes(data)


def _encode(convert: _Converter, value: Json) -> bytes:
    before = convert.count
    try:
        line = orjson.dumps(value, convert, orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # an integer of more than 64 bits, a lone surrogate
        return _line(escape(value))
    # Single bytes first: searching for one is ten times faster than for a word.
    ready = line.isascii() and _DEL not in line
    if ready and _DOLLAR in line:
        # An object of the user that looks like binary data must be escaped.
        ready = line.count(_BINARY) == convert.count - before
    return line if ready else _line(escape(value))


def reread(line: bytes, limits: Limits) -> tuple[Json, bytes] | None:
    """Return the value of a line and its text without blanks, if orjson writes the line as it is; else None.

    Then the value is that of `strict_json.load`: the text has the line's numbers, and no key twice.
    """
    size = len(line)
    if size > limits.depth and (size > limits.values or line.count(b"[") + line.count(b"{") > limits.depth):
        return None
    try:
        value = orjson.loads(line)
        text = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    if text != line and text.translate(None, _BLANKS) != line.translate(None, _BLANKS):
        return None
    return value, text


def reread_flat(lines: Sequence[bytes], limits: Limits) -> list[list[Json]] | None:
    """Return the list in each line if all are as orjson writes them and no list is in a list; else None.

    Each line starts with `[` and ends with `]`. All of them are read at once, which takes half of the time.
    """
    whole = b"[%b]" % b",".join(lines)
    # With no other brackets, n lists in the list are the n lines: none of their brackets is in a text.
    if not whole.count(b"[") == whole.count(b"]") == len(lines) + 1:
        return None
    if len(whole) > limits.values:
        return None
    if whole.count(b"{") >= limits.depth and max(line.count(b"{") for line in lines) >= limits.depth:
        return None
    try:
        values: list[list[Json]] = orjson.loads(whole)
        is_same = orjson.dumps(values) == whole
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return values if is_same and len(values) == len(lines) else None


def packet_text(event: str | int | float, args: list[Json]) -> str | None:
    """Return an event and its arguments as JSON, or None if only `strict_json.dump` can write them."""
    try:
        return orjson.dumps([event, *args]).decode()
    except orjson.JSONEncodeError:
        return None


def _line(plain: Json) -> bytes:
    try:
        line = _ascii_json(plain)
    except ValueError:
        line = _ascii_json(_finite(plain))
    return line.encode() + b"\n"


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value
