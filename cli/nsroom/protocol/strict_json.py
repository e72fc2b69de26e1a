"""JSON (RFC 8259) inside a frame, as JavaScript's `JSON.parse` reads it and `JSON.stringify` writes it."""

import json
import math
import os
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple, NoReturn

from nsroom.errors import DecodeError
from nsroom.lazy import compile_lazily
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.record import Json

_WHITESPACE = compile_lazily(r"[ \t\n\r]*+")
# The last quote is optional: without the "?" a truncated text would be scanned again from each quote in it.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_BRACKET = compile_lazily(_STRING + r"|[\[\]{}]", re.DOTALL)
# One match for each list, object and comma, and one at the end: each character is read once.
_ANOTHER = compile_lazily(r'(?:[^"\[{,]++|' + _STRING + r")*+(?:[\[{,]|\Z)", re.DOTALL)
_WORD = compile_lazily(_STRING + r"|-?(?:Infinity|NaN|[0-9][0-9.eE+-]*+)", re.DOTALL)
_AT = compile_lazily("( starting)? at$")
_MARK = f"number-{os.urandom(16).hex()}-"
"""The placeholder of a Number, which json cannot write; random, so that no other string equals it."""
_MARKED = compile_lazily(f'"{_MARK}([0-9]+)"')
_SURROGATE = compile_lazily("[\ud800-\udfff]")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


class Number:
    """A number that Python would write otherwise than its text: 1e3, 1.50, -0."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def value(self) -> int | float:
        """The number."""
        return float(self.text) if set(self.text) & set(".eE") else int(self.text)


def _exact_float(text: str) -> float | Number:
    value = _finite(text)
    return value if repr(value) == text else Number(text)


def _exact_int(text: str) -> int | Number:
    value = int(text)
    return value if str(value) == text else Number(text)


_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
_exact = json.JSONDecoder(parse_float=_exact_float, parse_int=_exact_int, parse_constant=_refuse)
scan: Callable[[str, int], tuple[Json, int]] = _decoder.scan_once  # type: ignore[attr-defined]
"""The value that starts exactly there in a text, and its end: for texts within the limits that `load` checks.

Raises StopIteration, ValueError or RecursionError for anything else.
"""


def load(text: str, start: int = 0, limits: Limits = LIMITS, *, exact: bool = False) -> Json:
    """Return the JSON value that fills `text` from `start` to the end.

    With `exact`, a number that would be written otherwise is a Number, for `dump`.

    Raises: DecodeError, and nothing else, for any text.
    """
    if len(text) > limits.depth:
        _check_limits(text, start, limits)
    decoder = _exact if exact else _decoder
    try:
        value, end = decoder.scan_once(text, start)  # type: ignore[attr-defined]
    except (StopIteration, ValueError, RecursionError):
        return _load_slowly(text, start, decoder)
    return value if end == len(text) else _load_slowly(text, start, decoder)


def _load_slowly(text: str, start: int, decoder: json.JSONDecoder) -> Json:
    """Return the value between whitespace. Raises: DecodeError that says what is wrong."""
    start = _skip(text, start)
    try:
        value, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        reason, at = _AT.sub("", error.msg.lower()), error.pos
        if "trailing comma" in reason:  # Python 3.13 and later point at the comma, not at what follows it
            at = _skip(text, at + 1)
        raise DecodeError(f"not JSON: {reason}", text, at) from None
    except ValueError:
        raise _refused(text, start) from None
    except RecursionError:
        raise DecodeError("nested too deeply", text, start) from None
    if end != len(text) and (end := _skip(text, end)) != len(text):
        raise DecodeError("not JSON: extra data after the value", text, end)
    return value


def _check_limits(text: str, start: int, limits: Limits) -> None:
    brackets = text.count("[", start) + text.count("{", start)
    if len(text) > limits.values < brackets + text.count(",", start):
        _check_values(text, start, limits.values)
    if brackets > limits.depth:
        _check_depth(text, start, limits.depth)


def _check_values(text: str, start: int, bound: int) -> None:
    match = next(islice(_ANOTHER.finditer(text, start), bound, None), None)
    if match is not None and match.end() < len(text):
        raise DecodeError(f"more than {bound} values", text, match.start())


def _check_depth(text: str, start: int, bound: int) -> None:
    depth = 0
    for match in _BRACKET.finditer(text, start):
        character = text[match.start()]
        if character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        if depth > bound:
            raise DecodeError(f"nested more than {bound} levels deep", text, match.start())


def _refused(text: str, start: int) -> DecodeError:
    """Return the error for the word that the scanner's hooks refused: they do not know its position."""
    for match in _WORD.finditer(text, start):
        word = match.group()
        if word.startswith('"'):
            continue
        if word.endswith(("Infinity", "NaN")):
            return DecodeError(f"not JSON: {word}", text, match.start())
        if _out_of_range(word):
            return DecodeError("number out of range", text, match.start())
    return DecodeError("not JSON", text, start)


def _out_of_range(number: str) -> bool:
    try:
        _finite(number) if set(number) & set(".eE") else int(number)
    except ValueError:
        return True
    return False


class Element(NamedTuple):
    """One item of a list or member of an object, and its position in the text."""

    key: str | None
    start: int
    end: int
    value: Json


def elements(text: str, start: int) -> Iterator[Element]:
    """Yield the top-level elements of the list or object at `start` of a text that `load` has accepted."""
    at = _skip(text, start)
    keyed = text[at] == "{"
    at = _skip(text, at + 1)
    while text[at] not in "]}":
        key = None
        if keyed:
            key, at = scan(text, at)
            at = _skip(text, _skip(text, at) + 1)
        value, end = scan(text, at)
        yield Element(key, at, end, value)
        at = end if text[end] in ",]}" else _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1) if text[at + 1].isspace() else at + 1


def _skip(text: str, at: int) -> int:
    return _WHITESPACE.match(text, at).end()  # type: ignore[union-attr]


def dump(value: Json, default: Callable[[Any], Json] | None = None) -> str:
    """Return a value as compact JSON that is always valid Unicode: surrogates become escapes.

    A high surrogate right before a low one is therefore read back as the one character that they encode.

    Raises: ValueError for NaN, Infinity, values nested too deeply, and values that are not JSON.
    """
    numbers: list[str] = []

    def convert(each: Any) -> Json:
        if isinstance(each, Number):
            numbers.append(each.text)
            return f"{_MARK}{len(numbers) - 1}"
        if default is None:
            raise TypeError(f"Object of type {type(each).__name__} is not JSON serializable")
        return default(each)

    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=convert)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except TypeError as error:
        raise ValueError(str(error)) from None
    if numbers:
        text = _MARKED.sub(lambda match: numbers[int(match[1])], text)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
