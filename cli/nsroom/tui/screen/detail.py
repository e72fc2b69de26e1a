"""The detail of one record: arguments as a tree, acknowledgement, and explained frames. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from nsroom.output.summary import Piece, Style, label, refused, sign
from nsroom.output.terminal import cells, clip, safe
from nsroom.output.times import moment
from nsroom.output.units import duration, size
from nsroom.record import Frame, Kind, Record
from nsroom.tui.screen.differences import MISSING, Change, differences, scalar_text, shortened
from nsroom.tui.screen.json_tree import Look, Path, Place, TreeLine, hexadecimal, path_text, tree
from nsroom.tui.screen.wrapping import flow, text_rows

if TYPE_CHECKING:
    from nsroom.protocol.explain.explainer import Explainer

MAX_LINES = 20_000
"""Lines that a search goes through, and that End goes down: they are rendered lazily."""
_MAX_TEXT = 2000
"""Characters of a field of a frame."""
_MAX_EXPLAINED = 1_000_000
"""Characters of a frame that is explained; a larger frame takes longer than a key press should."""
_MAX_FRAMES = 100
_MAX_CHANGES = 1000
_TITLE_CELLS = 40
_NAME_CELLS = 10


class Detail:
    """The lines to show of a record, and what the user has folded or unfolded."""

    def __init__(
        self, record: Record, answer: Record | None = None, previous: Record | None = None, utc: bool = False
    ) -> None:
        """With `previous`, show what differs from that record of the same event."""
        self.record = record
        self.answer = answer
        self.previous = previous
        self._look = Look(utc=utc)
        self._start()

    def _start(self) -> None:
        self._title, self._hidden = self._properties(self._look)
        self._rest = self._all_lines(self._look)
        self._rendered: list[TreeLine] = []

    @property
    def shown(self) -> tuple[Record, Record | None, Record | None]:
        """The record, its acknowledgement, and the record that it is compared with."""
        return self.record, self.answer, self.previous

    def toggle(self, path: Path) -> None:
        """Fold or unfold the value at this path."""
        self._set_look(replace(self._look, toggled=self._look.toggled ^ {path}))

    def resize(self, width: int, utc: bool) -> None:
        """Wrap the lines to this width, with times in this zone."""
        self._set_look(replace(self._look, width=max(width, 1), utc=utc))

    def _set_look(self, look: Look) -> None:
        if look != self._look:
            self._look = look
            self._start()

    def title(self) -> str:
        """Return the title line: the properties of the record that fit into it."""
        return "  ".join(self._title)

    def _properties(self, look: Look) -> tuple[list[str], list[tuple[str, str]]]:
        """Return what the title shows, and what it has no room for, each with its name."""
        record, width = self.record, look.width
        parts = [("event", label(record)), ("number", f"#{record.seq:,}"), ("direction", sign(record))]
        parts.append(("namespace", record.namespace or ""))
        parts.append(("ack id", "" if record.id is None else f"ack id {record.id}"))
        parts.append(("size", _size(record)))
        parts.append(("time", moment(record.time, look.utc)))
        shown, hidden = list[str](), []
        for name, text in parts:
            part = clip(safe(text[:_MAX_TEXT]), _TITLE_CELLS if shown else min(_TITLE_CELLS, width))
            room = width - cells(part)
            if room < 0 or part != text:
                hidden.append((name, text))
            if text and room >= 0:
                shown.append(part)
                width = room - 2
        return shown, hidden

    def lines(self, start: int, count: int) -> list[TreeLine]:
        """Return `count` of the lines, which are rendered lazily."""
        missing = start + count - len(self._rendered)
        if missing > 0:
            self._rendered += islice(self._rest, missing)
        return self._rendered[start : start + count]

    def find(self, pattern: str, row: int, forward: bool) -> int | None:
        """Return the next line with this text, ignoring case, after or before a line, or None."""
        lines, wanted = self.lines(0, MAX_LINES), pattern.lower()
        # A row may be beyond the last line until the next frame.
        rows = range(row + 1, len(lines)) if forward else range(min(row, len(lines)) - 1, -1, -1)
        return next((at for at in rows if _matches(lines, at, wanted)), None)

    def unfold(self, pattern: str, row: int) -> int:
        """Unfold all values that hide this text, ignoring case; return where the line is after that."""
        wanted, hiding = pattern.lower(), set[Path]()
        lines = list(islice(self._all_lines(replace(self._look, unfolded=True)), MAX_LINES))
        for at, line in enumerate(lines):
            if line.hidden_by and _matches(lines, at, wanted):
                hiding.update(line.hidden_by)
        before = self.lines(row, 1)
        self._set_look(replace(self._look, toggled=self._look.toggled ^ hiding))
        return next((at for at, line in enumerate(self.lines(0, MAX_LINES)) if [line] == before), row)

    def place(self, row: int) -> Place | None:
        """Return where the value on a line is, or None if the line has none."""
        return next((line.place for line in self.lines(row, 1)), None)

    def _all_lines(self, look: Look) -> Iterator[TreeLine]:
        record = self.record
        texts = [("message", record.message), ("reason", record.reason), ("sid", record.sid)]
        for name, text in texts:
            yield from _text_lines(name, text or "", look)
        if self.previous is not None:
            yield from _difference_lines(self.previous, record, look)
        elif record.args is not None:
            yield from tree(("args",), record.args, look)
            if not record.args:
                yield TreeLine([(Style.QUIET, "  no arguments")])
        if record.data is not None:
            yield from tree(("data",), [record.data], look)
        if self.answer is not None:
            yield from _answer_lines(self.answer, look)
        for name, text in self._hidden:
            yield from _text_lines(name, text, look)
        if record.frames:
            yield from _frame_lines(record, record.frames, look)


def _size(record: Record) -> str:
    if record.bytes is None:
        return ""
    count = len(record.frames or ())
    return size(record.bytes) + (f", {count} frame{'s' if count != 1 else ''}" if count else "")


def _matches(lines: list[TreeLine], at: int, wanted: str) -> bool:
    """Return whether a line has this text, or starts it if its value goes on in the next line."""
    text, place = _text(lines[at]), lines[at].place
    if place is not None and at + 1 < len(lines) and lines[at + 1].place is place:
        text += _text(lines[at + 1]).lstrip(" ")[: len(wanted) - 1]
    return wanted in text.lower()


def _text(line: TreeLine) -> str:
    return "".join(text for _, text in line.pieces)


def _answer_lines(answer: Record, look: Look) -> Iterator[TreeLine]:
    style, word = (Style.FAILED, "✗ refused") if refused(answer) else (Style.GOOD, "✓ acknowledged")
    after = f" after {duration(answer.rtt_ms)}" if answer.rtt_ms is not None else ""
    yield TreeLine([(style, f"  {word}{after}")])
    yield from tree(("ack",), answer.args or [], look, level=1)


def _text_lines(name: str, text: str, look: Look) -> Iterator[TreeLine]:
    """Yield a text on as many lines as it needs, after its name."""
    for at, row in enumerate(text_rows(text, look.width - _NAME_CELLS - 2)):
        head = (Style.NAMESPACE, f"  {'' if at else name:{_NAME_CELLS}}")
        yield TreeLine([head, (Style.TEXT, row)], None, Place((), text))


def _difference_lines(old: Record, new: Record, look: Look) -> Iterator[TreeLine]:
    since = duration(max(new.time - old.time, 0) / 1000)
    yield TreeLine([(Style.NAMESPACE, f"  what differs from #{old.seq:,}, {since} earlier")])
    changed = same = 0
    for change in differences(old.args or [], new.args or []):
        if change is None:
            same += 1
        elif changed < _MAX_CHANGES:
            changed += 1
            yield from _change_lines(change, look)
    rest = f"  {same:,} value{'s'[: same != 1]} unchanged"
    yield TreeLine([(Style.QUIET, rest if changed else "  nothing: the arguments are the same")])


def _change_lines(change: Change, look: Look) -> Iterator[TreeLine]:
    """Yield a value that was changed (~), added (+) or removed (-)."""
    old, new = shortened(change.old, change.new)
    added, removed = old is MISSING, new is MISSING
    mark, style = ("+", Style.GOOD) if added else ("-", Style.FAILED) if removed else ("~", Style.WAITS)
    pieces: list[Piece] = [(style, f"{mark} "), (Style.NAMESPACE, f"{safe(path_text(change.path))}  ")]
    parts = [part for part in (old, new) if part is not MISSING and not isinstance(part, (dict, list))]
    values: list[Piece] = [(Style.TEXT, safe(scalar_text(part))) for part in parts]
    if len(values) == 2:
        values.insert(1, (Style.QUIET, " → "))
    place = Place(change.path, None if removed else change.new)
    for at, row in enumerate(flow([*pieces, *values], look.width - 4)):
        yield TreeLine([(Style.TEXT, "    " if at else "  "), *row], None, place)
    for name, part in (("old", old), ("new", new)):
        if isinstance(part, (dict, list)):
            yield from tree((name, *change.path), [part], look, level=2)


def _frame_lines(record: Record, frames: list[Frame], look: Look) -> Iterator[TreeLine]:
    path = ("frames",)
    # A malformed frame starts unfolded: it is the subject of its record.
    is_open = (record.kind is Kind.PROTOCOL_ERROR) != (path in look.toggled)
    count = f"{len(frames):,} on the wire"
    yield TreeLine([(Style.NAMESPACE, f"{'▾' if is_open else '▸'} frames  "), (Style.QUIET, count)], path)
    if not (is_open or look.unfolded):
        return
    from nsroom.protocol.explain.explainer import Explainer  # 20 ms that would delay every start

    explainer = Explainer()
    for frame in frames[:_MAX_FRAMES]:
        for line in _one_frame(explainer, frame, look):
            yield line if is_open else line._replace(hidden_by=(path,))


def _one_frame(explainer: "Explainer", frame: Frame, look: Look) -> Iterator[TreeLine]:
    place = Place((), frame)
    text = f"‹binary {size(len(frame))}›  {hexadecimal(frame[:16])}" if isinstance(frame, bytes) else frame
    for row in islice(text_rows(text, look.width - 4), MAX_LINES):
        yield TreeLine([(Style.TEXT, f"    {row}")], None, place)
    if len(frame) <= _MAX_EXPLAINED:
        yield from _explanation_lines(explainer, frame, look)


def _explanation_lines(explainer: "Explainer", frame: Frame, look: Look) -> Iterator[TreeLine]:
    from nsroom.protocol.explain.explainer import Found

    explanation = explainer.explain(Found(frame))
    columns = look.width >= 3 * _TITLE_CELLS // 2
    for field in explanation.fields:
        text, name = clip(safe(field["text"][:80]), 24), field["name"]
        head = f"{text + ' ' * (24 - cells(text))}  {name:20}  " if columns else f"{text}  {name}  "
        pieces = [(Style.QUIET, head), (Style.TEXT, safe(field["meaning"][:_MAX_TEXT]))]
        for at, row in enumerate(flow(pieces, look.width - 6)):
            yield TreeLine([(Style.TEXT, "      " if at else "    "), *row])
    if explanation.error:
        for row in flow([(Style.FAILED, safe(str(explanation.error)))], look.width - 4):
            yield TreeLine([(Style.TEXT, "    "), *row])
