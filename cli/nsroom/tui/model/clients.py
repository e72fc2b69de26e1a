"""The observed clients, numbered because a number is easier to recognise than a sid."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from nsroom.record import Json, Kind, Record
from nsroom.tui.model.rates import Rate

_MAX_CLIENTS = 10_000
_TIMEOUT = 120_000_000
"""Microseconds of silence after which a client counts as disconnected, if no handshake gave its heartbeat."""
_NEVER = 1 << 63


@dataclass(slots=True)
class ObservedClient:
    """One Engine.IO session or, seen through an admin namespace, one socket of a namespace."""

    sid: str
    number: int
    last_seen: int
    """Microseconds since the epoch."""
    timeout: int = _TIMEOUT
    opened: bool = False
    """Whether the start of its session was seen: it can then leave a namespace and stay connected."""
    closed: bool = False
    rate: Rate = field(default_factory=Rate)

    def is_connected(self, now: int) -> bool:
        """Return whether the client has neither closed nor timed out, as an abandoned long poll does."""
        return not self.closed and now - self.last_seen < self.timeout


class Clients:
    """All clients, in the order of their first record."""

    def __init__(self) -> None:
        self.by_sid: OrderedDict[str, ObservedClient] = OrderedDict()
        self.rate = Rate()
        """The events of all clients, in both directions."""
        self._last = 0
        self._listed = False

    def sync(self, sids: Iterable[str], now: int) -> None:
        """Learn which clients are connected from a server that lists them; silence then means nothing."""
        self._listed = True
        connected = dict.fromkeys(sids)
        for sid in connected:
            if sid not in self.by_sid:
                self._add(sid, now)
        for sid, client in self.by_sid.items():
            client.timeout, client.closed = _NEVER, sid not in connected

    def learn(self, record: Record) -> None:
        """Learn from a record: of one client, or of an event to several."""
        if record.sid is None:
            if record.kind is Kind.EVENT:
                self.rate.add(record.time // 1_000_000)
            return
        client = self.by_sid.get(record.sid) or self._add(record.sid, record.time)
        client.last_seen = max(client.last_seen, record.time)
        if record.kind is Kind.EVENT:
            for rate in (self.rate, client.rate):
                rate.add(record.time // 1_000_000)
        elif record.kind is Kind.OPEN:
            client.opened, client.timeout = True, _timeout(record.data)
        client.closed = record.kind is Kind.CLOSE or (record.kind is Kind.DISCONNECT and not client.opened)

    def _add(self, sid: str, time: int) -> ObservedClient:
        self._last += 1
        client = self.by_sid[sid] = ObservedClient(
            sid, self._last, time, _NEVER if self._listed else _TIMEOUT
        )
        if len(self.by_sid) > _MAX_CLIENTS:
            self.by_sid.popitem(last=False)
        return client

    def label(self, sid: str | None) -> str:
        """Return the client's number as `#1`, or nothing if the client is unknown."""
        client = self.by_sid.get(sid) if sid else None
        return f"#{client.number}" if client else ""

    @property
    def label_width(self) -> int:
        """The width of the widest label."""
        return max(len(f"#{self._last}"), 3)

    def count_connected(self, now: int) -> int:
        """Return the number of clients that are connected."""
        return sum(client.is_connected(now) for client in self.by_sid.values())


def _timeout(handshake: Json) -> int:
    match handshake:
        case {"pingInterval": int() as interval, "pingTimeout": int() as timeout}:
            return (interval + timeout) * 1000
    return _TIMEOUT
