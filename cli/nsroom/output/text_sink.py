"""A sink of readable lines."""

from collections.abc import Collection, Sequence

from nsroom.output import summary
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
        if self._width is None and not self._marks:
            return summary.text_line(record, self._columns, time) + "\n"
        pieces = summary.line(record, self._width, self._columns, time)
        return "".join(map(self._marked, pieces)).rstrip(" ") + "\n"

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
