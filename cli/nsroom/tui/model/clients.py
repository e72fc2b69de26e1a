"""The clients whose traffic passes by, each with a number that is easier to tell than its sid."""

from collections import OrderedDict
from dataclasses import dataclass, field

from nsroom.record import Json, Kind, Record
from nsroom.tui.model.rates import Rate

_MAX_CLIENTS = 10_000
_PATIENCE = 120_000_000
"""Microseconds of silence after which a client has gone, where no handshake told its heartbeat."""


@dataclass(slots=True)
class Passer:
    """A client: one Engine.IO session, or, where an administrator looks on, one socket of a namespace."""

    sid: str
    number: int
    heard: int
    """Microseconds since the epoch."""
    patience: int = _PATIENCE
    opened: bool = False
    """Whether its session was seen to begin: then it may leave a namespace and go on."""
    closed: bool = False
    rate: Rate = field(default_factory=Rate)

    def is_here(self, now: int) -> bool:
        """Tell whether it has neither ended nor been silent for too long, as a long poll that was left."""
        return not self.closed and now - self.heard < self.patience


class Clients:
    """All clients, in the order in which they came."""

    def __init__(self) -> None:
        self.by_sid: OrderedDict[str, Passer] = OrderedDict()
        self.rate = Rate()
        """The events of all, in both directions."""
        self._last = 0

    def learn(self, record: Record) -> None:
        """Take in a record that names its client."""
        if record.sid is None:
            return
        passer = self.by_sid.get(record.sid) or self._new(record.sid, record.time)
        passer.heard = max(passer.heard, record.time)
        if record.kind is Kind.EVENT:
            for rate in (self.rate, passer.rate):
                rate.add(record.time // 1_000_000)
        elif record.kind is Kind.OPEN:
            passer.opened, passer.patience = True, _patience(record.data)
        passer.closed = record.kind is Kind.CLOSE or (record.kind is Kind.DISCONNECT and not passer.opened)

    def _new(self, sid: str, time: int) -> Passer:
        self._last += 1
        passer = self.by_sid[sid] = Passer(sid, self._last, time)
        if len(self.by_sid) > _MAX_CLIENTS:
            self.by_sid.popitem(last=False)
        return passer

    def label(self, sid: str | None) -> str:
        """Name a client by its number: `#1`."""
        passer = self.by_sid.get(sid) if sid else None
        return f"#{passer.number}" if passer else ""

    @property
    def cells(self) -> int:
        """The width of the labels."""
        return max(len(f"#{self._last}"), 3)

    def here(self, now: int) -> int:
        """Count those that are connected."""
        return sum(passer.is_here(now) for passer in self.by_sid.values())


def _patience(handshake: Json) -> int:
    match handshake:
        case {"pingInterval": int() as interval, "pingTimeout": int() as timeout}:
            return (interval + timeout) * 1000
    return _PATIENCE
