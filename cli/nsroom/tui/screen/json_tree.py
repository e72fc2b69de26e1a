"""A JSON value, possibly with binary in it, as a foldable tree of lines that are generated lazily. Pure."""

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
"""A container that is deeper, or has more items, starts folded."""
_MAX_INDENT = 16
"""Levels that are indented; deeper ones are numbered."""
_MAX_INLINE = 60
"""Characters of a text shown on the line of its key; a longer text can be unfolded."""
_WRAP = 96
_MAX_TEXT_LINES = 20_000
_KEY = 40
_HEX = 16
_MAX_HEX = 65_536
_EPOCH = range(1_000_000_000, 4_000_000_000)


class TreeLine(NamedTuple):
    """A line of the tree, and the path that it folds or unfolds."""

    pieces: list[Piece]
    path: Path | None = None


class _Node(NamedTuple):
    path: Path
    key: str
    value: Json
    level: int


def tree(path: Path, values: list[Json], toggled: frozenset[Path], level: int = 0) -> Iterator[TreeLine]:
    """Yield the lines of arguments. A single object, which most events have, is shown without its index.

    `toggled` are the paths that the user folded or unfolded.
    """
    single = len(values) == 1 and isinstance(values[0], dict)
    top, at = (values[0], (*path, 0)) if single else (values, path)
    # An explicit stack: recursion would fail after some hundred levels.
    stack = [_children(at, top, level)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif isinstance(node.value, (list, dict)) and node.value:
            opened = _is_open(node, toggled)
            yield _container(node, opened)
            if opened:
                stack.append(_children(node.path, node.value, node.level + 1))
        else:
            yield from _leaf(node, node.path in toggled)


def _children(path: Path, value: list[Json] | dict[str, Json], level: int) -> Iterator[_Node]:
    pairs: Iterable[tuple[str | int, Json]] = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield _Node((*path, key), str(key), item, level)


def _is_open(node: _Node, toggled: frozenset[Path]) -> bool:
    is_open = node.level < _OPEN_LEVELS and len(node.value) <= _OPEN_ITEMS
    return is_open != (node.path in toggled)


def _container(node: _Node, opened: bool) -> TreeLine:
    count = f"[{len(node.value):,}]" if isinstance(node.value, list) else f"{{{len(node.value):,}}}"
    return TreeLine([_name(node, "▾" if opened else "▸"), (Style.QUIET, count)], node.path)


def _leaf(node: _Node, opened: bool) -> Iterator[TreeLine]:
    if isinstance(node.value, bytes):
        yield from _binary(node, opened)
    elif isinstance(node.value, str) and (len(node.value) > _MAX_INLINE or "\n" in node.value):
        yield from _text(node, opened)
    else:
        yield TreeLine([_name(node, " "), *_scalar(node.value)])


def _text(node: _Node, opened: bool) -> Iterator[TreeLine]:
    text: str = node.value
    count = f"  {len(text):,} characters" if len(text) > _MAX_INLINE or opened else ""
    if not opened:
        shown = safe(json.dumps(text[:200], ensure_ascii=False))
        yield TreeLine(
            [_name(node, "▸"), (Style.TEXT, clip(shown, _MAX_INLINE)), (Style.QUIET, count)], node.path
        )
        return
    yield TreeLine([_name(node, "▾"), (Style.QUIET, count.strip())], node.path)
    indent = _indent(node.level + 1) + "  "
    for part in islice(_wrapped(text), _MAX_TEXT_LINES):
        yield TreeLine([(Style.TEXT, indent + safe(part))])


def _wrapped(text: str) -> Iterator[str]:
    """Yield the lines of a text, cutting those that are too long for a screen."""
    start = 0
    while start < len(text):
        end = text.find("\n", start, start + _WRAP)
        stop = start + _WRAP if end < 0 else end
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
    return "  " * level if level <= _MAX_INDENT else f"{'  ' * _MAX_INDENT}⋯{level} "


def _name(node: _Node, mark: str) -> Piece:
    return (Style.NAMESPACE, f"{_indent(node.level)}{mark} {clip(safe(node.key[:200]), _KEY)}  ")


def _scalar(value: Json) -> list[Piece]:
    if isinstance(value, str):
        return [(Style.TEXT, safe(json.dumps(value, ensure_ascii=False)))]
    text = json.dumps(value)
    pieces = [(Style.TEXT, text if len(text) <= 200 else f"{text[:200]}… {len(text):,} digits")]
    if when := as_time(value):
        pieces.append((Style.QUIET, f"  ({when})"))
    return pieces


def as_time(value: Json) -> str:
    """Return the time that a number may mean, in seconds or milliseconds since the epoch, or nothing."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e15:
        return ""
    seconds = value if int(value) in _EPOCH else value / 1000
    if int(seconds) not in _EPOCH:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def hexadecimal(data: bytes) -> str:
    """Return up to sixteen bytes as hex and as text."""
    text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)
    return f"{data.hex(' '):{_HEX * 3}} {text}"
