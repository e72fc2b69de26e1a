"""JSON with binary in it as a foldable tree, whose lines are made only as far as somebody looks. Pure."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from nsroom.output.summary import Piece, Style, binary_type, size
from nsroom.output.terminal import clip, safe
from nsroom.record import Json

Path = tuple[str | int, ...]
_OPEN_LEVELS, _OPEN_ITEMS = 5, 50
"""Deeper, or with more in it, a container begins folded."""
_DEEPEST = 16
"""Levels that are indented; deeper ones are numbered."""
_LONG = 60
"""Characters of a text that stand on its line; a longer one unfolds."""
_FOLD = 96
_MAX_TEXT_LINES = 20_000
_KEY = 40
_HEX = 16
_MAX_HEX = 65_536
_EPOCH = range(1_000_000_000, 4_000_000_000)


class TreeLine(NamedTuple):
    """A line of the tree, and what it folds and unfolds."""

    pieces: list[Piece]
    path: Path | None = None


class _Node(NamedTuple):
    path: Path
    key: str
    value: Json
    level: int


def tree(path: Path, values: list[Json], turned: frozenset[Path], level: int = 0) -> Iterator[TreeLine]:
    """Give the lines of arguments; a single object without its index, for that is what most events carry.

    `turned` are the paths that are folded or unfolded other than by themselves.
    """
    single = len(values) == 1 and isinstance(values[0], dict)
    top, at = (values[0], (*path, 0)) if single else (values, path)
    # A stack of iterators, for Python's own would end at some hundred levels.
    stack = [_children(at, top, level)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif isinstance(node.value, (list, dict)) and node.value:
            opened = _is_open(node, turned)
            yield _container(node, opened)
            if opened:
                stack.append(_children(node.path, node.value, node.level + 1))
        else:
            yield from _leaf(node, node.path in turned)


def _children(path: Path, value: list[Json] | dict[str, Json], level: int) -> Iterator[_Node]:
    pairs: Iterable[tuple[str | int, Json]] = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield _Node((*path, key), str(key), item, level)


def _is_open(node: _Node, turned: frozenset[Path]) -> bool:
    usual = node.level < _OPEN_LEVELS and len(node.value) <= _OPEN_ITEMS
    return usual != (node.path in turned)


def _container(node: _Node, opened: bool) -> TreeLine:
    count = f"[{len(node.value):,}]" if isinstance(node.value, list) else f"{{{len(node.value):,}}}"
    return TreeLine([_name(node, "▾" if opened else "▸"), (Style.QUIET, count)], node.path)


def _leaf(node: _Node, opened: bool) -> Iterator[TreeLine]:
    if isinstance(node.value, bytes):
        yield from _binary(node, opened)
    elif isinstance(node.value, str) and (len(node.value) > _LONG or "\n" in node.value):
        yield from _text(node, opened)
    else:
        yield TreeLine([_name(node, " "), *_scalar(node.value)])


def _text(node: _Node, opened: bool) -> Iterator[TreeLine]:
    text: str = node.value
    count = f"  {len(text):,} characters" if len(text) > _LONG or opened else ""
    if not opened:
        shown = safe(json.dumps(text[:200], ensure_ascii=False))
        yield TreeLine([_name(node, "▸"), (Style.TEXT, clip(shown, _LONG)), (Style.QUIET, count)], node.path)
        return
    yield TreeLine([_name(node, "▾"), (Style.QUIET, count.strip())], node.path)
    indent = _indent(node.level + 1) + "  "
    for part in islice(_folded(text), _MAX_TEXT_LINES):
        yield TreeLine([(Style.TEXT, indent + safe(part))])


def _folded(text: str) -> Iterator[str]:
    """Cut a text at its line ends, and where a line is too long for a screen."""
    start = 0
    while start < len(text):
        end = text.find("\n", start, start + _FOLD)
        stop = start + _FOLD if end < 0 else end
        yield text[start:stop].removesuffix("\r")
        start = stop + (end >= 0)


def _binary(node: _Node, opened: bool) -> Iterator[TreeLine]:
    data: bytes = node.value
    kind = binary_type(data)
    text = f"‹binary {size(len(data))}{', ' if kind else ''}{kind}›"
    if not opened:
        shown = (Style.QUIET, f"  {hexadecimal(data[:_HEX])}")
        yield TreeLine([_name(node, "▸"), (Style.EVENT, text), shown], node.path)
        return
    yield TreeLine([_name(node, "▾"), (Style.EVENT, text)], node.path)
    indent = _indent(node.level + 1)
    for at in range(0, min(len(data), _MAX_HEX), _HEX):
        yield TreeLine([(Style.QUIET, f"{indent}  {at:08x}  {hexadecimal(data[at : at + _HEX])}")])
    if len(data) > _MAX_HEX:
        yield TreeLine([(Style.QUIET, f"{indent}  … {size(len(data) - _MAX_HEX)} more")])


def _indent(level: int) -> str:
    return "  " * level if level <= _DEEPEST else f"{'  ' * _DEEPEST}⋯{level} "


def _name(node: _Node, mark: str) -> Piece:
    return (Style.NAMESPACE, f"{_indent(node.level)}{mark} {clip(safe(node.key[:200]), _KEY)}  ")


def _scalar(value: Json) -> list[Piece]:
    if isinstance(value, str):
        return [(Style.TEXT, safe(json.dumps(value, ensure_ascii=False)))]
    text = json.dumps(value)
    pieces = [(Style.TEXT, text if len(text) <= 200 else f"{text[:200]}… {len(text):,} digits")]
    if when := moment(value):
        pieces.append((Style.QUIET, f"  ({when})"))
    return pieces


def moment(value: Json) -> str:
    """Read a number as the time that it may be: seconds or milliseconds since the epoch."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e15:
        return ""
    seconds = value if int(value) in _EPOCH else value / 1000
    if int(seconds) not in _EPOCH:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def hexadecimal(data: bytes) -> str:
    """Write up to sixteen bytes as hex and as text."""
    text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)
    return f"{data.hex(' '):{_HEX * 3}} {text}"
