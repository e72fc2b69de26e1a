"""The sessions of a recording, as a server replays them.

A session is one client in one namespace. It consists of exchanges: what the server sent after the connection,
and what it sent after each event of the client, up to the next one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nsroom.comparison import differing_paths, is_number, is_time, may_be_id, names_clients
from nsroom.record import Direction, Json, Kind, Record, value_at


@dataclass(slots=True, eq=False)
class Exchange:
    """An event of the client, None for the start of the session, and what the server sent after it."""

    request: Record | None
    line: int
    answers: list[Record] = field(default_factory=list)
    """Events, the acknowledgement and the end, in order."""

    def delay(self, answer: Record) -> float:
        """Return the seconds between the request, or the first answer, and an answer."""
        start = self.request or self.answers[0]
        return max(answer.time - start.time, 0) / 1e6

    def match(self, args: list[Json], now: int) -> "Match":
        """Compare the request's arguments with those that were received at `now`, in microseconds."""
        recorded, time = (self.request.args or [], self.request.time) if self.request else ([], 0)
        ids, differing = {}, 0
        for steps in differing_paths(recorded, args):
            one, other = value_at(recorded, steps), value_at(args, steps)
            if _are_ids(one, other):
                ids[one] = other
            elif not (_is_time(one, time) and _is_time(other, now)):
                differing += 1
        return Match(self, differing, ids)


class Match(NamedTuple):
    """An exchange for an event."""

    exchange: Exchange
    differing: int
    """How many values of the arguments differ; times and ids do not count."""
    ids: dict[str, str]
    """The received ids by the recorded ones."""


@dataclass(slots=True, eq=False)
class Session:
    """One client in one namespace, as recorded."""

    namespace: str
    sid: str | None = None
    refusal: dict[str, Json] | None = None
    """The payload of the CONNECT_ERROR, if it was refused."""
    exchanges: list[Exchange] = field(default_factory=list)


def sessions(records: Sequence[tuple[int, Record]]) -> dict[str, list[Session]]:
    """Return the sessions of each namespace, in the order of a recording: records with their lines."""
    reader = _Reader(names_clients(record for _, record in records))
    for line, record in records:
        if record.namespace is not None:
            reader.read(line, record)
    return reader.found


class _Reader:
    def __init__(self, by_client: bool) -> None:
        self.found: dict[str, list[Session]] = {}
        self._open: dict[tuple[str | None, str], Session] = {}
        """By the client and the namespace."""
        self._asked: dict[tuple[Session, int], Exchange] = {}
        self._by_client = by_client

    def read(self, line: int, record: Record) -> None:
        namespace = record.namespace or "/"
        client = record.sid if self._by_client else None
        session = self._open.get((client, namespace))
        if session is None or (record.kind is Kind.CONNECT and record.direction is Direction.OUT):
            session = self._open[client, namespace] = Session(namespace)
            session.exchanges.append(Exchange(None, line))
            self.found.setdefault(namespace, []).append(session)
        if record.direction is Direction.IN:
            self._take_answer(session, record)
        elif record.kind is Kind.EVENT and record.direction is Direction.OUT:
            session.exchanges.append(exchange := Exchange(record, line))
            if record.id is not None:
                self._asked[session, record.id] = exchange

    def _take_answer(self, session: Session, record: Record) -> None:
        if record.kind is Kind.CONNECT:
            session.sid = _sid(record)
        elif record.kind is Kind.CONNECT_ERROR:
            data = record.data if isinstance(record.data, dict) else {}
            session.refusal = {"message": record.message or str(record.data or "refused"), **data}
        elif record.kind is Kind.ACK:
            exchange = self._asked.pop((session, record.id or 0), None)
            if exchange is not None:
                exchange.answers.append(record)
        elif record.kind in (Kind.EVENT, Kind.DISCONNECT):
            session.exchanges[-1].answers.append(record)


def _sid(record: Record) -> str | None:
    sid = record.data.get("sid") if isinstance(record.data, dict) else None
    return sid if isinstance(sid, str) else record.sid


def nearest(
    exchanges: Iterable[Exchange], event: Json, args: list[Json], used: set[Exchange], now: int
) -> Match | None:
    """Return the match with the fewest differences, one that was not used before others, or None."""
    found = [each for each in exchanges if each.request is not None and each.request.event == event]
    matches = (each.match(args, now) for each in found)
    return min(matches, key=lambda each: (each.differing, each.exchange in used), default=None)


def replaced(value: Json, ids: Mapping[Json, Json]) -> Json:
    """Return a value with the ids of this run in place of the recorded ones: texts, or numbers too."""
    if isinstance(value, str) or is_number(value):
        return ids.get(value, value)
    if isinstance(value, list):
        return [replaced(each, ids) for each in value]
    if isinstance(value, dict):
        return {str(ids.get(key, key)): replaced(each, ids) for key, each in value.items()}
    return value


def _are_ids(one: Json, other: Json) -> bool:
    return isinstance(one, str) and isinstance(other, str) and may_be_id(one) and may_be_id(other)


def _is_time(value: Json, time: int) -> bool:
    return (isinstance(value, str) or is_number(value)) and is_time(value, time)


def all_exchanges(found: Iterable[Session]) -> Iterator[Exchange]:
    """Yield the exchanges of several sessions."""
    for session in found:
        yield from session.exchanges
