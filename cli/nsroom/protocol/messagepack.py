"""MessagePack, byte for byte as JavaScript's notepack.io encodes it.

The format: https://github.com/msgpack/msgpack/blob/master/spec.md. Written by hand because notepack's
extension 0 is undefined, a Date or an ArrayBuffer, depending on a header that the package msgpack hides;
and because `decode` needs the offsets of elements and faults. Data that it surely reads alike, as most is,
is left to the package: it takes a fifth of the time.
"""

import math
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from nsroom.errors import DecodeError
from nsroom.lazy import compile_lazily
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.protocol.strict_json import Element, Number
from nsroom.record import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPECIAL = bytes((0xC1, *range(0xC4, 0xCA), *range(0xD4, 0xD9)))
"""How binary values and extensions start."""
_CONTAINERS = bytes((*range(0x80, 0xA0), *range(0xDC, 0xE0)))
_NOT_FINITE = compile_lazily(rb"[\xca\xcb][\x7f\xff]")
_UNDEFINED = object()
"""Omitted from maps and null in arrays, as `JSON.stringify` does."""


def load(data: bytes, limits: Limits = LIMITS) -> Json:
    """Return the value in the data; NaN and Infinity become null, as in `JSON.stringify`.

    Raises: DecodeError, and nothing else, for any data.
    """
    if not _is_simple(data, limits):
        return _read(data, limits)
    try:
        return _unpack()(data)
    except ValueError:  # not MessagePack, a text that is not UTF-8, or a key that is not a string
        return _read(data, limits)


def _read(data: bytes, limits: Limits) -> Json:
    reader = _Reader(data, limits)
    try:
        value = reader.value()
    except RecursionError:
        raise DecodeError("nested too deeply", data) from None
    if reader.at != len(data):
        raise DecodeError("not MessagePack: extra data after the value", data, reader.at)
    return None if value is _UNDEFINED else value


@cache
def _unpack() -> Callable[[bytes], Json]:
    from msgpack import unpackb  # type: ignore[import-untyped]  # 10 ms that would delay every start

    unpack: Callable[[bytes], Json] = partial(unpackb, strict_map_key=True)
    return unpack


def _is_simple(data: bytes, limits: Limits) -> bool:
    """Return whether the data has nothing that only `_Reader` reads as notepack does, or that is limited."""
    if len(data) > limits.values or len(data.translate(None, _SPECIAL)) < len(data):
        return False
    containers = len(data) - len(data.translate(None, _CONTAINERS)) if len(data) > limits.depth else 0
    return containers <= limits.depth and not _NOT_FINITE.search(data)


def elements(data: bytes, start: int = 0) -> Iterator[Element]:
    """Yield the top-level elements of the array or map at `start` of data that `load` has accepted."""
    reader = _Reader(data, LIMITS)
    reader.at = start
    length, keyed = reader.container()
    for _ in range(length):
        key = reader.key() if keyed else None
        position = reader.at
        value = reader.value()
        yield Element(key, position, reader.at, None if value is _UNDEFINED else value)


class _Reader:
    """A position in the data, and how much may still be read."""

    __slots__ = ("_depth", "_limits", "_values", "at", "data")

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.at = 0
        self._limits = limits
        self._depth = 0
        self._values = limits.values

    def value(self) -> Json:
        """Return the next value."""
        at = self.at
        if at >= len(self.data):
            raise self._end()
        first, self.at = self.data[at], at + 1
        if first < 0x80:
            return first
        if first < 0x90:
            return self.map(first & 15)
        if first < 0xA0:
            return self.array(first & 15)
        if first < 0xC0:
            return self.text(first & 31)
        if first >= 0xE0:
            return first - 256
        if first == 0xC1:
            raise DecodeError("not MessagePack: the byte c1", self.data, self.at - 1)
        return _READ[first](self)

    def take(self, length: int) -> bytes:
        """Return the next bytes."""
        end = self.at + length
        if end > len(self.data):
            raise self._end()
        taken, self.at = self.data[self.at : end], end
        return taken

    def _end(self) -> DecodeError:
        return DecodeError("not MessagePack: unexpected end", self.data, len(self.data))

    def float(self, form: struct.Struct) -> float | None:
        """Return the next floating-point number."""
        value: float = form.unpack(self.take(form.size))[0]
        return value if math.isfinite(value) else None

    def integer(self, size: int, signed: bool) -> int:
        """Return the next integer, of `size` bytes."""
        return int.from_bytes(self.take(size), signed=signed)

    def length(self, size: int) -> int:
        """Return the next length, encoded in `size` bytes."""
        return int.from_bytes(self.take(size))

    def text(self, length: int) -> str:
        """Return the next string; invalid UTF-8 is replaced, as JavaScript does."""
        return self.take(length).decode("utf-8", "replace")

    def array(self, length: int) -> list[Json]:
        """Return the next `length` elements."""
        self._enter(length)
        value = []
        # Not a comprehension, here and below: each level would use two of Python's 1000 calls.
        for _ in range(length):
            item = self.value()
            value.append(None if item is _UNDEFINED else item)
        self._depth -= 1
        return value

    def map(self, length: int) -> dict[str, Json]:
        """Return the next `length` members."""
        self._enter(2 * length)
        value = {}
        for _ in range(length):
            key = self.key()
            item = self.value()
            if item is not _UNDEFINED:
                value[key] = item
        self._depth -= 1
        return value

    def key(self) -> str:
        """Return the next key: a string, or a number, which JavaScript turns into a string."""
        start = self.at
        key = self.value()
        if type(key) is str:
            return key
        if type(key) is int:
            return str(key)
        raise DecodeError("not MessagePack from JavaScript: a key must be a string", self.data, start)

    def container(self) -> tuple[int, bool]:
        """Return the number of elements of the next array or map, and whether they have keys."""
        first = self.take(1)[0]
        if first < 0xA0:
            return first & 15, first < 0x90
        return self.length(4 if first in (0xDD, 0xDF) else 2), first >= 0xDE

    def _enter(self, values: int) -> None:
        self._depth += 1
        self._values -= values
        if self._depth > self._limits.depth:
            raise DecodeError(f"nested more than {self._limits.depth} levels deep", self.data, self.at - 1)
        if values > len(self.data) - self.at:
            raise self._end()
        if self._values < 0:
            raise DecodeError(f"more than {self._limits.values} values", self.data, self.at - 1)


def _fixed_extension(size: int) -> Callable[[_Reader], Json]:
    def read(reader: _Reader) -> Json:
        kind, data = reader.take(1)[0], reader.take(size)
        if kind == 0 and data == b"\x00":
            return _UNDEFINED
        return _date(data) if kind == 0 and size == 8 else [kind, data]

    return read


def _date(data: bytes) -> str | None:
    """Return a time in milliseconds as `Date.toJSON` formats it, or None if Python cannot represent it."""
    try:
        moment = _EPOCH + timedelta(milliseconds=int.from_bytes(data, signed=True))
    except OverflowError:
        return None
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _extension(size: int) -> Callable[[_Reader], Json]:
    """Return a reader of extensions: an ArrayBuffer as bytes, other types as [type, bytes] like notepack."""

    def read(reader: _Reader) -> Json:
        length = reader.length(size)
        kind = reader.take(1)[0]
        data = reader.take(length)
        return data if kind == 0 else [kind, data]

    return read


def _float(form: str) -> Callable[[_Reader], Json]:
    compiled = struct.Struct(form)
    return lambda reader: reader.float(compiled)


def _integer(size: int, signed: bool) -> Callable[[_Reader], Json]:
    return lambda reader: reader.integer(size, signed)


_READ: dict[int, Callable[[_Reader], Json]] = {
    0xC0: lambda _: None,
    0xC2: lambda _: False,
    0xC3: lambda _: True,
    **{0xC4 + n: lambda reader, n=n: reader.take(reader.length(1 << n)) for n in range(3)},  # type: ignore[misc]
    **{0xC7 + n: _extension(1 << n) for n in range(3)},
    **{0xCA + n: _float(form) for n, form in enumerate([">f", ">d"])},
    **{0xCC + n: _integer(1 << n, False) for n in range(4)},
    **{0xD0 + n: _integer(1 << n, True) for n in range(4)},
    **{0xD4 + n: _fixed_extension(1 << n) for n in range(5)},
    **{0xD9 + n: lambda reader, n=n: reader.text(reader.length(1 << n)) for n in range(3)},  # type: ignore[misc]
    **{0xDC + n: lambda reader, n=n: reader.array(reader.length(2 << n)) for n in range(2)},  # type: ignore[misc]
    **{0xDE + n: lambda reader, n=n: reader.map(reader.length(2 << n)) for n in range(2)},  # type: ignore[misc]
}


def dump(value: Json) -> bytes:
    """Return a JSON value in MessagePack. Raises: ValueError if it is not JSON, or nested too deeply."""
    out = bytearray()
    try:
        _write(value, out)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return bytes(out)


def _write(value: Json, out: bytearray) -> None:
    match value:
        case None | bool():
            out.append({None: 0xC0, False: 0xC2, True: 0xC3}[value])
        case int():
            _write_int(value, out)
        case float():
            _write_float(value, out)
        case Number():
            _write(value.value, out)
        case str():
            data = _utf8(value)
            out += _head(len(data), 0xA0, 32, 0xD9, 1) + data
        case bytes():
            out += _head(len(value), 0, 0, 0xC4, 1) + value
        case list():
            out += _head(len(value), 0x90, 16, 0xDC, 2)
            for item in value:
                _write(item, out)
        case dict():
            out += _head(len(value), 0x80, 16, 0xDE, 2)
            for key, item in value.items():
                _write(key, out)
                _write(item, out)
        case _:
            raise ValueError(f"{type(value).__name__} is not JSON")


def _head(length: int, short: int, below: int, code: int, smallest: int) -> bytes:
    """Return the first bytes of a value: its length in the first byte, or after a code in 1, 2 or 4 bytes."""
    if length < below:
        return bytes([short | length])
    sizes = [size for size in (1, 2, 4) if size >= smallest]
    for number, size in enumerate(sizes):
        if length < 1 << 8 * size:
            return bytes([code + number]) + length.to_bytes(size)
    raise ValueError("too large for MessagePack")


def _write_int(value: int, out: bytearray) -> None:
    if -32 <= value < 128:
        out.append(value & 0xFF)
        return
    for number, size in enumerate((1, 2, 4, 8)):
        if value >= 0 and value < 1 << 8 * size:
            out.append(0xCC + number)
            out += value.to_bytes(size)
            return
        if -(1 << 8 * size - 1) <= value < 0:
            out.append(0xD0 + number)
            out += value.to_bytes(size, signed=True)
            return
    # JavaScript has no larger integers; it reads them as floats in JSON too.
    _write_float(value, out)


def _write_float(value: float, out: bytearray) -> None:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("not a JSON number: NaN, Infinity or out of range")
    out += b"\xcb" + struct.pack(">d", number)


def _utf8(text: str) -> bytes:
    """Return a string in UTF-8; lone surrogates are replaced, as JavaScript does."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
