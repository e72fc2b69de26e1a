"""A JSON value, possibly with binary in it, as a foldable tree of lines that are generated lazily. Pure.

Values of one container start in the same column, and are wrapped there. Text that holds JSON or a JWT shows
its content as if it were part of the value, and after that the text as it was sent.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from nsroom.output.file_types import binary_type
from nsroom.output.summary import Piece, Style, pad
from nsroom.output.terminal import cells, clip, safe
from nsroom.output.units import size
from nsroom.record import Json
from nsroom.tui.screen.decoded import Content, Step, as_time, content
from nsroom.tui.screen.wrapping import flow, text_rows

Path = tuple[str | int | Step, ...]
_OPEN_LEVELS, _OPEN_ITEMS = 5, 50
"""A container that is deeper, or has more items, starts folded."""
_MAX_INDENT = 16
"""Levels that are indented; deeper ones are numbered."""
_MIN_VALUE = 16
"""Cells for a value; with fewer after its key, it starts on the next line."""
_TEXT_ROWS = 3
"""Lines of a text that are shown without folding it."""
_ALIGNED = 100
"""Keys of a container that are looked at for the column of its values."""
_MAX_TEXT_LINES = 20_000
_HEX = 16
_MAX_HEX = 320_000


class Place(NamedTuple):
    """Where a value is: its path from the arguments or, if there is only one object, from that."""

    path: Path
    value: Json


class TreeLine(NamedTuple):
    """A line of the tree."""

    pieces: list[Piece]
    path: Path | None = None
    """What the line folds or unfolds."""
    place: Place | None = None
    """The value on it."""
    hidden_by: tuple[Path, ...] = ()
    """The folded values around it, if all are shown unfolded."""


@dataclass(frozen=True, slots=True)
class Look:
    """How to show a tree: its width, what the user folded or unfolded, and the zone of its times."""

    width: int = 100
    toggled: frozenset[Path] = frozenset()
    utc: bool = False
    unfolded: bool = False
    """Whether to show what is folded too."""


class _Node(NamedTuple):
    path: Path
    place: Place
    key: str
    level: int
    key_cells: int
    is_lone_text: bool
    hidden_by: tuple[Path, ...]

    @property
    def value(self) -> Json:
        return self.place.value


_Children = Iterator[_Node]


def tree(path: Path, values: list[Json], look: Look, level: int = 0) -> Iterator[TreeLine]:
    """Yield the lines of arguments. A single object, which most events have, is shown without its index."""
    single = len(values) == 1 and isinstance(values[0], dict)
    top, at = (values[0], (*path, 0)) if single else (values, path)
    # An explicit stack: recursion would fail after some hundred levels.
    stack = [_children(at, (), top, level, look, (), _lone_text(top, look.width))]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif isinstance(node.value, (list, dict)) and node.value:
            yield from _branch(node, look, stack)
        elif (held := _content(node)) is not None:
            yield from _decoded(node, held, look, stack)
        else:
            yield from _leaf(node, look)


def _children(
    path: Path,
    place: Path,
    value: list[Json] | dict[str, Json],
    level: int,
    look: Look,
    hidden_by: tuple[Path, ...],
    lone: str | int | None = None,
) -> _Children:
    keys: Iterable[str | int] = value if isinstance(value, dict) else range(len(value))
    known = [str(key) for key in islice(keys, _ALIGNED)]
    width = _key_width([*known, str(len(value) - 1)] if isinstance(value, list) else known, look)
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield _Node((*path, key), Place((*place, key), item), str(key), level, width, key == lone, hidden_by)


def _key_width(keys: Iterable[str], look: Look) -> int:
    """Return the width of the column of keys; a longer key has lines of its own."""
    most = max(look.width // 3, 8)
    return max((width for key in keys if (width := cells(safe(key[: most + 1]))) <= most), default=0)


def _lone_text(value: list[Json] | dict[str, Json], width: int) -> str | int | None:
    """Return the key of the only text among the first items that is longer than a line, or None."""
    pairs: Iterable[tuple[str | int, Json]] = value.items() if isinstance(value, dict) else enumerate(value)
    texts = [
        key for key, item in islice(pairs, _ALIGNED) if isinstance(item, str) and _is_long(item, width // 3)
    ]
    return texts[0] if len(texts) == 1 else None


def _is_long(text: str, room: int) -> bool:
    return "\n" in text or len(text) > _TEXT_ROWS * room


def _is_open(node: _Node, usual: bool, look: Look) -> bool:
    return look.unfolded or usual != (node.path in look.toggled)


def _hidden(node: _Node, usual: bool, look: Look) -> tuple[Path, ...]:
    """Return what hides the lines below a node that is shown unfolded."""
    return node.hidden_by if usual != (node.path in look.toggled) else (*node.hidden_by, node.path)


def _branch(node: _Node, look: Look, stack: list[_Children]) -> Iterator[TreeLine]:
    usual = node.level < _OPEN_LEVELS and len(node.value) <= _OPEN_ITEMS
    opened = _is_open(node, usual, look)
    yield from _line(node, "▾" if opened else "▸", [(Style.QUIET, _count(node.value))], look, node.path)
    if opened:
        hidden_by = _hidden(node, usual, look)
        stack.append(_children(node.path, node.place.path, node.value, node.level + 1, look, hidden_by))


def _count(value: list[Json] | dict[str, Json]) -> str:
    return f"[{len(value):,}]" if isinstance(value, list) else f"{{{len(value):,}}}"


def _content(node: _Node) -> Content | None:
    is_text = isinstance(node.value, str) and node.path[-1] is not Step.AS_SENT
    return content(node.value) if is_text else None


def _decoded(node: _Node, held: Content, look: Look, stack: list[_Children]) -> Iterator[TreeLine]:
    """Show what a text holds; the text itself comes after that."""
    opened = _is_open(node, True, look)
    count = f" {_count(held.values[0][2])}" if len(held.values) == 1 else ""
    pieces = [(Style.WAITS, f"‹{held.name}›"), (Style.QUIET, count)]
    yield from _line(node, "▾" if opened else "▸", pieces, look, node.path)
    if not opened:
        return
    hidden_by, level = _hidden(node, True, look), node.level + 1
    as_sent = node._replace(
        path=(*node.path, Step.AS_SENT),
        key="as sent",
        level=level,
        key_cells=7,
        is_lone_text=False,
        hidden_by=hidden_by,
    )
    stack.append(iter([as_sent]))
    for step, key, value in reversed(held.values):
        path, place = (*node.path, step), Place((*node.place.path, step), value)
        if key:
            stack.append(iter([_Node(path, place, key, level, 7, False, hidden_by)]))
        else:
            stack.append(_children(path, place.path, value, level, look, hidden_by))


def _leaf(node: _Node, look: Look) -> Iterator[TreeLine]:
    if isinstance(node.value, bytes):
        yield from _binary(node, look)
    elif isinstance(node.value, str) and _is_long(node.value, _room(node, look)):
        yield from _text(node, look)
    else:
        yield from _line(node, " ", _scalar(node.value, look), look)


def _text(node: _Node, look: Look) -> Iterator[TreeLine]:
    text: str = node.value
    opened = _is_open(node, node.is_lone_text, look)
    count = (Style.QUIET, f"{len(text):,} characters")
    if not opened:
        room = max(_room(node, look) - len(count[1]) - 2, _MIN_VALUE)
        start = clip(safe(json.dumps(text[:room], ensure_ascii=False)[:-1] + "…"), room)
        yield from _line(node, "▸", [(Style.TEXT, start), (Style.QUIET, f"  {count[1]}")], look, node.path)
        return
    yield from _line(node, "▾", [count], look, node.path)
    indent, hidden_by = _indent(node.level + 1, look), _hidden(node, node.is_lone_text, look)
    for row in islice(text_rows(text, look.width - cells(indent)), _MAX_TEXT_LINES):
        yield TreeLine([(Style.TEXT, indent + row)], None, node.place, hidden_by)


def _binary(node: _Node, look: Look) -> Iterator[TreeLine]:
    data: bytes = node.value
    kind = binary_type(data)
    name = (Style.EVENT, f"‹binary {size(len(data))}{', ' if kind else ''}{kind}›")
    indent = _indent(node.level + 1, look)
    count = next((n for n in (16, 8, 4) if look.width - cells(indent) >= 4 * n + 11), 2)
    if not _is_open(node, False, look):
        start = [(Style.QUIET, f"  {hexadecimal(data[:count], count)}")]
        if _room(node, look) < cells(name[1]) + 4 * count + 3:
            start = []
        yield from _line(node, "▸", [name, *start], look, node.path)
        return
    yield from _line(node, "▾", [name], look, node.path)
    hidden_by = _hidden(node, False, look)
    for at in range(0, min(len(data), _MAX_HEX), count):
        row = f"{indent}{at:08x}  {hexadecimal(data[at : at + count], count)}"
        yield TreeLine([(Style.QUIET, row)], None, node.place, hidden_by)
    if len(data) > _MAX_HEX:
        rest = f"{indent}… {size(len(data) - _MAX_HEX)} more; w saves it to a file"
        yield TreeLine([(Style.QUIET, rest)], None, node.place, hidden_by)


def _line(
    node: _Node, mark: str, pieces: list[Piece], look: Look, fold: Path | None = None
) -> Iterator[TreeLine]:
    """Yield key and value on as many lines as they need."""
    head = f"{_indent(node.level, look)}{mark} "
    under = " " * (cells(head) + 2)
    if _fits(node):
        prefix = f"{head}{pad(safe(node.key), node.key_cells)}  "
        if look.width - cells(prefix) >= min(_MIN_VALUE, sum(cells(text) for _, text in pieces)):
            under = " " * cells(prefix)
        else:
            yield TreeLine([(Style.NAMESPACE, prefix.rstrip())], fold, node.place, node.hidden_by)
            prefix = under
    else:
        for at, row in enumerate(text_rows(node.key, look.width - cells(head))):
            name = (head if not at else " " * cells(head)) + row
            yield TreeLine([(Style.NAMESPACE, name)], fold, node.place, node.hidden_by)
        prefix = under
    for parts in flow(pieces, look.width - cells(under)):
        yield TreeLine([(Style.NAMESPACE, prefix), *parts], fold, node.place, node.hidden_by)
        prefix = under


def _fits(node: _Node) -> bool:
    return len(node.key) <= node.key_cells and cells(safe(node.key)) <= node.key_cells


def _room(node: _Node, look: Look) -> int:
    """Return the cells of a line that a value has after its key, or below it if that is too little."""
    left = look.width - cells(_indent(node.level, look)) - 2
    after = left - node.key_cells - 2
    return after if _fits(node) and after >= _MIN_VALUE else left - 2


def _indent(level: int, look: Look) -> str:
    most = min(_MAX_INDENT, look.width // 6)
    return "  " * level if level <= most else f"{'  ' * most}⋯{level} "


def _scalar(value: Json, look: Look) -> list[Piece]:
    text = json.dumps(value, ensure_ascii=False)
    pieces = [(Style.TEXT, safe(text))]
    if when := as_time(value, look.utc):
        pieces.append((Style.QUIET, f"  ({when})"))
    return pieces


def hexadecimal(data: bytes, count: int = _HEX) -> str:
    """Return up to `count` bytes as hex and as text."""
    text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)
    return f"{data.hex(' '):{count * 3}} {text}"


def path_text(path: Path) -> str:
    """Return a path as jq writes it, such as `.items[0].sku`."""
    parts = [""]
    for step in path:
        if step is Step.AS_SENT:
            break
        if isinstance(step, Step):
            parts += [step.value, ""]
        elif isinstance(step, int):
            parts[-1] += f"[{step}]" if parts[-1] else f".[{step}]"
        elif step.isascii() and step.isidentifier():
            parts[-1] += f".{step}"
        else:
            parts[-1] += ("" if parts[-1] else ".") + f"[{json.dumps(step)}]"
    return " | ".join(part for part in parts if part) or "."
