"""Where records go: NDJSON, readable lines, a recording; and `pump`, which takes them there."""

import json
import math
import os
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import orjson

from nsroom import summary
from nsroom.errors import OutputError, UsageError
from nsroom.output import Output
from nsroom.record import Json, Record, escape, shallow, to_json
from nsroom.summary import Piece, Style
from nsroom.terminal import cells

MAX_NAMESPACE_CELLS = 20
_DEL, _DOLLAR = b"\x7f$"
_PALETTE = {
    Style.TIME: "dim",
    Style.SIGN: "cyan",
    Style.NAMESPACE: "dim",
    Style.EVENT: "bold",
    Style.QUIET: "dim",
    Style.GOOD: "green",
    Style.WAITS: "yellow",
    Style.FAILED: "red",
}
_ascii_json = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


class Sink(Protocol):
    """Takes records, in order, a batch at a time; a slow one makes its source wait."""

    async def write(self, records: Sequence[Record]) -> None:
        """Take them all. Raises: OutputError."""

    async def close(self) -> None:
        """Finish. Raises: OutputError."""


Keep = Callable[[Record], bool]
Route = tuple[Keep | None, Sink]
"""A sink and the filter before it; None keeps everything."""


async def pump(
    source: AsyncIterator[Sequence[Record]], routes: Sequence[Route], count: int | None = None
) -> int:
    """Take every batch to every sink through its filter; give how many records the first one kept.

    It ends after `count` of them, and no sink gets a record that came later. Whoever made the source and
    the sinks closes them.

    Raises: OutputError.
    """
    kept = 0
    async for batch in source:
        parts = _parts(batch, routes)
        if count is not None and kept + len(parts[0]) >= count:
            await _deliver(routes, _parts(_until(batch, routes[0][0], count - kept), routes))
            return count
        await _deliver(routes, parts)
        kept += len(parts[0])
    return kept


def _parts(batch: Sequence[Record], routes: Sequence[Route]) -> list[Sequence[Record]]:
    return [batch if keep is None else list(filter(keep, batch)) for keep, _ in routes]


def _until(batch: Sequence[Record], keep: Keep | None, count: int) -> Sequence[Record]:
    """Cut a batch after the record that is the `count`th to be kept."""
    kept = [index for index, record in enumerate(batch) if keep is None or keep(record)]
    return batch[: kept[count - 1] + 1]


async def _deliver(routes: Sequence[Route], parts: Sequence[Sequence[Record]]) -> None:
    # The first is last: when its reader has gone, the recording already has what was on the screen.
    for (_, sink), part in reversed(list(zip(routes, parts, strict=True))):
        if part:
            await sink.write(part)


def encode(record: Record) -> bytes:
    """Write a record as one line of NDJSON in ASCII.

    NaN and the infinities have no JSON: they become null, as in JSON.stringify.
    """
    try:
        line = orjson.dumps(shallow(record), option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # bytes, an integer of more than 64 bits, a lone surrogate
        return _encode(record)
    # Single bytes first: to look for one is ten times quicker than for a word.
    ready = line.isascii() and _DEL not in line and (_DOLLAR not in line or b'$binary"' not in line)
    return line if ready else _encode(record)


def _lines(records: Sequence[Record]) -> bytes:
    # One by one: orjson's results have room for 1 KiB each, which it takes 3 µs to find while others live.
    lines = bytearray()
    for record in records:
        lines += encode(record)
    return bytes(lines)


def encode_value(value: Json) -> bytes:
    """Write any value of a record as one line of JSON in ASCII, as `encode` does."""
    return _line(escape(value))


def _encode(record: Record) -> bytes:
    return _line(to_json(record))


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


class NdjsonSink:
    """One JSON object a line."""

    def __init__(self, output: Output) -> None:
        self._output = output

    async def write(self, records: Sequence[Record]) -> None:
        """Write a line for each."""
        await self._output.write(_lines(records))

    async def close(self) -> None:
        """Leave the output to whoever opened it."""


class TextSink:
    """A readable line for each record; the namespace has a column once there is one besides `/`."""

    def __init__(self, output: Output, colour: bool, width: int | None, sid_cells: int = 0) -> None:
        self._output = output
        self._sid_cells = sid_cells
        self._width = width
        self._marks = _marks() if colour else {}
        self._namespace_cells = 0

    async def write(self, records: Sequence[Record]) -> None:
        """Write a line for each."""
        await self._output.write("".join(map(self._line, records)).encode())

    async def close(self) -> None:
        """Leave the output to whoever opened it."""

    def _line(self, record: Record) -> str:
        if record.namespace not in (None, "/"):
            needed = cells(summary.namespace(record, MAX_NAMESPACE_CELLS))
            self._namespace_cells = max(self._namespace_cells, needed)
        pieces = summary.line(record, self._width, self._namespace_cells, self._sid_cells)
        return "".join(map(self._marked, pieces)).rstrip(" ") + "\n"

    def _marked(self, piece: Piece) -> str:
        style, text = piece
        before, after = self._marks.get(style, ("", ""))
        return before + text + after


def _marks() -> dict[Style, tuple[str, str]]:
    """Give what a terminal needs before and after a text of each style."""
    from rich.color import ColorSystem
    from rich.style import Style as RichStyle

    marks = {}
    for style, definition in _PALETTE.items():
        shown = RichStyle.parse(definition).render("|", color_system=ColorSystem.STANDARD)
        before, _, after = shown.partition("|")
        marks[style] = (before, after)
    return marks


class FileSink:
    """A recording that only its owner may read: NDJSON, every batch written at once."""

    def __init__(self, path: str, force: bool = False) -> None:
        """Open the file. Raises: UsageError where it exists and `force` is not given, OutputError."""
        self._path = path
        self._fd = create(path, force)
        self._output = Output(self._fd, path)

    async def write(self, records: Sequence[Record]) -> None:
        """Write a line for each."""
        await self._output.write(_lines(records))

    async def close(self) -> None:
        """Close the file. Raises: OutputError."""
        self._output.close()
        try:
            os.close(self._fd)
        except OSError as error:
            raise OutputError(f"cannot write to {self._path}: {error.strerror}") from error


def create(path: str, force: bool) -> int:
    """Open a file that only its owner may read.

    Raises: UsageError where it exists and `force` is not given, OutputError.
    """
    existing = os.O_TRUNC if force else os.O_EXCL
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | existing, 0o600)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.fchmod(fd, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists already: name another file or give --force") from None
    except OSError as error:
        raise OutputError(f"cannot write to {path}: {error.strerror}") from error
    return fd
