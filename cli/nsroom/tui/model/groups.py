"""Figures of each event: how often it came, how fast, how large, and how quickly it was acknowledged."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from nsroom.record import Direction, Kind, Record
from nsroom.tui.model.rates import Rate

_EVENT, _OUT = Kind.EVENT, Direction.OUT
_MAX_GROUPS = 1000
_MAX_NAME = 200
"""Characters of an event's name. Longer names come only from a server that tries to fill the memory."""
_MAX_TRIPS = 255
"""Round trips kept of one event, the newest ones."""


class GroupKey(NamedTuple):
    """What the events of a group have in common."""

    namespace: str
    event: str
    is_sent: bool
    """Whether a client sent it to the server."""


@dataclass(slots=True)
class Group:
    """The events of one name, namespace and direction."""

    count: int = 0
    last: int = -1
    """The index of the last record."""
    smallest: int | None = None
    """Bytes on the wire; None if no record has its size."""
    largest: int | None = None
    rate: Rate = field(default_factory=Rate)
    trips: deque[float] | None = None
    """The last round trips in milliseconds; None, which takes no memory, without acknowledgements."""

    def add(self, record: Record, index: int) -> None:
        """Count one event."""
        self.count += 1
        self.last = index
        self.rate.add(record.time // 1_000_000)
        size = record.bytes
        if size is not None:
            self.smallest = size if self.smallest is None or size < self.smallest else self.smallest
            self.largest = size if self.largest is None or size > self.largest else self.largest

    def add_trip(self, milliseconds: float) -> None:
        """Keep the round trip of an acknowledgement."""
        if self.trips is None:
            self.trips = deque(maxlen=_MAX_TRIPS)
        self.trips.append(milliseconds)

    def median_trip(self) -> float | None:
        """Return the median of the last round trips in milliseconds, or None without acknowledgements."""
        return sorted(self.trips)[len(self.trips) // 2] if self.trips else None


class Groups:
    """All groups, in the order of their first event."""

    def __init__(self) -> None:
        self.by_key: dict[GroupKey, Group] = {}
        self.ungrouped = 0
        """The events beyond the limits on names."""

    @property
    def events(self) -> int:
        """The number of all events."""
        return sum(group.count for group in self.by_key.values()) + self.ungrouped

    def learn(self, record: Record, index: int) -> None:
        """Learn from an event or an acknowledgement."""
        if record.kind is _EVENT:
            self._add_event(record, index)
        elif record.rtt_ms is not None and record.event is not None:
            sent = record.direction is not _OUT
            group = self.by_key.get(GroupKey(record.namespace or "/", str(record.event), sent))
            if group is not None:
                group.add_trip(record.rtt_ms)

    def _add_event(self, record: Record, index: int) -> None:
        key = GroupKey(record.namespace or "/", str(record.event), record.direction is _OUT)
        group = self.by_key.get(key)
        if group is None:
            if len(self.by_key) >= _MAX_GROUPS or len(key.event) > _MAX_NAME:
                self.ungrouped += 1
                return
            group = self.by_key[key] = Group()
        group.add(record, index)
