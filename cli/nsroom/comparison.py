"""Compare two recordings: which records changed, and which are in one of them only.

A stream is what one client saw of one event in one direction and namespace. Within a stream the order counts,
between streams it does not. What differs between any two runs does not count: times, sizes, acknowledgement
ids, and the ids that a server makes up. Such an id is a text of 16 or more characters that looks random, or
that a key calls `sid`, and that is in one recording only; it must be the same id wherever it appears.
Heartbeats and the other packets of the transport are not compared.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from itertools import zip_longest
from typing import NamedTuple

from nsroom.record import Direction, Json, Kind, Record

_COMPARED = frozenset(
    [Kind.EVENT, Kind.ACK, Kind.CONNECT, Kind.CONNECT_ERROR, Kind.DISCONNECT, Kind.PROTOCOL_ERROR]
)
_ID = re.compile(r"[A-Za-z0-9_-]{16,128}")
_CASE_CHANGE = re.compile(r"[a-z](?=[A-Z])|[A-Z](?=[a-z])")
_MIN_CASE_CHANGES = 6
"""In a text of letters only: words in camelCase have fewer."""
_UNSPEAKABLE = re.compile("[b-df-hj-np-tv-xzB-DF-HJ-NP-TV-XZ]{6}")
"""More consonants in a row than words have."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_DAY = 86_400
_MAX_ALIGNED = 4_000_000
"""Pairs of records to look through for the best alignment; longer stretches are compared in order."""
Shape = Json
"""A hashable value that is equal for contents that differ only in times and ids."""
Steps = tuple[str, ...]
"""The keys and indexes that lead to a value."""


class _Varying(Enum):
    """In a shape: a value that may differ."""

    ID = 1
    TIME = 2


class Stream(NamedTuple):
    """The records that are compared in order."""

    client: int
    """Counts from 1, in the order of appearance."""
    namespace: str | None
    direction: Direction
    kind: Kind
    event: str | int | float | None


class Item(NamedTuple):
    """A record of a recording, and its values that are compared."""

    line: int
    record: Record
    content: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that changed, or that only one of the recordings has."""

    stream: Stream
    first: Item | None
    second: Item | None
    paths: tuple[Steps, ...] = ()
    """Where a changed record differs, such as `("arg", "0", "room")`."""

    @property
    def what(self) -> str:
        """`changed`; `missing` from the second recording, or `extra` in it."""
        if self.first is None:
            return "extra"
        return "missing" if self.second is None else "changed"


class Ignored:
    """The values to leave out: by path, such as `arg.0.id` with `*` for any step, or by a key anywhere."""

    def __init__(self, paths: Iterable[str]) -> None:
        steps = [tuple(path.split(".")) for path in paths]
        self._keys = {path[0] for path in steps if len(path) == 1}
        self._paths = [path for path in steps if len(path) > 1]

    def without(self, value: Json, steps: Steps = ()) -> Json:
        """Return a value without those to ignore; in a list, None is in their place."""
        if isinstance(value, dict):
            inner = {key: (*steps, key) for key in value if key not in self._keys}
            return {key: self.without(value[key], at) for key, at in inner.items() if not self._has(at)}
        if isinstance(value, list):
            places = ((*steps, str(at)) for at in range(len(value)))
            return [
                None if self._has(at) else self.without(each, at)
                for at, each in zip(places, value, strict=True)
            ]
        return value

    def _has(self, steps: Steps) -> bool:
        return any(len(path) == len(steps) and all(map(_fits, path, steps)) for path in self._paths)


def _fits(wanted: str, step: str) -> bool:
    return wanted in ("*", step)


def compare(
    first: Iterable[tuple[int, Record]], second: Iterable[tuple[int, Record]], ignored: Ignored
) -> list[Difference]:
    """Return the differences between two recordings, given as records with their lines, by line."""
    before, after = _streams(first, ignored), _streams(second, ignored)
    volatile = _ids(before) ^ _ids(after)
    pairs = [
        (stream, *pair)
        for stream in dict.fromkeys((*before, *after))
        for pair in _aligned(before.get(stream, []), after.get(stream, []), volatile)
    ]
    pairs.sort(key=lambda pair: min(item.line for item in pair[1:] if item is not None))
    identity = _Identity(volatile)
    return [
        Difference(stream, one, other, paths)
        for stream, one, other in pairs
        if (paths := identity.differing(one, other)) is not None
    ]


def _streams(records: Iterable[tuple[int, Record]], ignored: Ignored) -> dict[Stream, list[Item]]:
    found = [(line, record) for line, record in records if record.kind in _COMPARED]
    by_sid = names_clients(record for _, record in found)
    clients: dict[str | None, int] = {}
    streams: dict[Stream, list[Item]] = {}
    for line, record in found:
        client = clients.setdefault(record.sid, len(clients) + 1) if by_sid else 1
        stream = Stream(client, record.namespace, record.direction, record.kind, record.event)
        streams.setdefault(stream, []).append(Item(line, record, _content(record, ignored)))
    return streams


def names_clients(records: Iterable[Record]) -> bool:
    """Return whether each sid of a recording is a client: one of `proxy` or `tail`, or a HAR file.

    In the recording of one client, only the records that open its session have a sid.
    """
    return any(record.sid for record in records if record.kind in (Kind.EVENT, Kind.ACK))


def _content(record: Record, ignored: Ignored) -> dict[str, Json]:
    values = {"arg": record.args, "data": record.data, "reason": record.reason, "message": record.message}
    content: dict[str, Json] = ignored.without(
        {key: each for key, each in values.items() if each is not None}
    )
    return content


def _ids(streams: dict[Stream, list[Item]]) -> set[str]:
    return {
        text
        for items in streams.values()
        for item in items
        for key, text in _texts(item.content)
        if may_be_id(text) or (key == "sid" and _ID.fullmatch(text))
    }


def _texts(value: Json, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts in a value, each after the key that leads to it."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for inner, each in value.items():
            yield from _texts(each, inner)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, key)


def may_be_id(text: str) -> bool:
    """Return whether a text looks random, which words do not."""
    if not _ID.fullmatch(text):
        return False
    if any(map(str.isdigit, text)) or _UNSPEAKABLE.search(text):
        return True
    return len(_CASE_CHANGE.findall(text)) >= _MIN_CASE_CHANGES


def _shape(value: Json, time: int, volatile: set[str]) -> Shape:
    """Return the shape of a content; `time` is that of its record, in microseconds."""
    if isinstance(value, dict):
        return frozenset((key, _shape(each, time, volatile)) for key, each in value.items())
    if isinstance(value, list):
        return tuple(_shape(each, time, volatile) for each in value)
    if isinstance(value, str):
        return _Varying.ID if value in volatile else _Varying.TIME if is_time(value, time) else value
    if is_number(value):
        return _Varying.TIME if is_time(value, time) else value
    return repr(value), None  # not equal to 0, 1 or a text


def is_time(value: str | float, time: int) -> bool:
    """Return whether a value is a time: a text, or a number within a day of `time` (in microseconds).

    A number may be in seconds, milli- or microseconds.
    """
    if isinstance(value, str):
        return _TIME.match(value) is not None
    return time > 0 and any(abs(value * factor - time) < _DAY * 1_000_000 for factor in (1_000_000, 1000, 1))


def is_number(value: Json) -> bool:
    """Return whether a value is a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _aligned(
    first: Sequence[Item], second: Sequence[Item], volatile: set[str]
) -> Iterator[tuple[Item | None, Item | None]]:
    """Yield the pairs of a stream's records, with None for a record that the other recording lacks."""
    shapes = [
        [_shape(item.content, item.record.time, volatile) for item in items] for items in (first, second)
    ]
    start = _common(*shapes)
    end = _common(*(each[start:][::-1] for each in shapes))
    yield from zip(first[:start], second[:start], strict=True)
    one, other = (each[start : len(each) - end] for each in shapes)
    spans = [("replace", 0, len(one), 0, len(other))]
    if len(one) * len(other) <= _MAX_ALIGNED:
        spans = list(SequenceMatcher(None, one, other, autojunk=False).get_opcodes())
    for _, begin, stop, other_begin, other_stop in spans:
        yield from zip_longest(
            first[start + begin : start + stop], second[start + other_begin : start + other_stop]
        )
    yield from zip(first[len(first) - end :], second[len(second) - end :], strict=True)


def _common(first: Sequence[Shape], second: Sequence[Shape]) -> int:
    """Return how many shapes at the start are the same."""
    pairs = zip(first, second, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


class _Identity:
    """Which id of the second recording is which of the first."""

    def __init__(self, volatile: set[str]) -> None:
        self._volatile = volatile
        self._second: dict[str, str] = {}
        self._first: dict[str, str] = {}

    def differing(self, first: Item | None, second: Item | None) -> tuple[Steps, ...] | None:
        """Return where two records differ, nothing if one is missing; None if they are the same."""
        if first is None or second is None:
            return ()

        def equal(one: Json, other: Json) -> bool:
            return self._is_same(one, other, first.record.time, second.record.time)

        return tuple(differing_paths(first.content, second.content, equal)) or None

    def _is_same(self, one: Json, other: Json, time: int, other_time: int) -> bool:
        shape = _shape(one, time, self._volatile)
        if shape != _shape(other, other_time, self._volatile):
            return False
        if shape is not _Varying.ID:
            return True
        known, known_other = self._second.setdefault(one, other), self._first.setdefault(other, one)
        return (known, known_other) == (other, one)


def _is_equal(one: Json, other: Json) -> bool:
    return type(one) is type(other) and bool(one == other)


def differing_paths(
    one: Json, other: Json, equal: Callable[[Json, Json], bool] = _is_equal, steps: Steps = ()
) -> Iterator[Steps]:
    """Yield the steps to the values that differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        inner = [(key, one, other) for key in dict.fromkeys((*one, *other))]
    elif isinstance(one, list) and isinstance(other, list):
        values, others = dict(enumerate(one)), dict(enumerate(other))
        inner = [(at, values, others) for at in range(max(len(one), len(other)))]
    else:
        if not equal(one, other):
            yield steps
        return
    for step, values, others in inner:
        if step in values and step in others:
            yield from differing_paths(values[step], others[step], equal, (*steps, str(step)))
        else:
            yield (*steps, str(step))
