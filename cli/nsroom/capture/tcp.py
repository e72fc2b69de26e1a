"""Put the segments of one TCP connection in order. Pure: segments in, events out. RFC 9293.

Each side has a position: the number of its next byte, counted on beyond 32 bits. A segment waits while bytes
before it are missing, or while it acknowledges bytes of the other side that are missing: those were sent
before it. So the events of both sides are in the order in which the peers can have seen them, also where the
packets were captured in another.

What is missing may still come: captured late, or lost and sent again. `give_up` decides that it will not,
and turns it into a Hole: soon if its receiver has acknowledged it, else after a while, and whenever more
waits than the limits allow. Bytes that were delivered, or given up, are ignored when they come again.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from nsroom.capture.packets import ACK, FIN, RST, SYN, Segment

MAX_WAITING = 2**20
"""Bytes of a connection that wait for missing ones: a large window."""
OVERHEAD = 400
"""Bytes that a waiting segment takes besides its data."""
PATIENCE, ACKNOWLEDGED_PATIENCE = 30_000_000, 200_000
"""Microseconds to wait for missing bytes: peers send them again, unless they have arrived."""
_WRAP = 1 << 32
_FAR = 1 << 30
"""The largest window. A position further away is not of this connection."""


class Data(NamedTuple):
    """Bytes of a side; `time` is that of the packet which completed them."""

    side: int
    time: int
    data: bytes


class Hole(NamedTuple):
    """Bytes of a side that are missing."""

    side: int
    time: int
    size: int


class End(NamedTuple):
    """The end of a side's bytes."""

    side: int
    time: int


class Reset(NamedTuple):
    """The end of the connection."""

    side: int
    time: int


Event = Data | Hole | End | Reset


class _Waiting(NamedTuple):
    """A segment that waits, ordered by its position."""

    start: int
    arrival: int
    acknowledged: int
    time: int
    data: bytes
    missing: int
    is_last: bool

    @property
    def end(self) -> int:
        return self.start + len(self.data) + self.missing + self.is_last


@dataclass(slots=True)
class _Side:
    next: int = -1
    """The position of the next byte; negative while it is unknown."""
    is_known: bool = False
    """Whether that is more than a guess from a later segment: bytes before it may still come."""
    first: int = -1
    """The position of the first byte, if the connection was seen from its start."""
    acknowledged: int = -1
    """What the other side has acknowledged."""
    ended: bool = False
    waiting: list[_Waiting] = field(default_factory=list)

    def guess(self, position: int) -> None:
        """Use the position of a segment as that of the next byte, if it is the first so far."""
        if self.next < 0 or (not self.is_known and position < self.next):
            self.next = position

    def position(self, number: int) -> int:
        """Return the position nearest to the next one that has this sequence number."""
        if self.next < 0:
            return number + _WRAP
        return self.next + (number - self.next + _WRAP // 2) % _WRAP - _WRAP // 2


class Connection:
    """The bytes of both sides, numbered 0 and 1."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes that waiting segments take in memory."""
        self.is_closed = False
        self._sides = (_Side(), _Side())
        self._arrivals = 0
        self._time = 0
        """Of the last event: they are in order of time."""

    @property
    def waits_since(self) -> int | None:
        """When the segment arrived that has waited longest, or None if nothing waits."""
        blocked = self._blocked()
        return None if blocked is None else self._sides[blocked].waiting[0].time

    def is_reused(self, side: int, segment: Segment) -> bool:
        """Return whether a segment starts another connection between the same endpoints."""
        own = self._sides[side]
        if own.next < 0:
            return False
        start = own.position(segment.sequence)
        if not segment.flags & SYN:
            return bool(segment.data) and abs(start - own.next) > _FAR
        return start + 1 != own.first and (own.first >= 0 or start >= own.next or start < own.next - _FAR)

    def add(self, side: int, segment: Segment, time: int) -> Iterable[Event]:
        """Return the events of a segment, and of those that waited for it; use each before the next."""
        if self.is_closed:
            return ()
        own, other = self._sides[side], self._sides[1 - side]
        start, acknowledged = self._place(own, other, segment)
        if abs(start - own.next) > _FAR or abs(acknowledged - other.next) > _FAR:
            return ()
        # Nearly all packets are a mere acknowledgement or the next data: this takes half the time.
        if not (self.size or segment.missing or segment.flags & (FIN | RST)):
            if not segment.data:
                return ()
            if start == own.next and acknowledged <= other.next and not own.ended:
                own.next, own.is_known = start + len(segment.data), True
                self._time = max(self._time, time)
                return (Data(side, self._time, segment.data),)
        return self._add(side, segment, time, start, acknowledged)

    def _add(self, side: int, segment: Segment, time: int, start: int, acknowledged: int) -> Iterator[Event]:
        own = self._sides[side]
        is_last = bool(segment.flags & FIN)
        if segment.data or segment.missing or is_last:
            self._arrivals += 1
            waiting = _Waiting(
                start, self._arrivals, acknowledged, time, segment.data, segment.missing, is_last
            )
            insort(own.waiting, waiting)
            self.size += len(waiting.data) + OVERHEAD
            yield from self._deliver()
            while self.size > MAX_WAITING:
                yield from self._skip()
        if segment.flags & RST:
            yield from self.give_up()
            self.is_closed = True
            self._time = max(self._time, time)
            yield Reset(side, self._time)

    def give_up(self, before: int | None = None) -> Iterator[Event]:
        """Yield what waits, with Holes for what is missing; `before` a time only what is overdue by then."""
        while (blocked := self._blocked()) is not None:
            if before is not None and before < self._sides[blocked].waiting[0].time + self._patience(blocked):
                return
            yield from self._skip()

    def _place(self, own: _Side, other: _Side, segment: Segment) -> tuple[int, int]:
        """Return the positions of a segment, and of what it acknowledges."""
        start = own.position(segment.sequence)
        if segment.flags & SYN:
            start += 1
            if not own.is_known:
                own.first = own.next = start
                own.is_known = True
        else:
            own.guess(start)
        acknowledged = other.next
        if segment.flags & ACK and not segment.flags & RST:
            acknowledged = other.position(segment.acknowledged)
            other.guess(acknowledged)
            if acknowledged - other.next <= _FAR:
                other.acknowledged = max(other.acknowledged, acknowledged)
        return start, acknowledged

    def _deliver(self) -> Iterator[Event]:
        """Yield the events of the segments that need not wait any more."""
        while (side := self._ready()) is not None:
            own = self._sides[side]
            segment = own.waiting.pop(0)
            self.size -= len(segment.data) + OVERHEAD
            if segment.end > own.next and not own.ended:
                yield from self._events(side, own, segment)

    def _events(self, side: int, own: _Side, segment: _Waiting) -> Iterator[Event]:
        self._time = max(self._time, segment.time)
        data = segment.data[own.next - segment.start :]
        end = segment.end
        own.is_known = True
        own.next += len(data)
        missing = end - segment.is_last - own.next
        own.next = end
        if data:
            yield Data(side, self._time, data)
        if missing > 0:
            yield Hole(side, self._time, missing)
        if segment.is_last:
            own.ended = True
            self.is_closed = all(each.ended for each in self._sides)
            yield End(side, self._time)

    def _ready(self) -> int | None:
        """Return the side whose first segment is next, or None."""
        ready = [side for side in (0, 1) if self._is_ready(side)]
        return min(ready, key=self._arrival) if ready else None

    def _is_ready(self, side: int) -> bool:
        own, other = self._sides[side], self._sides[1 - side]
        if not own.waiting:
            return False
        first = own.waiting[0]
        return first.start <= own.next and (first.acknowledged <= other.next or first.end <= own.next)

    def _arrival(self, side: int) -> int:
        return self._sides[side].waiting[0].arrival

    def _blocked(self) -> int | None:
        """Return the side whose first segment waits longest, or None if nothing waits."""
        waiting = [side for side in (0, 1) if self._sides[side].waiting]
        return min(waiting, key=self._arrival) if waiting else None

    def _patience(self, side: int) -> int:
        """Return how long the first segment of a side should wait."""
        own, other = self._sides[side], self._sides[1 - side]
        first = own.waiting[0]
        is_received = first.acknowledged > other.next or own.acknowledged >= first.start
        return ACKNOWLEDGED_PATIENCE if is_received else PATIENCE

    def _skip(self) -> Iterator[Event]:
        """Yield one Hole before the segment that waits longest, and the events that follow from it."""
        side = self._blocked()
        if side is None:
            return
        own, other = self._sides[side], self._sides[1 - side]
        first = own.waiting[0]
        if first.start > own.next:
            yield from self._hole(side, first.start, first.time)
        else:
            stop = min([first.acknowledged, *(each.start for each in other.waiting[:1])])
            if stop > other.next:
                yield from self._hole(1 - side, stop, first.time)
            else:  # each side acknowledges what the other has not sent
                own.waiting[0] = first._replace(acknowledged=other.next)
        yield from self._deliver()

    def _hole(self, side: int, stop: int, time: int) -> Iterator[Event]:
        """Yield the Hole up to the position `stop`, before a segment captured at `time`."""
        own = self._sides[side]
        self._time = max(self._time, time)
        size, own.next, own.is_known = stop - own.next, stop, True
        if not own.ended:
            yield Hole(side, self._time, size)
