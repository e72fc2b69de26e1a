"""What a proxy has relayed, in numbers: sessions, events, missing acknowledgements and refusals."""

from collections import Counter
from collections.abc import Iterable, Iterator

from nsroom.proxy.heartbeats import HELD
from nsroom.proxy.marks import is_pending
from nsroom.record import Direction, Json, Kind, Record

_MAX_WAITING = 100_000
"""Events that may wait for an acknowledgement; the oldest are counted as unanswered before."""
_MAX_NAMES = 1000
_MAX_NAME = 100
"""Characters."""
_SHOWN = 10
"""The number of names in a line."""
_OTHERS = "…"
_OPPOSITE = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}
_EVENT, _ACK = Kind.EVENT, Kind.ACK

_Key = tuple[str | None, Direction, str | None, int]
"""Session, direction, namespace and id of an event that waits for its acknowledgement."""


class Totals:
    """Counts records."""

    def __init__(self, hold: bool = False) -> None:
        """`hold` tells whether sessions are held, as the lines then tell how often."""
        self._hold = hold
        self._held = 0
        self._transports: Counter[str] = Counter()
        self._events: Counter[Direction] = Counter()
        self._waiting: dict[_Key, str] = {}
        self._given_up: Counter[str] = Counter()
        self._handshakes: Counter[str] = Counter()
        self._namespaces: Counter[str] = Counter()

    def add(self, records: Iterable[Record]) -> None:
        """Count records."""
        for record in records:
            if record.data is not None and is_pending(record):
                continue
            if record.kind is _EVENT:
                self._add_event(record)
            elif record.kind is _ACK:
                key = record.sid, _OPPOSITE[record.direction], record.namespace, record.id or 0
                self._waiting.pop(key, None)
            else:
                self._add_other(record)

    def to_json(self) -> dict[str, Json]:
        """Return the numbers as JSON."""
        return {
            "sessions": self._transports["polling"] + self._transports["websocket"],
            "transports": {name: self._transports[name] for name in ("polling", "websocket", "upgraded")},
            "events": {str(way): self._events[way] for way in _OPPOSITE},
            "unanswered": dict(self._unanswered()),
            "refused": {"handshakes": dict(self._handshakes), "namespaces": dict(self._namespaces)},
            "held": self._held,
        }

    def lines(self) -> Iterator[str]:
        """Yield the numbers as lines for the user."""
        by = self._transports
        sessions = by["polling"] + by["websocket"]
        yield (
            f"sessions: {sessions:,} ({by['websocket']:,} WebSocket, "
            f"{by['polling']:,} polling, {by['upgraded']:,} of them upgraded)"
        )
        yield f"events: {self._events[Direction.IN]:,} in, {self._events[Direction.OUT]:,} out"
        yield f"unanswered acknowledgements: {_listed(self._unanswered())}"
        yield f"refused handshakes: {_listed(self._handshakes)}"
        yield f"refused namespaces: {_listed(self._namespaces)}"
        if self._hold:
            yield f"heartbeats sent by --hold: {self._held:,}"

    def _add_event(self, record: Record) -> None:
        self._events[record.direction] += 1
        if record.id is None:
            return
        if len(self._waiting) >= _MAX_WAITING:
            _count(self._given_up, self._waiting.pop(next(iter(self._waiting))))
        self._waiting[record.sid, record.direction, record.namespace, record.id] = str(record.event)[
            :_MAX_NAME
        ]

    def _add_other(self, record: Record) -> None:
        if record.reason == HELD:
            self._held += 1
        elif record.kind is Kind.OPEN:
            self._transports[record.data["transport"]] += 1
        elif record.kind is Kind.UPGRADE:
            self._transports["upgraded"] += 1
        elif record.kind is Kind.CONNECT_ERROR and record.direction is Direction.LOCAL:
            _count(self._handshakes, record.reason or record.message or "")
        elif record.kind is Kind.CONNECT_ERROR and record.direction is Direction.IN:
            _count(self._namespaces, f"{record.namespace}: {record.message or 'no reason given'}")

    def _unanswered(self) -> Counter[str]:
        names = self._given_up.copy()
        for name in self._waiting.values():
            _count(names, name)
        return names


def _count(names: Counter[str], name: str) -> None:
    name = name[:_MAX_NAME]
    names[name if name in names or len(names) < _MAX_NAMES else _OTHERS] += 1


def _listed(names: Counter[str]) -> str:
    """Return the sum, and the most frequent names."""
    if not names:
        return "0"
    shown = [f"{count:,} {name}" for name, count in names.most_common(_SHOWN)]
    more = [_OTHERS] if len(names) > _SHOWN else []
    return f"{names.total():,} ({', '.join(shown + more)})"
