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
from typing import Any

import orjson

from nsroom_server.errors import Malformed

Json = Any
Hook = Callable[[dict[str, Json]], Json]

_MAX_SLOW = 65_536
"""The longest text, in characters, that the standard library decodes."""
_GC_PAUSE_ABOVE = 10_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def loads(text: str, depth: int, hook: Hook | None = None) -> Json:
    """Decode JSON; `hook` replaces every object. Numbers beyond 64 bits lose digits, as in JavaScript.

    Raises: Malformed.
    """
    if is_deeper(text, depth):
        raise Malformed("JSON nested too deeply")
    with _gc_paused(len(text)):
        try:
            value = orjson.loads(text)
            # The text is valid JSON: the standard library cannot produce NaN or Infinity from it.
            return json.loads(text, object_hook=hook) if hook else value
        except orjson.JSONDecodeError:
            return _load_slowly(text, hook)


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


def loads_trusted(text: str) -> Json:
    """Decode the output of `dumps`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def is_deeper(text: str, depth: int) -> bool:
    """Return whether JSON has more than `depth` levels; for invalid JSON the answer may be either."""
    if text.count("[") + text.count("{") <= depth:
        return False
    outside = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    brackets = outside.encode("ascii", "replace").translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(depth):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _load_slowly(text: str, hook: Hook | None) -> Json:
    if len(text) > _MAX_SLOW:
        raise Malformed("broken JSON")
    try:
        return json.loads(text, object_hook=hook, parse_float=_parse_finite, parse_constant=_parse_finite)
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
def _gc_paused(size: int) -> Iterator[None]:
    """Keep the garbage collector from scanning a growing value again and again."""
    pause = size > _GC_PAUSE_ABOVE and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()
