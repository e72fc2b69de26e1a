"""Format JSON values in few terminal cells: `{id: 8812, items: [2], …+1}`. The texts are not yet safe."""

import json
import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from json.encoder import encode_basestring

from nsroom.output.file_types import binary_type
from nsroom.output.terminal import cells
from nsroom.output.units import size
from nsroom.record import Json

_ROOMY = 10_000
"""Cells in which most events fit as a whole."""
_BRIEF = 12
"""Cells of a text inside a list or an object while other values need the room."""
_MAX_NESTING = 50
"""Levels of nested values shown; Python limits the recursion."""

_MAX_WORD = 41
_WORD = re.compile(rf"[A-Za-z_$][\w$-]{{0,{_MAX_WORD - 1}}}")


def format_value(value: Json, room: int, level: int = 0) -> str:
    """Return a value in `room` cells if possible; a list or an object shows at least its first entry."""
    if (not value and isinstance(value, (list, dict))) or level > _MAX_NESTING:
        return _brief(value)
    if isinstance(value, str):
        return _text(value, room)
    if isinstance(value, list):
        inner = format_values(value, room - 2, level)
        return _brief(value) if inner.startswith("{…}") else f"[{inner}]"
    if isinstance(value, dict):
        return f"{{{_joined(_named(value), len(value), room - 2, level)}}}"
    return _brief(value)


def _brief(value: Json) -> str:
    """Return a value without what is in it: `{…}`, and `[2]` for a list of two."""
    # For numbers json.dumps returns the same, in 2 µs more.
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    if isinstance(value, str):
        return _text(value, _BRIEF)
    if isinstance(value, bytes):
        kind = binary_type(value)
        return f"‹binary {size(len(value))}{', ' if kind else ''}{kind}›"
    if isinstance(value, list):
        return f"[{len(value) or ''}]"
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    return json.dumps(value)


def _text(value: str, room: int) -> str:
    most = max(room - 2, 2)
    return encode_basestring(value if len(value) <= most else f"{value[: most - 1]}…")


def format_values(values: list[Json], room: int, level: int = 0) -> str:
    """Return the values in `room` cells if possible, without brackets; the rest of them are counted."""
    if level == 0 and room >= _ROOMY and (whole := _whole_items(values, room)) is not None:
        return whole
    return _joined((("", value) for value in values), len(values), room, level)


def _whole_items(values: list[Json], room: int, level: int = 0) -> str | None:
    """Return what `_joined` returns if everything fits, or None if it may not; it is far quicker."""
    texts: list[str] = []
    for value in values:
        text = _whole(value, room, level)
        if text is None or (room := room - len(text) - 2) < 0:
            return None
        texts.append(text)
    return ", ".join(texts)


def _whole_members(values: dict[str, Json], room: int, level: int) -> str | None:
    texts: list[str] = []
    for key, value in values.items():
        text = _whole(value, room, level)
        if text is None:
            return None
        text = _prefix(key) + text
        if (room := room - len(text) - 2) < 0:
            return None
        texts.append(text)
    return ", ".join(texts)


def _whole(value: Json, room: int, level: int) -> str | None:
    kind = type(value)
    if kind is str:
        return encode_basestring(value) if value.isascii() and len(value) < room else None
    if (kind is not list and kind is not dict) or not value or level >= _MAX_NESTING:
        return _brief(value)
    if kind is dict:
        inner = _whole_members(value, room, level + 1)
        return None if inner is None else f"{{{inner}}}"
    inner = _whole_items(value, room, level + 1)
    if inner is None or inner.startswith("{…}"):
        return inner and _brief(value)
    return f"[{inner}]"


def _named(values: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    return ((_prefix(key), value) for key, value in values.items())


def _prefix(key: str) -> str:
    return _short_prefix(key) if len(key) <= _MAX_WORD else f"{_text(key, 40)}: "


@lru_cache(maxsize=1024)
def _short_prefix(key: str) -> str:
    return f"{key if _WORD.fullmatch(key) else _text(key, 40)}: "


def _joined(entries: Iterable[tuple[str, Json]], count: int, room: int, level: int) -> str:
    """Join the entries that fit into `room` cells, at least one, and count the rest: `…+4`.

    As many entries as possible are shown, in brief; the room left over goes to the first ones.
    """
    fitting: list[tuple[str, Json, str]] = []
    for prefix, value in entries:
        brief = _brief(value)
        taken = cells(prefix) + cells(brief) + (2 if fitting else 0)
        if fitting and room - taken < len(_rest(count - len(fitting) - 1)):
            break
        room -= taken
        fitting.append((prefix, value, brief))
    rest = _rest(count - len(fitting))
    must_expand = level == 0 and len(fitting) == 1
    return ", ".join(_expanded(fitting, room - len(rest), level, must_expand)) + rest


def _expanded(
    fitting: list[tuple[str, Json, str]], spare: int, level: int, must_expand: bool
) -> Iterator[str]:
    """Yield the entries, with as much of each value as fits into the cells that are left."""
    for prefix, value, brief in fitting:
        shown = brief
        if isinstance(value, (str, list, dict)) and ("…" in brief or brief[0] == "[" or spare < 0):
            room = cells(brief) + spare
            longer = format_value(value, room, level + 1)
            if must_expand or cells(longer) <= room:
                spare -= cells(longer) - cells(brief)
                shown = longer
        yield prefix + shown


def _rest(count: int) -> str:
    return f", …+{count}" if count else ""
