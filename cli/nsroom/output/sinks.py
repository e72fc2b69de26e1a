"""Sinks of records: NDJSON and readable lines; and the pump that feeds them."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Protocol

from nsroom.output import summary
from nsroom.output.ndjson import encode_all
from nsroom.output.summary import Piece, Style
from nsroom.output.terminal import cells, safe
from nsroom.output.times import Times
from nsroom.output.writer import Output
from nsroom.record import Record

MAX_NAMESPACE_CELLS = 20
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


class Sink(Protocol):
    """Accepts batches of records, in order; a slow sink makes its source wait."""

    async def write(self, records: Sequence[Record]) -> None:
        """Write all records. Raises: OutputError."""

    async def close(self) -> None:
        """Finish writing. Raises: OutputError."""


Keep = Callable[[Record], bool]
Route = tuple[Keep | None, Sink]
"""A filter and the sink it feeds; without a filter the sink gets every record."""


async def pump(
    source: AsyncIterator[Sequence[Record]], routes: Sequence[Route], count: int | None = None
) -> int:
    """Write each batch to every sink through its filter; return how many records the first filter kept.

    Stops after `count` of these, and no sink gets a later record. The caller closes source and sinks.
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
    """Return the batch up to the `count`th record that the filter keeps."""
    kept = [index for index, record in enumerate(batch) if keep is None or keep(record)]
    return batch[: kept[count - 1] + 1]


async def _deliver(routes: Sequence[Route], parts: Sequence[Sequence[Record]]) -> None:
    # The first sink comes last: if its reader has closed it, the recording still has everything shown so far.
    for (_, sink), part in reversed(list(zip(routes, parts, strict=True))):
        if part:
            await sink.write(part)


class NdjsonSink:
    """Writes one JSON object per line."""

    def __init__(self, output: Output) -> None:
        self._output = output

    async def write(self, records: Sequence[Record]) -> None:
        """Write one line per record. Raises: OutputError."""
        await self._output.write(encode_all(records))

    async def close(self) -> None:
        """Do nothing: the caller opened the output, and closes it."""


class TextSink:
    """Writes one readable line per record.

    The namespace has a column if several `namespaces` are expected, else from the first one other than `/`.
    """

    def __init__(
        self,
        output: Output,
        colour: bool,
        width: int | None,
        sid_cells: int = 0,
        times: Times = Times.LOCAL,
        namespaces: Collection[str] = (),
    ) -> None:
        self._output = output
        self._width = width
        self._marks = _marks() if colour else {}
        self._times = times
        self._first: Record | None = None
        self._previous: Record | None = None
        expected = max(cells(safe(name)) for name in namespaces) if len(namespaces) > 1 else 0
        self._columns = summary.Columns(min(MAX_NAMESPACE_CELLS, expected), sid_cells)

    async def write(self, records: Sequence[Record]) -> None:
        """Write one line per record. Raises: OutputError."""
        await self._output.write("".join(map(self._line, records)).encode())

    async def close(self) -> None:
        """Do nothing: the caller opened the output, and closes it."""

    def _line(self, record: Record) -> str:
        if record.namespace not in (None, "/"):
            needed = cells(summary.namespace(record, MAX_NAMESPACE_CELLS))
            if needed > self._columns.namespace:
                self._columns = self._columns._replace(namespace=needed)
        self._first = self._first or record
        time = summary.time_column(self._times, record, self._first, self._previous or record)
        self._previous = record
        pieces = summary.line(record, self._width, self._columns, time)
        shown = map(self._marked, pieces) if self._marks else [text for _, text in pieces]
        return "".join(shown).rstrip(" ") + "\n"

    def _marked(self, piece: Piece) -> str:
        style, text = piece
        before, after = self._marks.get(style, ("", ""))
        return before + text + after


def _marks() -> dict[Style, tuple[str, str]]:
    """Return the escape sequences before and after a text of each style."""
    from rich.color import ColorSystem
    from rich.style import Style as RichStyle

    marks = {}
    for style, definition in _PALETTE.items():
        shown = RichStyle.parse(definition).render("|", color_system=ColorSystem.STANDARD)
        before, _, after = shown.partition("|")
        marks[style] = (before, after)
    return marks
