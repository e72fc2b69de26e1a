"""Read a plain line of a short command without typer, which takes a third of such a command's time.

A line is plain if each of its options is a word of its own or `--name=value`, takes a text, a number of
seconds or nothing, and no word may be a mistake. All other lines are left to typer, which explains mistakes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, get_type_hints

from nsroom.cli.declarations import Option
from nsroom.client.target import is_misplaced, is_target

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class _Place(NamedTuple):
    """An option's place among the parameters of a command."""

    group: str
    """The parameter that is a dataclass with the option in it, or an empty string."""
    name: str
    kind: Any
    least: float


def read(command: Callable[..., Any], words: Sequence[str]) -> dict[str, Any] | None:
    """Return the parameters for the words after a command's name, or None if the line is not plain.

    The command takes a target, an event and its arguments, besides options.
    """
    groups = {name: kind for name, kind in get_type_hints(command).items() if is_dataclass(kind)}
    given: dict[str, dict[str, Any]] = {name: {} for name in ("", *groups)}
    try:
        texts = _read_options(dict(_places(command, groups)), words, given)
        target, event, *args = texts if texts and is_target(texts[0]) else ["", *texts]
    except ValueError:
        return None
    if is_misplaced(event):
        return None
    made = {name: _make(kind, given[name]) for name, kind in groups.items()}
    return {"target": target, "event": event, "args": args or None} | given[""] | made


def _places(command: Callable[..., Any], groups: dict[str, Any]) -> Iterator[tuple[str, _Place]]:
    """Yield each name of each option that needs no conversion which may fail, with its place."""
    for group, owner in (("", command), *groups.items()):
        for name, hint in get_type_hints(owner, include_extras=True).items():
            option = next(iter(getattr(hint, "__metadata__", ())), None)
            if isinstance(option, Option) and hint.__origin__ in _READERS:
                place = _Place(group, name, hint.__origin__, option.settings.get("min", 0))
                for each in option.names or (f"--{name.replace('_', '-')}",):
                    yield each, place


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
        if place.kind is not bool and not equals:
            value = _next(rest)
        values[place.name] = _READERS[place.kind](value, place.least, values.get(place.name))
    return texts


def _next(words: Iterator[str]) -> str:
    for word in words:
        return word
    raise ValueError


def _make(kind: Any, values: dict[str, Any]) -> Any:
    if any(field.name == "given" for field in fields(kind)):
        values["given"] = frozenset(values)
    return kind(**values)


def _flag(*_: Any) -> bool:
    return True


def _text(value: str, *_: Any) -> str:
    return value


def _texts(value: str, _: float, before: list[str] | None) -> list[str]:
    return [*(before or ()), value]


def _number(value: str, least: float, _: Any) -> float:
    if _NUMBER.fullmatch(value) is None or float(value) < least:
        raise ValueError
    return float(value)


_READERS: dict[Any, Callable[[str, float, Any], Any]] = {
    bool: _flag,
    str: _text,
    str | None: _text,
    list[str] | None: _texts,
    float: _number,
}
