"""How a test of the filter language compares: the way into a value, and what matches there."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import TypeGuard

from nsroom.record import Json, escape

MAX_SEARCHED = 10_000
"""Characters of one value a regular expression sees: its cost can be quadratic and worse."""

Match = Callable[[Json], bool]

ORDER: dict[str, Callable[[Json, Json], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_CONSTANTS = {"true": True, "false": False, "null": None}
_INTEGER = re.compile(r"-?[0-9]{1,400}")
_DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Value:
    """The right side of a test: its text, and what the text is as JSON."""

    text: str
    json: Json
    pattern: re.Pattern[str] | None = None


def bare(text: str) -> Json:
    """Give the number or constant that bare text stands for, else the text."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return _CONSTANTS.get(text, text)


def index_of(step: str) -> int | None:
    """Read a step of a path as an index."""
    return int(step) if step.isascii() and step.isdigit() and len(step) < 10 else None


def walker(steps: Sequence[str]) -> Callable[[Json], Json]:
    """Make the way into a value by keys and indexes; what is not there is null."""
    parts = [(step, index_of(step)) for step in steps]

    def walk(value: Json) -> Json:
        for key, index in parts:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and index is not None and index < len(value):
                value = value[index]
            else:
                return None
        return value

    return walk


def matcher(operator: str, value: Value) -> Match:
    """Make the test of one value; `!=` is for the caller to negate."""
    if operator in ORDER:
        return _ordered(ORDER[operator], value.json)
    if value.pattern:
        return _found(value.pattern)
    return _contains(value.text) if operator == "~" else _equal(value)


def _text(value: Json) -> str | None:
    """Give the text in which a value is searched; nothing is found in null."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(escape(value), ensure_ascii=False, separators=(",", ":"))


def _contains(wanted: str) -> Match:
    return lambda value: (text := _text(value)) is not None and wanted in text


def _found(pattern: re.Pattern[str]) -> Match:
    search = pattern.search
    return lambda value: (text := _text(value)) is not None and search(text[:MAX_SEARCHED]) is not None


def _equal(wanted: Value) -> Match:
    text, constant = wanted.text, wanted.json
    if is_number(constant):
        return lambda value: value == constant if is_number(value) else value == text
    if constant is None or isinstance(constant, bool):
        return lambda value: value is constant or value == text
    return lambda value: value == text or (isinstance(value, (list, dict)) and _text(value) == text)


def _ordered(compare: Callable[[Json, Json], bool], wanted: Json) -> Match:
    if is_number(wanted):
        return lambda value: is_number(value) and compare(value, wanted)
    if isinstance(wanted, str):
        return lambda value: isinstance(value, str) and compare(value, wanted)
    return lambda value: False  # noqa: ARG005


def is_number(value: Json) -> TypeGuard[int | float]:
    """Say whether it is one in JSON, where true is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
