"""What differs between two events of one name. Pure."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from nsroom.output.file_types import binary_type
from nsroom.output.units import size
from nsroom.record import Json
from nsroom.tui.screen.json_tree import Path

_CONTEXT = 20
"""Characters shown before and after the part of a text that differs."""
_MAX_TEXT = 1000


class _Missing:
    """The value of a key that only the other event has."""


MISSING = _Missing()


class Change(NamedTuple):
    """A value that differs, at a path; MISSING if one of the events does not have it."""

    path: Path
    old: Json
    new: Json


def differences(old: list[Json], new: list[Json]) -> Iterator[Change | None]:
    """Yield the changes in the arguments, and None for each value that is the same."""
    single = len(old) == len(new) == 1 and isinstance(old[0], dict) and isinstance(new[0], dict)
    # An explicit stack: recursion would fail after some hundred levels.
    stack: list[Iterator[Change]] = [_pairs((), old[0], new[0]) if single else _pairs((), old, new)]
    while stack:
        pair = next(stack[-1], None)
        if pair is None:
            stack.pop()
        elif _are_containers(pair.old, pair.new):
            stack.append(_pairs(*pair))
        else:
            yield None if _is_same(pair.old, pair.new) else pair


def _are_containers(old: Json, new: Json) -> bool:
    return type(old) is type(new) and isinstance(old, (dict, list)) and bool(old or new)


def _is_same(old: Json, new: Json) -> bool:
    return type(old) is type(new) and old == new  # without the types, 1 would be the same as true


def _pairs(path: Path, old: Json, new: Json) -> Iterator[Change]:
    if isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            yield Change((*path, key), old.get(key, MISSING), new.get(key, MISSING))
    else:
        for at in range(max(len(old), len(new))):
            yield Change((*path, at), *(side[at] if at < len(side) else MISSING for side in (old, new)))


def shortened(old: Json, new: Json) -> tuple[Json, Json]:
    """Return two values of which long texts are cut to the part that differs."""
    if not (isinstance(old, str) and isinstance(new, str)) or max(len(old), len(new)) <= 3 * _CONTEXT:
        return old, new
    least = min(len(old), len(new))
    start = next((at for at in range(least) if old[at] != new[at]), least)
    end = next((at for at in range(least - start) if old[-1 - at] != new[-1 - at]), least - start)
    return _cut(old, start, end), _cut(new, start, end)


def _cut(text: str, start: int, end: int) -> str:
    """Return the text without all but some characters of what is the same at its start and its end."""
    first, last = max(start - _CONTEXT, 0), min(len(text) - end + _CONTEXT, len(text))
    last = min(last, first + _MAX_TEXT)
    return ("…" if first else "") + text[first:last] + ("…" if last < len(text) else "")


def scalar_text(value: Json) -> str:
    """Return a value that has no parts as text, not yet safe."""
    if isinstance(value, bytes):
        kind = binary_type(value)
        return f"‹binary {size(len(value))}{', ' if kind else ''}{kind}›"
    return json.dumps(value, ensure_ascii=False)
