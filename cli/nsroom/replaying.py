"""Replay a recording and use what the server sends: ids for later arguments, records to compare.

A received record belongs to a recorded one: an acknowledgement to that of the same event, another record to
the one with the same number among those of its kind, namespace and event.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from nsroom.client.events import Emit, Line
from nsroom.comparison import Difference, Ignored, Steps, compare, differing_paths, is_number, may_be_id
from nsroom.errors import DataError, WaitError
from nsroom.mock.sessions import replaced
from nsroom.record import Direction, Json, Kind, Record, brief, value_at

_RECEIVED = frozenset([Kind.CONNECT, Kind.EVENT, Kind.ACK, Kind.DISCONNECT])
_ID_KEY = re.compile(r"(?:.*[_-])?(?:[Ii]ds?|ID|[sgu]u?id)|.*[a-z](?:Ids?|ID)")
_MAX_EXTRA = 10_000
"""Records to keep beyond the number of recorded ones, so that a flood does not fill the memory."""
_MAX_SHOWN = 60


class Key(NamedTuple):
    """Which record of a run; `number` counts from 1, and that of an acknowledgement is its event's."""

    kind: Kind
    namespace: str
    event: str | int | float | None
    number: int


class _Numbered:
    """Numbers the records of a run."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Direction, Kind, str, Json]] = Counter()
        self._asked: dict[tuple[str, int], Key] = {}

    def key(self, record: Record) -> Key | None:
        """Return the key of an event sent, or of a record received; None for others."""
        namespace, is_sent = record.namespace or "/", record.direction is Direction.OUT
        if record.kind is Kind.ACK and not is_sent:
            asked = self._asked.pop((namespace, record.id or 0), None)
            return asked and asked._replace(kind=Kind.ACK)
        if record.kind is not Kind.EVENT if is_sent else record.kind not in _RECEIVED:
            return None
        stream = (record.direction, record.kind, namespace, record.event)
        self._counts[stream] += 1
        key = Key(record.kind, namespace, record.event, self._counts[stream])
        if is_sent and record.id is not None:
            self._asked[namespace, record.id] = key
        return key


class Step(NamedTuple):
    """A recorded event to send."""

    line: int
    record: Record
    is_acknowledged: bool
    sources: frozenset[Key]
    """The recorded records that gave ids in its arguments."""


class Recorded:
    """A recording of one client: what it sent, and what it received."""

    def __init__(self, records: Sequence[tuple[int, Record]]) -> None:
        """Raises: DataError if there are several clients in it."""
        if len({record.sid for _, record in records if record.kind in (Kind.EVENT, Kind.ACK)}) > 1:
            raise DataError(
                "the recording has several clients: "
                "keep one with `nsroom show FILE --all --json --where sid=SID`"
            )
        numbered, sources = _Numbered(), _Sources()
        self.received: dict[Key, tuple[int, Record]] = {}
        sent: list[tuple[Key, Step]] = []
        for line, each in records:
            record = _as_client_sees(each)
            key = numbered.key(record)
            if key is None:
                continue
            if record.direction is Direction.OUT:
                sent.append((key, Step(line, record, False, sources.of(record))))
            elif record.direction is Direction.IN:
                self.received[key] = line, record
                sources.add(key, record)
        self.steps = [
            step._replace(is_acknowledged=key._replace(kind=Kind.ACK) in self.received) for key, step in sent
        ]
        """The events that it sent, in order."""
        self.end = max((record.time for _, record in records), default=0)
        """The time of the last record, in microseconds."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that it was connected to, or, if unknown, those that it sent events to."""
        connected = [key.namespace for key in self.received if key.kind is Kind.CONNECT]
        return tuple(dict.fromkeys(connected or [step.record.namespace or "/" for step in self.steps]))


class _Sources:
    """Which received record gave an id first."""

    def __init__(self) -> None:
        self._first: dict[Json, Key] = {}
        self._sent: set[str] = set()
        """Texts that the client sent first: the server did not make them up."""

    def add(self, key: Key, record: Record) -> None:
        for steps, value in _leaves(_content(record)):
            if value not in self._sent and _is_id(value, steps):
                self._first.setdefault(value, key)

    def of(self, record: Record) -> frozenset[Key]:
        values = [value for _, value in _leaves(_content(record))]
        self._sent.update(each for each in values if isinstance(each, str) and each not in self._first)
        return frozenset(self._first[each] for each in values if each in self._first)


def _as_client_sees(record: Record) -> Record:
    """Return a record of the proxy, whose `sid` is its client, as the client itself records it."""
    data = record.data
    if record.kind is not Kind.CONNECT or not isinstance(data, dict) or "sid" not in data:
        return record
    others = {key: value for key, value in data.items() if key != "sid"}
    return record._replace(sid=data["sid"], data=others or None)


def _content(record: Record) -> Json:
    sid = record.sid if record.kind is Kind.CONNECT else None
    return {"arg": record.args or [], "data": record.data, "sid": sid}


def _leaves(value: Json, steps: Steps = ()) -> Iterator[tuple[Steps, Json]]:
    """Yield the texts and numbers in a value, with the steps to them."""
    if isinstance(value, str) or is_number(value):
        yield steps, value
    elif isinstance(value, (dict, list)):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(each, (*steps, str(key)))


def _is_id(value: Json, steps: Steps) -> bool:
    """Return whether a value looks like an id: by its text, its key, or as an argument by itself."""
    if isinstance(value, str) and may_be_id(value):
        return True
    key = next((step for step in reversed(steps) if not step.isdecimal()), "")
    return _ID_KEY.fullmatch(key) is not None or (is_number(value) and key == "arg")


class Replay:
    """One run of a recording: yields its events to send, and takes the records of the run."""

    def __init__(
        self, recorded: Recorded, *, speed: float, timeout: float, use_ids: bool, expect: bool
    ) -> None:
        """`speed` is a factor, 0 is without pauses; `timeout` is in seconds."""
        self.ids: dict[Json, Json] = {}
        """The ids of this run by the recorded ones."""
        self.recorded = recorded
        self._speed = speed
        self._timeout = timeout
        self._use_ids = use_ids
        self._expect = expect
        self._numbered = _Numbered()
        self._received: dict[Key, Record] = {}
        self._changed = asyncio.Event()
        self._is_last = False
        """Whether the last event was yielded."""

    def add(self, records: Sequence[Record]) -> None:
        """Take records of this run, sent and received."""
        limit = len(self.recorded.received) + _MAX_EXTRA
        for record in records:
            key = self._numbered.key(record)
            if key is None or record.direction is not Direction.IN or len(self._received) >= limit:
                continue
            self._received[key] = record
            if self._use_ids and key in self.recorded.received:
                self._learn(self.recorded.received[key][1], record)
        self._changed.set()

    def _learn(self, recorded: Record, received: Record) -> None:
        one, other = _content(recorded), _content(received)
        for steps in differing_paths(one, other):
            old, new = value_at(one, steps), value_at(other, steps)
            if _is_same_kind(old, new) and _is_id(old, steps):
                self.ids.setdefault(old, new)

    async def lines(self) -> AsyncIterator[list[Line]]:
        """Yield the events at their times, then wait for the rest of what was recorded.

        Raises: WaitError if an id for the arguments of an event has not been received in time.
        """
        steps = self.recorded.steps
        loop = asyncio.get_running_loop()
        started, start = loop.time(), steps[0].record.time
        for step in steps:
            await self._sleep_until(started, step.record.time - start)
            if self._use_ids and not await self._wait_for(step.sources) and not self._expect:
                raise self._missing_ids(step)
            self._is_last = step is steps[-1]
            yield [Line(step.line, self._emit(step.record), step.is_acknowledged)]
        if self._expect:
            await self._sleep_until(started, self.recorded.end - start)
            await self._wait_for(self.recorded.received.keys())

    async def _sleep_until(self, started: float, offset: int) -> None:
        """Sleep until the recorded time, in microseconds after the start of the recording."""
        if self._speed:
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(started + offset / 1e6 / self._speed - now)

    async def _wait_for(self, keys: Collection[Key]) -> bool:
        """Wait until records with these keys have been received; return False after the time-out."""
        try:
            async with asyncio.timeout(self._timeout):
                while not self._received.keys() >= set(keys):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _missing_ids(self, step: Step) -> WaitError:
        missing = min(step.sources - self._received.keys(), key=lambda key: self.recorded.received[key][0])
        what = f"{'acknowledgement of ' if missing.kind is Kind.ACK else ''}{_name(missing)}"
        line = self.recorded.received[missing][0]
        return WaitError(
            f"line {step.line}: an id in its arguments comes from the {what} (line {line}), "
            f"which was not received within {self._timeout:g} s; the lines before it were sent"
        )

    def _emit(self, record: Record) -> Emit:
        args = replaced(record.args or [], self.ids)
        return Emit(record.namespace or "/", record.event or "", args)

    @property
    def counts(self) -> tuple[int, int]:
        """The numbers of the records that were received: as recorded, and in this run."""
        return len(self.recorded.received), len(self._received)

    @property
    def has_ended_as_recorded(self) -> bool:
        """Return whether the server disconnected the client at the end, as it did in the recording."""
        keys = self.recorded.received.keys()
        return (
            self._is_last
            and self._received.keys() >= keys
            and any(key.kind is Kind.DISCONNECT for key in keys)
        )

    def differences(self, ignored: Ignored) -> list[Difference]:
        """Compare what was received with what was recorded.

        Only events and the kinds of records that the recording has: one of events only lacks the others.
        """
        kinds = {Kind.EVENT, *(key.kind for key in self.recorded.received)}
        before = [
            (line, _with_ids(record, self._received.get(key), self.ids))
            for key, (line, record) in self.recorded.received.items()
        ]
        after = [
            (number, record)
            for number, record in enumerate(self._received.values(), 1)
            if record.kind in kinds
        ]
        return compare(before, after, ignored)


def _name(key: Key) -> str:
    return brief(key.event, _MAX_SHOWN) if key.event is not None else str(key.kind)


def _with_ids(recorded: Record, received: Record | None, ids: Mapping[Json, Json]) -> Record:
    """Return a recorded record with the ids of this run where the received one has them."""
    args = recorded.args if received is None else _with_ids_of(recorded.args, received.args, ids)
    return recorded._replace(args=args, sid=None)


def _with_ids_of(old: Json, new: Json, ids: Mapping[Json, Json]) -> Json:
    if isinstance(old, dict) and isinstance(new, dict):
        return {key: _with_ids_of(each, new.get(key), ids) for key, each in old.items()}
    if isinstance(old, list) and isinstance(new, list):
        return [_with_ids_of(each, other, ids) for each, other in zip_longest(old, new[: len(old)])]
    return new if _is_same_kind(old, new) and ids.get(old) == new else old


def _is_same_kind(one: Json, other: Json) -> bool:
    """Return whether both are texts, or both are numbers."""
    return (isinstance(one, str) and isinstance(other, str)) or (is_number(one) and is_number(other))
