"""The detail of one record: its arguments as a foldable tree, binary as hex, its frames explained. Pure."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from nsroom.protocol.explain import Explainer, Found
from nsroom.record import Json, Kind, Record
from nsroom.summary import Piece, Style, binary_type, duration, label, refused, sign, size
from nsroom.terminal import clip, safe

Path = tuple[str | int, ...]
_OPEN_LEVELS, _OPEN_ITEMS = 4, 50
"""Deeper, or with more in it, a container begins folded."""
_MAX_ITEMS = 1000
_MAX_HEX_LINES = 256
_HEX = 16
_TEXT = 2000
"""Characters of one value that are shown."""
_EPOCH_RANGE = range(1_000_000_000, 4_000_000_000)


class DetailLine(NamedTuple):
    """A line of the detail, and what it folds and unfolds."""

    pieces: list[Piece]
    path: Path | None = None


class Detail:
    """What to show of a record, and what of it the reader has folded or unfolded."""

    def __init__(self, record: Record, answer: Record | None = None) -> None:
        self.record = record
        self.answer = answer
        self._turned: set[Path] = set()

    def turn(self, path: Path) -> None:
        """Fold what is unfolded, and the other way round."""
        self._turned ^= {path}

    def title(self) -> str:
        """Name the record on one line."""
        record = self.record
        parts = [safe(label(record)), f"#{record.seq:,}", sign(record), safe(record.namespace or "")]
        if record.id is not None:
            parts.append(f"ack id {record.id}")
        if record.bytes is not None:
            count = len(record.frames or ())
            parts.append(f"{size(record.bytes)}, {count} frame{'s' if count != 1 else ''}")
        return "  ".join(part for part in parts if part)

    def lines(self, start: int, count: int) -> list[DetailLine]:
        """Give some of the lines."""
        return list(islice(self._lines(), start, start + count))

    def _lines(self) -> Iterator[DetailLine]:
        record = self.record
        for name in ("message", "reason", "sid"):
            if value := getattr(record, name):
                yield DetailLine([(Style.QUIET, f"{name}  "), (Style.TEXT, safe(str(value)[:_TEXT]))])
        if record.args is not None:
            yield from self._items(("args",), record.args, 0)
        if record.data is not None:
            yield from self._value(("data",), "data", record.data, 0)
        if self.answer is not None:
            yield from self._answer(self.answer)
        if record.frames:
            yield from self._frames(record)

    def _answer(self, answer: Record) -> Iterator[DetailLine]:
        style, word = (Style.FAILED, "✗ refused") if refused(answer) else (Style.GOOD, "✓ acknowledged")
        after = f" after {duration(answer.rtt_ms)}" if answer.rtt_ms is not None else ""
        yield DetailLine([(style, f"{word}{after}")])
        yield from self._items(("ack",), answer.args or [], 1)

    def _is_open(self, path: Path, count: int) -> bool:
        usual = len(path) <= _OPEN_LEVELS and count <= _OPEN_ITEMS
        return usual != (path in self._turned)

    def _items(self, path: Path, values: list[Json], level: int) -> Iterator[DetailLine]:
        """Show arguments; a single object without its index, for that is what most events carry."""
        if len(values) == 1 and isinstance(values[0], dict):
            yield from self._members((*path, 0), values[0], level)
            return
        for index, value in enumerate(values[:_MAX_ITEMS]):
            yield from self._value((*path, index), str(index), value, level)
        yield from _more(len(values), level)

    def _members(self, path: Path, value: dict[str, Json], level: int) -> Iterator[DetailLine]:
        for key in islice(value, _MAX_ITEMS):
            yield from self._value((*path, key), key, value[key], level)
        yield from _more(len(value), level)

    def _value(self, path: Path, key: str, value: Json, level: int) -> Iterator[DetailLine]:
        if isinstance(value, (list, dict)) and value:
            yield from self._container(path, key, value, level)
        elif isinstance(value, bytes):
            yield from self._binary(path, key, value, level)
        else:
            yield DetailLine([_name(key, level), *_scalar(value)])

    def _container(
        self, path: Path, key: str, value: list[Json] | dict[str, Json], level: int
    ) -> Iterator[DetailLine]:
        opened = self._is_open(path, len(value))
        kind = f"[{len(value):,}]" if isinstance(value, list) else f"{{{len(value):,}}}"
        yield DetailLine([_name(key, level, "▾" if opened else "▸"), (Style.QUIET, kind)], path)
        if not opened:
            return
        if isinstance(value, dict):
            yield from self._members(path, value, level + 1)
        else:
            for index, item in enumerate(value[:_MAX_ITEMS]):
                yield from self._value((*path, index), str(index), item, level + 1)
            yield from _more(len(value), level + 1)

    def _binary(self, path: Path, key: str, data: bytes, level: int) -> Iterator[DetailLine]:
        kind = binary_type(data)
        text = f"‹binary {size(len(data))}{', ' if kind else ''}{kind}›"
        opened = path in self._turned
        mark = "▾" if opened else "▸"
        yield DetailLine(
            [_name(key, level, mark), (Style.EVENT, text), (Style.QUIET, f"  {_hex(data[:_HEX])}")], path
        )
        if opened:
            for at in range(_HEX, min(len(data), _HEX * _MAX_HEX_LINES), _HEX):
                yield DetailLine([(Style.QUIET, f"{'  ' * level}    {at:08x}  {_hex(data[at : at + _HEX])}")])

    def _frames(self, record: Record) -> Iterator[DetailLine]:
        frames, path = record.frames or [], ("frames",)
        # A malformed frame is what the record is about.
        opened = (record.kind is Kind.PROTOCOL_ERROR) != (path in self._turned)
        count = f"{len(frames):,} on the wire"
        yield DetailLine([_name("frames", 0, "▾" if opened else "▸"), (Style.QUIET, count)], path)
        if not opened:
            return
        explainer = Explainer()
        for frame in frames[:_MAX_ITEMS]:
            yield DetailLine([(Style.TEXT, f"  {_frame(frame)}")])
            explanation = explainer.explain(Found(frame))
            for field in explanation.fields:
                text = f"    {clip(safe(field.text[:80]), 24):24}  {field.name:20}  "
                yield DetailLine([(Style.QUIET, text), (Style.TEXT, safe(field.meaning[:_TEXT]))])
            if explanation.error:
                yield DetailLine([(Style.FAILED, f"    {safe(str(explanation.error))}")])


def _name(key: str, level: int, mark: str = " ") -> Piece:
    return (Style.NAMESPACE, f"{'  ' * level}{mark} {clip(safe(key), 40)}  ")


def _more(count: int, level: int) -> Iterator[DetailLine]:
    if count > _MAX_ITEMS:
        yield DetailLine([(Style.QUIET, f"{'  ' * level}  … and {count - _MAX_ITEMS:,} more")])


def _scalar(value: Json) -> list[Piece]:
    if isinstance(value, str):
        more = f" … {len(value):,} characters" if len(value) > _TEXT else ""
        return [(Style.TEXT, safe(json.dumps(value[:_TEXT], ensure_ascii=False))), (Style.QUIET, more)]
    pieces = [(Style.TEXT, safe(json.dumps(value)[:_TEXT]))]
    if when := _moment(value):
        pieces.append((Style.QUIET, f"  ({when})"))
    return pieces


def _moment(value: Json) -> str:
    """Read a number as the time that it may be: seconds or milliseconds since the epoch."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return ""
    seconds = value if int(value) in _EPOCH_RANGE else value / 1000
    if int(seconds) not in _EPOCH_RANGE:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _hex(data: bytes) -> str:
    text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)
    return f"{data.hex(' '):{_HEX * 3}} {text}"


def _frame(frame: str | bytes) -> str:
    if isinstance(frame, bytes):
        return f"‹binary {size(len(frame))}›  {_hex(frame[:_HEX])}"
    return safe(frame[:_TEXT]) + ("…" if len(frame) > _TEXT else "")
