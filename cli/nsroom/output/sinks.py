"""Where records go: NDJSON, readable lines, a recording; and `pump`, which takes them there."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from nsroom.output import summary
from nsroom.output.ndjson import _lines
from nsroom.output.summary import Piece, Style
from nsroom.output.terminal import cells
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
