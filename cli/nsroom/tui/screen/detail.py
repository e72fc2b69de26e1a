"""The detail of one record: its arguments as a tree, its acknowledgement, its frames explained. Pure."""

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

_TEXT = 2000
"""Characters of a frame, a reason or a message that are shown."""
_EXPLAINED = 1_000_000
"""Characters of a frame that are taken apart: more takes longer than a key press should."""
_MAX_FRAMES = 100
_TOLD = 60
"""Cells on which a message or a reason is laid out: what most screens have room for."""


class Detail:
    """What to show of a record, and what of it the reader has folded or unfolded."""

    def __init__(self, record: Record, answer: Record | None = None) -> None:
        self.record = record
        self.answer = answer
        self._turned: frozenset[Path] = frozenset()
        self._rest = self._lines()
        self._made: list[TreeLine] = []

    def turn(self, path: Path) -> None:
        """Fold what is unfolded, and the other way round."""
        self._turned ^= {path}
        self._rest, self._made = self._lines(), []

    def title(self) -> str:
        """Name the record on one line."""
        record = self.record
        parts = [clip(safe(label(record)[:_TEXT]), 40), f"#{record.seq:,}", sign(record)]
        parts.append(clip(safe(record.namespace or ""), 40))
        if record.id is not None:
            parts.append(f"ack id {record.id}")
        if record.bytes is not None:
            count = len(record.frames or ())
            frames = f", {count} frame{'s' if count != 1 else ''}" if count else ""
            parts.append(f"{size(record.bytes)}{frames}")
        return "  ".join(part for part in [*parts, _when(record)] if part)

    def lines(self, start: int, count: int) -> list[TreeLine]:
        """Give some of the lines; they are made as far as anybody looked."""
        missing = start + count - len(self._made)
        if missing > 0:
            self._made += islice(self._rest, missing)
        return self._made[start : start + count]

    def _lines(self) -> Iterator[TreeLine]:
        record = self.record
        for name in ("message", "reason", "sid"):
            yield from _told(name, str(getattr(record, name) or ""))
        if record.args is not None:
            yield from tree(("args",), record.args, self._turned)
            if not record.args:
                yield TreeLine([(Style.QUIET, "  no arguments")])
        if record.data is not None:
            yield from tree(("data",), [record.data], self._turned)
        if self.answer is not None:
            yield from self._answer(self.answer)
        if record.frames:
            yield from self._frames(record, record.frames)

    def _answer(self, answer: Record) -> Iterator[TreeLine]:
        style, word = (Style.FAILED, "✗ refused") if refused(answer) else (Style.GOOD, "✓ acknowledged")
        after = f" after {duration(answer.rtt_ms)}" if answer.rtt_ms is not None else ""
        yield TreeLine([(style, f"  {word}{after}")])
        yield from tree(("ack",), answer.args or [], self._turned, level=1)

    def _frames(self, record: Record, frames: list[Frame]) -> Iterator[TreeLine]:
        path = ("frames",)
        # A malformed frame is what the record is about.
        opened = (record.kind is Kind.PROTOCOL_ERROR) != (path in self._turned)
        count = f"{len(frames):,} on the wire"
        yield TreeLine([(Style.NAMESPACE, f"{'▾' if opened else '▸'} frames  "), (Style.QUIET, count)], path)
        if opened:
            from nsroom.protocol.explain.explainer import Explainer  # 20 ms that no start should wait for

            explainer = Explainer()
            for frame in frames[:_MAX_FRAMES]:
                yield TreeLine([(Style.TEXT, f"    {_frame(frame)}")])
                if len(frame) <= _EXPLAINED:
                    yield from _explained(explainer, frame)


def _told(name: str, text: str) -> Iterator[TreeLine]:
    """Give a text that is for a person, as a whole."""
    for at, part in enumerate(textwrap.wrap(safe(text[:_TEXT]), _TOLD)):
        yield TreeLine([(Style.NAMESPACE, f"  {'' if at else name:8}  "), (Style.TEXT, part)])


def _explained(explainer: "Explainer", frame: Frame) -> Iterator[TreeLine]:
    from nsroom.protocol.explain.explainer import Found

    explanation = explainer.explain(Found(frame))
    for field in explanation.fields:
        text = f"    {pad(clip(safe(field.text[:80]), 24), 24)}  {field.name:20}  "
        yield TreeLine([(Style.QUIET, text), (Style.TEXT, safe(field.meaning[:_TEXT]))])
    if explanation.error:
        yield TreeLine([(Style.FAILED, f"    {safe(str(explanation.error))}")])


def _when(record: Record) -> str:
    try:
        return format_time(record.time)
    except OverflowError:
        return ""


def _frame(frame: Frame) -> str:
    if isinstance(frame, bytes):
        return f"‹binary {size(len(frame))}›  {hexadecimal(frame[:16])}"
    return safe(frame[:_TEXT]) + ("…" if len(frame) > _TEXT else "")
