"""The --where language: parse an expression into a predicate on records.

    kind=event & (ns=/chat | event~mess) & !arg.0.room="the lobby"

A test is a field, an operator and a value; `!` binds tightest, then `&`, then `|`. They can also be written
`not`, `and` and `or`. A word without an operator, a "quoted" text or a /regular expression/ alone tests the
event's name and the arguments, as `event~word | arg~word` does.

Fields are those of a record; `ns`, `dir`, `arg` and `rtt` are short for `namespace`, `direction`, `args` and
`rtt_ms`. A path such as `arg.0.room` or `data.user.id` selects a part of the value, by key or by index from
0; quote a key that is not a word. `arg` without an index matches if any argument does. A missing value is
null.

`=` (or `==`) compares a number with numbers; true, false and null with themselves; and every value with text.
`!=` is its negation. `~` finds text anywhere in the value; objects, arrays and bytes are searched as JSON.
`<` `<=` `>` `>=` order numbers with numbers and text with text.

A value between slashes is a regular expression that may match anywhere, for `=`, `!=` and `~`; write a slash
in it as `\\/`. With `ns=` slashes are literal, because a namespace may end with one: use `ns~/…/`.
A "quoted" value is always text.

The parser builds one closure for each test, out of three parts: the field of the record, the path into its
value, and the match. They are combined when the expression is parsed, so that a record costs only calls.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import ge, gt, itemgetter, le, lt
from typing import NoReturn, TypeGuard

from nsroom.errors import UsageError
from nsroom.record import FIELDS, Direction, Json, Kind, Record, as_index, escape

MAX_LENGTH = 10_000
MAX_NESTING = 100
MAX_SEARCHED = 10_000
"""Characters of a value that a regular expression searches: its cost can be quadratic or worse."""

Test = Callable[[Record], bool]
Match = Callable[[Json], bool]

_NAMES = {
    "kind": "kind",
    "ns": "namespace",
    "namespace": "namespace",
    "event": "event",
    "dir": "direction",
    "direction": "direction",
    "arg": "args",
    "args": "args",
    "rtt": "rtt_ms",
    "rtt_ms": "rtt_ms",
    "id": "id",
    "sid": "sid",
    "reason": "reason",
    "message": "message",
    "data": "data",
    "bytes": "bytes",
    "seq": "seq",
}
_NESTED = ("args", "data")
_NUMERIC = ("rtt_ms", "id", "bytes", "seq")
_CLOSED: dict[str, tuple[str, ...]] = {"kind": tuple(Kind), "direction": tuple(Direction)}

_SPACE = re.compile(r"\s*")
_FIELD = re.compile(r"[A-Za-z_]+")
_STEP = re.compile(r'\.("(?:[^"\\]|\\.)*"|[^\s.=!~<>&|()"]+)')
_OPERATOR = re.compile(r"!=|>=|<=|==|[=~<>]")
_SIGNS = {
    "!": re.compile(r"!(?!=)|not(?=[\s(!])"),
    "&": re.compile(r"&&?|and(?=[\s(!])"),
    "|": re.compile(r"\|\|?|or(?=[\s(!])"),
    "(": re.compile(r"\("),
    ")": re.compile(r"\)"),
}
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_REGEX = re.compile(r"/((?:[^/\\]|\\.)+)/(?=[\s&|)]|\Z)", re.DOTALL)
_BARE = re.compile(r'[^\s&|()"=~<>][^\s&|()]*')
_TEXT = re.compile(f"{_QUOTED.pattern}|{_REGEX.pattern}|{_BARE.pattern}", re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]{1,400}")
_DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_CONSTANTS = {"true": True, "false": False, "null": None}
_ORDER: dict[str, Callable[[Json, Json], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


class FilterError(UsageError):
    """A syntax error in an expression: `reason` at `column`, in characters from 1."""

    def __init__(self, reason: str, text: str, column: int) -> None:
        super().__init__(f"--where: column {column}: {reason}: {_excerpt(text, column)}")
        self.reason = reason
        self.column = column


@dataclass(frozen=True, slots=True)
class Filter:
    """A predicate on records, with its text and the names of the fields that it reads."""

    text: str
    fields: frozenset[str]
    test: Test

    def __call__(self, record: Record) -> bool:
        """Return whether the record matches."""
        return self.test(record)


def parse(text: str) -> Filter:
    """Return the filter that an expression describes.

    Raises: FilterError, with the column.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"longer than {MAX_LENGTH} characters", text, MAX_LENGTH + 1)
    parser = _Parser(text)
    test = parser.expression()
    return Filter(text, frozenset(parser.fields), test)


def conjuncts(text: str) -> list[Filter]:
    """Return the parts of an expression that must all match, or the whole one if it is an alternative.

    Raises: FilterError.
    """
    parser = _Parser(text)
    parser.expression()
    return [parse(text[start:end].strip()) for start, end in parser.parts]


def parse_path(text: str) -> Callable[[Record], Json]:
    """Return a function that selects a part of a record, such as `arg.0.id`. Raises: FilterError."""
    parser = _Parser(text)
    get, walk = parser.path()
    if parser.at < len(text):
        parser.fail("unexpected text after a path")
    return lambda record: walk(get(record))


def tested_value(test: str, record: Record) -> tuple[str, Json] | None:
    """Return the path that one test reads, and its value in a record; None for a bare word or brackets."""
    parser = _Parser(test)
    if not parser.precedes_operator():
        return None
    get, walk = parser.path()
    return test[: parser.at].strip(), walk(get(record))


@dataclass(frozen=True, slots=True)
class Value:
    """The right side of a test: its text, its JSON value, and its pattern if it is a regular expression."""

    text: str
    json: Json
    pattern: re.Pattern[str] | None = None


class _Parser:
    """A recursive-descent parser; every method reads from the position `at` and advances it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.fields: set[str] = set()
        self.parts: list[tuple[int, int]] = []
        """Where the parts start and end that must all match."""

    def expression(self) -> Test:
        test = self.any_of()
        if self.at < len(self.text):
            self.fail('expected "&" or "|"')
        return test

    def any_of(self) -> Test:
        start = self.at
        tests = [self.all_of()]
        while self.take("|"):
            tests.append(self.all_of())
        if len(tests) > 1 and not self.depth:
            self.parts = [(start, self.at)]
        return tests[0] if len(tests) == 1 else _any_of(tests)

    def all_of(self) -> Test:
        tests = [self.part()]
        while self.take("&"):
            tests.append(self.part())
        return tests[0] if len(tests) == 1 else _all_of(tests)

    def part(self) -> Test:
        start = self.at
        test = self.unary()
        if not self.depth:
            self.parts.append((start, self.at))
        return test

    def unary(self) -> Test:
        if self.take("!"):
            return _negation(self.nested(self.unary))
        if not self.take("("):
            return self.comparison()
        test = self.nested(self.any_of)
        if not self.take(")"):
            self.fail('expected ")"')
        return test

    def nested(self, rule: Callable[[], Test]) -> Test:
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.fail(f"nested deeper than {MAX_NESTING}")
        test = rule()
        self.depth -= 1
        return test

    def comparison(self) -> Test:
        self.skip()
        if not self.precedes_operator():
            return self.bare()
        field = self.field()
        steps = self.steps(field)
        self.skip()
        operator = self.match(_OPERATOR).replace("==", "=")
        value = self.value(field, operator)
        self.fields.add(field)
        test = _comparison(field, steps, _match(operator, value))
        return _negation(test) if operator == "!=" else test

    def precedes_operator(self) -> bool:
        """Return whether a field and its path come next, with an operator after them."""
        start = self.at
        if found := self.match(_FIELD):
            while self.match(_STEP):
                pass
            self.skip()
            found = self.match(_OPERATOR)
        self.at = start
        return bool(found)

    def bare(self) -> Test:
        """Return the test of a text alone: the event's name or an argument contains it."""
        start = self.at
        if not self.match(_TEXT) or self.text[start : self.at] in ("and", "or", "not"):
            self.fail("expected a field or a text", start)
        self.at = start
        value = self.value("args", "~")
        self.fields |= {"event", "args"}
        match = _match("~", value)
        return _any_of([_comparison("event", [], match), _comparison("args", [], match)])

    def path(self) -> tuple[Callable[[Record], Json], Callable[[Json], Json]]:
        """Return the functions that select the field of a record, and a part of its value."""
        field = self.field()
        return itemgetter(FIELDS.index(field)), _walk(self.steps(field))

    def field(self) -> str:
        start = self.at
        name = self.match(_FIELD)
        if name not in _NAMES:
            self.fail(f'unknown field "{name:.40}", expected one of {", ".join(_NAMES)}', start)
        return _NAMES[name]

    def steps(self, field: str) -> list[str]:
        start = self.at
        steps = []
        while step := self.match(_STEP):
            steps.append(self.unquote(step[1:]) if step[1] == '"' else step[1:])
        if steps and field not in _NESTED:
            self.fail("only arg and data can have a path", start)
        return steps

    def value(self, field: str, operator: str) -> Value:
        self.skip()
        start = self.at
        if quoted := self.match(_QUOTED):
            text = self.unquote(quoted)
            value = Value(text, text)
        elif operator not in _ORDER and (field, operator[-1]) != ("namespace", "=") and self.match(_REGEX):
            return self.pattern(start)
        else:
            text = self.match(_BARE) or self.fail(f'expected a value after "{operator}"')
            value = Value(text, _json_value(text))
        self.check(field, operator, value, start)
        return value

    def pattern(self, start: int) -> Value:
        text = self.text[start + 1 : self.at - 1]
        try:
            return Value(text, text, re.compile(text))
        except re.error as error:
            self.fail(f"not a regular expression ({error.msg})", start + 1 + (error.pos or 0))
        except (OverflowError, RecursionError):
            self.fail("not a regular expression (too large)", start + 1)

    def check(self, field: str, operator: str, value: Value, start: int) -> None:
        """Fail if no record could match the test."""
        known = _CLOSED.get(field)
        if known and operator in ("=", "!=") and value.text not in known:
            self.fail(f'unknown {field} "{value.text:.40}", expected one of {", ".join(known)}', start)
        if field == "namespace" and operator in ("=", "!=") and not value.text.startswith("/"):
            self.fail('a namespace must start with "/"', start)
        if field in _NUMERIC and operator in _ORDER and not _is_number(value.json):
            self.fail(f'expected a number after "{operator}"', start)

    def unquote(self, quoted: str) -> str:
        try:
            return str(json.loads(quoted, strict=False))
        except ValueError:
            self.fail("not a JSON string", self.at - len(quoted))

    def take(self, sign: str) -> bool:
        """Skip the sign and return True, or return False if it is not next."""
        self.skip()
        if not self.match(_SIGNS[sign]):
            return False
        self.skip()
        return True

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def skip(self) -> None:
        self.match(_SPACE)

    def fail(self, reason: str, at: int | None = None) -> NoReturn:
        raise FilterError(reason, self.text, (self.at if at is None else at) + 1)


def _excerpt(text: str, column: int) -> str:
    start = max(0, column - 40)
    shown = re.sub(r"\s", " ", text[start : start + 60])
    return ("…" if start else "") + shown + ("…" if start + 60 < len(text) else "")


# Joined in pairs: a generator over the tests would take longer than most of them.
def _any_of(tests: list[Test]) -> Test:
    return reduce(lambda one, other: lambda record: one(record) or other(record), tests)


def _all_of(tests: list[Test]) -> Test:
    return reduce(lambda one, other: lambda record: one(record) and other(record), tests)


def _negation(test: Test) -> Test:
    return lambda record: not test(record)


def _comparison(field: str, steps: list[str], match: Match) -> Test:
    get = itemgetter(FIELDS.index(field))
    walk = _walk(steps)
    if field == "args" and not (steps and as_index(steps[0]) is not None):
        return lambda record: any(match(walk(arg)) for arg in record.args or ())
    if steps:
        return lambda record: match(walk(get(record)))
    return lambda record: match(get(record))


def _json_value(text: str) -> Json:
    """Return the number or constant that an unquoted text is, or the text itself."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return _CONSTANTS.get(text, text)


def _walk(steps: Sequence[str]) -> Callable[[Json], Json]:
    """Return a function that follows a path into a value, to None if a part of it is missing."""
    parts = [(step, as_index(step)) for step in steps]

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


def _match(operator: str, value: Value) -> Match:
    """Return the predicate on one value; the caller negates it for `!=`."""
    if operator in _ORDER:
        return _ordered(_ORDER[operator], value.json)
    if value.pattern:
        return _found(value.pattern)
    return _contains(value.text) if operator == "~" else _equal(value)


def _text(value: Json) -> str | None:
    """Return the text to search for a value, or None for null, which never matches."""
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
    if _is_number(constant):
        return lambda value: value == constant if _is_number(value) else value == text
    if constant is None or isinstance(constant, bool):
        return lambda value: value is constant or value == text
    return lambda value: value == text or (isinstance(value, (list, dict)) and _text(value) == text)


def _ordered(compare: Callable[[Json, Json], bool], wanted: Json) -> Match:
    if _is_number(wanted):
        return lambda value: _is_number(value) and compare(value, wanted)
    if isinstance(wanted, str):
        return lambda value: isinstance(value, str) and compare(value, wanted)
    return lambda value: False  # noqa: ARG005


def _is_number(value: Json) -> TypeGuard[int | float]:
    """Return whether a value is a number in JSON, where true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
