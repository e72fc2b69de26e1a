"""The detail of one record: arguments as a tree, acknowledgement, and explained frames. Pure."""

import textwrap
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from nsroom.output.summary import Style, duration, label, pad, refused, sign, size
from nsroom.output.terminal import clip, safe
from nsroom.record import Frame, Kind, Record, format_time
from nsroom.tui.screen.json_tree import Path, TreeLine, hexadecimal, tree

if TYPE_CHECKING:
    from nsroom.protocol.explain.explainer import Explainer

_MAX_TEXT = 2000
"""Characters shown of a frame, a reason or a message."""
_MAX_EXPLAINED = 1_000_000
"""Characters of a frame that is explained; a larger frame takes longer than a key press should."""
_MAX_FRAMES = 100
_TEXT_CELLS = 60
"""The width of a message or a reason, for which most screens have room."""


class Detail:
    """The lines to show of a record, and what the user has folded or unfolded."""

    def __init__(self, record: Record, answer: Record | None = None) -> None:
        self.record = record
        self.answer = answer
        self._toggled: frozenset[Path] = frozenset()
        self._rest = self._all_lines()
        self._rendered: list[TreeLine] = []

    def toggle(self, path: Path) -> None:
        """Fold or unfold the value at this path."""
        self._toggled ^= {path}
        self._rest, self._rendered = self._all_lines(), []

    def title(self) -> str:
        """Return the title line of the record."""
        record = self.record
        parts = [clip(safe(label(record)[:_MAX_TEXT]), 40), f"#{record.seq:,}", sign(record)]
        parts.append(clip(safe(record.namespace or ""), 40))
        if record.id is not None:
            parts.append(f"ack id {record.id}")
        if record.bytes is not None:
            count = len(record.frames or ())
            frames = f", {count} frame{'s' if count != 1 else ''}" if count else ""
            parts.append(f"{size(record.bytes)}{frames}")
        return "  ".join(part for part in [*parts, _time(record)] if part)

    def lines(self, start: int, count: int) -> list[TreeLine]:
        """Return `count` of the lines, which are rendered lazily."""
        missing = start + count - len(self._rendered)
        if missing > 0:
            self._rendered += islice(self._rest, missing)
        return self._rendered[start : start + count]

    def _all_lines(self) -> Iterator[TreeLine]:
        record = self.record
        for name, text in (("message", record.message), ("reason", record.reason), ("sid", record.sid)):
            yield from _text_lines(name, text or "")
        if record.args is not None:
            yield from tree(("args",), record.args, self._toggled)
            if not record.args:
                yield TreeLine([(Style.QUIET, "  no arguments")])
        if record.data is not None:
            yield from tree(("data",), [record.data], self._toggled)
        if self.answer is not None:
            yield from self._answer_lines(self.answer)
        if record.frames:
            yield from self._frame_lines(record, record.frames)

    def _answer_lines(self, answer: Record) -> Iterator[TreeLine]:
        style, word = (Style.FAILED, "✗ refused") if refused(answer) else (Style.GOOD, "✓ acknowledged")
        after = f" after {duration(answer.rtt_ms)}" if answer.rtt_ms is not None else ""
        yield TreeLine([(style, f"  {word}{after}")])
        yield from tree(("ack",), answer.args or [], self._toggled, level=1)

    def _frame_lines(self, record: Record, frames: list[Frame]) -> Iterator[TreeLine]:
        path = ("frames",)
        # A malformed frame starts unfolded: it is the subject of its record.
        is_open = (record.kind is Kind.PROTOCOL_ERROR) != (path in self._toggled)
        count = f"{len(frames):,} on the wire"
        yield TreeLine([(Style.NAMESPACE, f"{'▾' if is_open else '▸'} frames  "), (Style.QUIET, count)], path)
        if is_open:
            from nsroom.protocol.explain.explainer import Explainer  # 20 ms that would delay every start

            explainer = Explainer()
            for frame in frames[:_MAX_FRAMES]:
                yield TreeLine([(Style.TEXT, f"    {_frame(frame)}")])
                if len(frame) <= _MAX_EXPLAINED:
                    yield from _explanation_lines(explainer, frame)


def _text_lines(name: str, text: str) -> Iterator[TreeLine]:
    """Yield a text on as many lines as it needs, after its name."""
    for at, part in enumerate(textwrap.wrap(safe(text[:_MAX_TEXT]), _TEXT_CELLS)):
        yield TreeLine([(Style.NAMESPACE, f"  {'' if at else name:8}  "), (Style.TEXT, part)])


def _explanation_lines(explainer: "Explainer", frame: Frame) -> Iterator[TreeLine]:
    from nsroom.protocol.explain.explainer import Found

    explanation = explainer.explain(Found(frame))
    for field in explanation.fields:
        text = f"    {pad(clip(safe(field.text[:80]), 24), 24)}  {field.name:20}  "
        yield TreeLine([(Style.QUIET, text), (Style.TEXT, safe(field.meaning[:_MAX_TEXT]))])
    if explanation.error:
        yield TreeLine([(Style.FAILED, f"    {safe(str(explanation.error))}")])


def _time(record: Record) -> str:
    try:
        return format_time(record.time)
    except OverflowError:
        return ""


def _frame(frame: Frame) -> str:
    if isinstance(frame, bytes):
        return f"‹binary {size(len(frame))}›  {hexadecimal(frame[:16])}"
    return safe(frame[:_MAX_TEXT]) + ("…" if len(frame) > _MAX_TEXT else "")
