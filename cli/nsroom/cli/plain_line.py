"""Read a plain line without typer, which takes a third of a short command's time.

A line is plain if each of its options is a word of its own or `--name=value`, and no word may be a mistake.
All other lines are left to typer, which explains mistakes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

from nsroom.cli.declarations import Argument, Option, is_group
from nsroom.lazy import compile_lazily

_NUMBERS: dict[Any, re.Pattern[str]] = {
    int: compile_lazily(r"[0-9]{1,9}"),
    float: compile_lazily(r"[0-9]{1,9}(\.[0-9]{1,9})?"),
}
_SETTINGS = frozenset(("help", "metavar", "min", "autocompletion"))
"""The settings of options that are observed here, or that do not change what a line means."""


class Line(NamedTuple):
    """The meaning of a plain line."""

    parameters: dict[str, Any]
    """Of the command; those are missing that have their defaults."""
    quiet: bool


class _Place(NamedTuple):
    """An option's place among the parameters of a command."""

    group: str
    """The parameter that is the group with the option in it, or an empty string."""
    name: str
    kind: Any
    least: float


_QUIET = _Place("", "quiet", bool, 0)
"""An option of every command."""


def read(command: Callable[..., Any], words: Sequence[str]) -> Line | None:
    """Return the meaning of the words after a command's name, or None if the line is not plain."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if is_group(kind)}
    given: dict[str, dict[str, Any]] = {name: {} for name in ("", *groups)}
    try:
        texts = _read_options(dict(_places(hints, groups)), words, given)
        arguments = _assign(_arguments(hints), texts)
    except ValueError:
        return None
    quiet = given[""].pop("quiet", False)
    made = {name: _make(kind, given[name]) for name, kind in groups.items()}
    return Line(arguments | given[""] | made, quiet)


def _places(hints: dict[str, Any], groups: dict[str, Any]) -> Iterator[tuple[str, _Place]]:
    """Yield each name of each option that can be read here, with its place."""
    yield from (("-q", _QUIET), ("--quiet", _QUIET))
    owners = {"": hints} | {name: get_type_hints(kind, include_extras=True) for name, kind in groups.items()}
    for group, owned in owners.items():
        for name, hint in owned.items():
            option = _declared(hint)
            if isinstance(option, Option) and option.settings.keys() <= _SETTINGS:
                kind = _without_none(hint.__origin__)
                place = _Place(group, name, kind, option.settings.get("min", 0))
                for each in option.names or (f"--{name.replace('_', '-')}",):
                    yield each, place


def _arguments(hints: dict[str, Any]) -> dict[str, Any]:
    """Return the types of the arguments, in their order."""
    return {name: hint.__origin__ for name, hint in hints.items() if isinstance(_declared(hint), Argument)}


def _declared(hint: Any) -> Any:
    return next(iter(getattr(hint, "__metadata__", ())), None)


def _read_options(
    places: dict[str, _Place], words: Sequence[str], given: dict[str, dict[str, Any]]
) -> list[str]:
    """Put the values of the options in `given`, by group; return the other words.

    Raises: ValueError if the line is not plain.
    """
    texts: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            texts.append(word)
            continue
        name, equals, value = word.partition("=")
        place = places.get(name)
        if place is None or (equals and (place.kind is bool or not name.startswith("--"))):
            raise ValueError
        values = given[place.group]
        if place.kind is bool:
            values[place.name] = True
        else:
            values[place.name] = _value(place, value if equals else _next(rest), values.get(place.name))
    return texts


def _next(words: Iterator[str]) -> str:
    """Return the value after an option. Raises: ValueError if a long option or nothing follows."""
    word = next(words, "--")
    if word.startswith("--"):
        raise ValueError
    return word


def _value(place: _Place, text: str, before: list[str] | None) -> Any:
    """Return the value of an option; `before` is what the same option, if it is repeatable, had before.

    Raises: ValueError if it may be a mistake, or is of a kind that is not read here.
    """
    kind = place.kind
    if kind == list[str]:
        return [*(before or ()), text]
    if kind is str or issubclass(kind, StrEnum):
        return kind(text)
    if kind not in _NUMBERS or not _NUMBERS[kind].fullmatch(text) or kind(text) < place.least:
        raise ValueError
    return kind(text)


def _without_none(kind: Any) -> Any:
    parts = get_args(kind)
    return parts[0] if NoneType in parts else kind


def _assign(kinds: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """Return the value of each argument.

    Raises: ValueError if one is missing or left over, or may be a mistake.
    """
    assigned: dict[str, Any] = {}
    rest, names = list(texts), list(kinds)
    if "target" in names or "targets" in names:
        from nsroom.client.target import is_misplaced, is_target  # a tenth of the start of `decode`

        if names[0] == "target" and len(names) > 1:
            assigned[names.pop(0)] = rest.pop(0) if rest and is_target(rest[0]) else ""
            others, targets = rest[:1] if "args" in names else rest, []
        else:
            others, targets = [], rest[len(names) - 1 :]
        if any(map(is_misplaced, others)) or not all(map(is_target, targets)):
            raise ValueError
    for name in names:
        kind = _without_none(kinds[name])
        if kind == list[str]:
            assigned[name], rest = rest or None, []
        else:
            assigned[name] = kind(rest.pop(0)) if rest else None
        if assigned[name] is None and NoneType not in get_args(kinds[name]):
            raise ValueError
    if rest:
        raise ValueError
    return assigned


def _make(kind: Any, values: dict[str, Any]) -> Any:
    if "given" in kind.defaults:
        values["given"] = frozenset(values)
    return kind(**values)
