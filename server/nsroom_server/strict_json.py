"""JSON per RFC 8259: no NaN, no Infinity, bounded depth.

Quick and strict; the client's decoder instead knows the offset of every error. orjson reads and writes a
megabyte in a few milliseconds. The standard library handles small texts that orjson refuses, such as those
with lone surrogates.
"""

import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from operator import add
from typing import Any

import orjson

from nsroom_server.errors import Malformed

Json = Any

_MAX_SLOW = 65_536
"""The longest text, in characters, that the standard library decodes."""
_GC_PAUSE_ABOVE = 10_000
"""Characters of JSON, or the number of its values."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_BRACKETS = bytes.maketrans(b"[{]}", b"1100")
"""An opening bracket is a 1, a closing one a 0."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_SLICE = 65_536
"""Brackets to look at before the next ones: a text that is too deep at its start costs little."""
_STEPS = [[1 if octet & 1 << bit else -1 for bit in range(7, -1, -1)] for octet in range(256)]
_RISES = [sum(steps) for steps in _STEPS]
_PEAKS = [max(accumulate(steps)) for steps in _STEPS]


def loads(text: str, depth: int, containers: int) -> Json:
    """Decode JSON of `depth` levels and `containers` arrays and objects at most.

    Each of these takes up to 0.3 µs, ten times as long as other values of its size. Numbers beyond 64 bits
    lose digits, as in JavaScript.
    Raises: Malformed.
    """
    if text.count("[") + text.count("{") > min(depth, containers):
        found = brackets(text)
        if found.count(b"1") > containers:
            raise Malformed("too many arrays and objects")
        if is_deeper(found, depth):
            raise Malformed("JSON nested too deeply")
    with gc_paused(len(text)):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return _load_slowly(text)


def dumps(value: Json, attachments: list[bytes] | None = None) -> str:
    """Encode a value; binary data goes to `attachments`, with a placeholder in its place.

    The same bytes object is attached once, however often it is used: a packet that names one attachment many
    times must not leave many times as large as it came. NaN is null, as in JavaScript.

    Raises: TypeError for a value that JSON cannot hold, and for binary data without `attachments`.
    """
    numbers: dict[int, int] = {}

    def attach(item: object) -> dict[str, Json]:
        if attachments is None or not isinstance(item, (bytes, bytearray)):
            raise TypeError(f"{type(item).__name__} cannot be written as JSON")
        number = numbers.setdefault(id(item), len(attachments))
        if number == len(attachments):
            attachments.append(bytes(item))
        return {"_placeholder": True, "num": number}

    try:
        return orjson.dumps(value, attach).decode()
    except orjson.JSONEncodeError:
        if attachments:
            attachments.clear()
        numbers.clear()
        return _dump_slowly(value, attach)


def _dump_slowly(value: Json, default: Callable[[object], Json]) -> str:
    """Encode with the standard library, and escape surrogates only: escapes are up to three times as long."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=default)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def loads_trusted(text: str | bytes) -> Json:
    """Decode the output of `dumps`.

    Raises: ValueError, if it was changed since.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def brackets(text: str) -> bytes:
    """Return the brackets of JSON that are not inside of strings, as ones and zeros."""
    outside = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    return outside.encode("ascii", "replace").translate(_BRACKETS, _NO_BRACKETS)


def is_deeper(brackets: bytes, depth: int) -> bool:
    """Return whether brackets have more than `depth` levels; for invalid JSON the answer may be either."""
    level = 0
    for at in range(0, len(brackets), _SLICE):
        # Eight brackets are one byte: its table entries tell how far they rise.
        bits = brackets[at : at + _SLICE].ljust(_SLICE, b"0")
        octets = int(bits, 2).to_bytes(_SLICE // 8)
        levels = list(accumulate(map(_RISES.__getitem__, octets), initial=level))
        if max(map(add, levels, map(_PEAKS.__getitem__, octets))) > depth:
            return True
        level = levels[-1]
    return False


def _load_slowly(text: str) -> Json:
    if len(text) > _MAX_SLOW:
        raise Malformed("broken JSON")
    try:
        return json.loads(text, parse_float=_parse_finite, parse_constant=_parse_finite)
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("broken JSON") from None


def _parse_finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise Malformed("invalid number")
    return number


@contextmanager
def gc_paused(size: int) -> Iterator[None]:
    """Keep the garbage collector from scanning a growing value again and again."""
    pause = size > _GC_PAUSE_ABOVE and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()
