"""What a server has emitted lately, for clients whose connection was lost. Pure: the caller gives the time.

Events, and the rooms that clients enter and leave, are kept in one order. So the search for what a client has
missed goes backwards, from the rooms that it is in now to those that it was in when an event was emitted.

An event's offset is the time of its emission, to tell an offset that is no longer kept from one that was
never sent. Entries are dropped when no client can need them, or before that if they take too much space;
then clients that may have missed them are not recovered.
"""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import count

from nsroom_server.engineio.packets import Outgoing, PacketType
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.rooms import Room

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_LENGTH = 7
"""Digits of a time, until the year 2109."""
_MOST = 20_000
"""Entries to look through for one client: it takes 5 ms."""
_EVENT_SIZE = 600
_CHANGE_SIZE = 300
"""Bytes that an entry takes besides its packets."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was emitted."""

    at: float
    offset: str
    namespace: str
    packets: Sequence[Outgoing]
    to: frozenset[str] | None
    skip: frozenset[str]

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        return _EVENT_SIZE + 2 * sum(packet.size for packet in self.packets) + 64 * len(self.skip)

    def reaches(self, client: Client, rooms: set[str]) -> bool:
        """Return whether it is for a client that is in these rooms."""
        return (
            self.namespace == client.namespace
            and (self.to is None or not rooms.isdisjoint(self.to))
            and client.sid not in self.skip
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A client has entered or left a room."""

    at: float
    client: Client
    room: str
    entered: bool
    size = _CHANGE_SIZE


class EventLog:
    """The entries of the last `age` seconds, of `limit` bytes at most."""

    def __init__(self, age: float, limit: int) -> None:
        self._age = age
        self._limit = limit
        self._entries: deque[Event | Change] = deque()
        self._start = 0
        """The position of the oldest entry."""
        self._positions: dict[str, int] = {}
        self._size = 0
        self._milliseconds = 0
        self._same = count(1)
        self._dropped_until = 0
        """The offset's time of the newest event that is no longer kept."""
        self._lost_at = float("-inf")
        """When the newest entry was added that was dropped before its time."""

    @property
    def end(self) -> int:
        """The position of the next entry."""
        return self._start + len(self._entries)

    def add_event(
        self,
        packets: Sequence[Outgoing],
        namespace: str,
        to: Room,
        skip: Collection[str],
        now: tuple[float, float],
    ) -> list[Outgoing]:
        """Add an event, and return its packets with the offset as the last argument.

        `now` is the loop's time and the time since the epoch, in seconds.
        """
        at, wall = now
        offset = self._next_offset(wall)
        first, *attachments = packets
        stamped = [Outgoing(PacketType.MESSAGE, f'{first.text[1:-1]},"{offset}"]'), *attachments]
        rooms = None if to is None else frozenset((to,) if isinstance(to, str) else to)
        self._positions[offset] = self.end
        self._add(Event(at, offset, namespace, stamped, rooms, frozenset(skip)))
        return stamped

    def add_change(self, client: Client, room: str, entered: bool, at: float) -> None:
        """Add that a client has entered or left a room."""
        self._add(Change(at, client, room, entered))

    def find_start(self, offset: str | None, opened: int, received_until: float) -> int | None:
        """Return where the events begin that a client has not received, or None if some are not kept.

        It has received the event with this offset, or none since it connected at position `opened`; and
        whatever was sent before the time `received_until`.
        """
        if offset in self._positions:
            return self._positions[offset] + 1
        if offset is None and opened >= self._start:
            return opened
        if offset is not None and not self._is_dropped(offset):
            return None
        return self._start if self._lost_at < received_until else None

    def missed(self, client: Client, rooms: Collection[str], start: int) -> list[Sequence[Outgoing]] | None:
        """Return the events for a client from a position on, or None if it is too far back.

        `rooms` are those that it is in now.
        """
        if start < self._start or self.end - start > _MOST:
            return None
        inside = {client.sid, *rooms}
        found: list[Sequence[Outgoing]] = []
        for entry, _ in zip(reversed(self._entries), range(self.end - start), strict=False):
            if isinstance(entry, Event):
                if entry.reaches(client, inside):
                    found.append(entry.packets)
            elif entry.client == client:
                (inside.discard if entry.entered else inside.add)(entry.room)
        return found[::-1]

    def _add(self, entry: Event | Change) -> None:
        self._entries.append(entry)
        self._size += entry.size
        while self._size > self._limit:
            self._lost_at = self._drop()
        while self._entries and self._entries[0].at < entry.at - self._age:
            self._drop()

    def _drop(self) -> float:
        entry = self._entries.popleft()
        self._start += 1
        self._size -= entry.size
        if isinstance(entry, Event):
            del self._positions[entry.offset]
            self._dropped_until = _milliseconds(entry.offset)
        return entry.at

    def _next_offset(self, wall: float) -> str:
        now = int(wall * 1000)
        if now > self._milliseconds:
            self._milliseconds, self._same = now, count(1)
            return _digits(now).rjust(_LENGTH, "0")
        return f"{_digits(self._milliseconds).rjust(_LENGTH, '0')}.{_digits(next(self._same))}"

    def _is_dropped(self, offset: str) -> bool:
        return 0 < _milliseconds(offset) <= self._dropped_until


def _digits(number: int) -> str:
    digits = ""
    while number:
        number, last = divmod(number, len(_DIGITS))
        digits = _DIGITS[last] + digits
    return digits


def _milliseconds(offset: str) -> int:
    """Return the time of an offset, or 0 if it has none."""
    digits = offset.partition(".")[0]
    if len(digits) != _LENGTH or not _VALUES.keys() >= set(digits):
        return 0
    total = 0
    for digit in digits:
        total = total * len(_DIGITS) + _VALUES[digit]
    return total
