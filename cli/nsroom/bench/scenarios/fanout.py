"""Fan-out: one client of each room sends, and the others tell how long it took to reach them."""

import math
import time
from collections import defaultdict
from dataclasses import dataclass, field

from nsroom.bench.client import NOT_READ, Connection, ignore, refusal
from nsroom.bench.fleet import Fleet, phrase, room_name
from nsroom.bench.schedule import SECOND, Schedule, sending
from nsroom.bench.tally import Part, Stopwatch, Tally

_STEP = 0.1
"""Seconds between two looks at how far it is."""
_DIGITS = 19
"""Of a stamp: nanoseconds of the system's monotonic clock, which all processes share."""
_EVENTS = b"25"


@dataclass(slots=True)
class Room:
    """A room, as far as its members are in this process."""

    members: list[Connection] = field(default_factory=list)
    sender: Connection | None = None
    """None where that is in another process."""
    outstanding: int = 0
    """Deliveries that are still to come."""
    quota: float = -math.inf
    """More is sent when no more than these are."""
    moved: int = 0
    """When the last one came."""
    part: Part = field(default_factory=Part)


class Fanout:
    """The rooms of one process, at work. It hears from the beginning what other processes send."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.tally = Tally()
        self._load = fleet.plan.load
        self._mark = f"nsroom-{fleet.plan.run}-".encode()
        self._rooms = self._gathered()
        self._senders = [room for room in self._rooms.values() if room.sender]
        self._is_open = True
        self._watch = Stopwatch()
        for connection in fleet.connections:
            connection.hear = self._hear

    def _gathered(self) -> dict[int, Room]:
        rooms: dict[int, Room] = defaultdict(Room)
        for connection in sorted(self._fleet.connections, key=lambda each: each.seat):
            rooms[connection.seat.room].members.append(connection)
        for number, room in rooms.items():
            room.part.members = len(room.members)
            # A room that several processes share has its sender in the first of them.
            if self._load.rooms > 1 or self._fleet.plan.worker == 0:
                room.sender = room.members[0]
            self.tally.rooms[number] = room.part
        return rooms

    async def run(self) -> None:
        """Send for as long as the plan says, then wait for what is still to come in one's own rooms."""
        self._watch = Stopwatch()
        if self._load.rate is None:
            await self._saturate()
        else:
            await self._keep_to(self._load.rate)
        self._is_open = False
        while self._is_awaited() and await self._fleet.wait(_STEP):
            continue
        self._watch.stop(self.tally)

    async def collect(self, sent: int) -> None:
        """Wait for what is still to come from other processes, which have sent so much all together."""
        while self._is_missing(sent) and await self._fleet.wait(_STEP):
            continue
        for connection in self._fleet.connections:
            connection.hear = ignore
        self._watch.stop(self.tally)

    async def _saturate(self) -> None:
        for room in self._senders:
            room.quota = (self._load.in_flight - 1) * (len(room.members) - 1)
            for _ in range(self._load.in_flight):
                self._send(room, time.monotonic_ns())
        await self._last(self._load.duration)

    async def _keep_to(self, rate: float) -> None:
        if not self._senders:
            await self._last(self._load.duration)
            return
        schedule = Schedule(rate * len(self._senders) / self._load.rooms, self._watch.start)
        with sending(schedule, self._watch.start, self._senders, self._send):
            await self._last(self._load.duration)

    async def _last(self, seconds: float) -> None:
        """Let it go on for so long, unless nothing is ever delivered."""
        until = time.monotonic_ns() + round(seconds * SECOND)
        while (left := until - time.monotonic_ns()) > 0 and await self._fleet.wait(min(_STEP, left / SECOND)):
            late = time.monotonic_ns() - round(self._load.timeout * SECOND)
            if not self.tally.answered and self._watch.start < late:
                return
            for room in self._senders:
                if room.outstanding > 0 and room.moved < late:
                    room.members = [member for member in room.members if member.is_open]
                    room.outstanding = 0
                    self._go_on(room)

    def _is_awaited(self) -> bool:
        late = time.monotonic_ns() - round(self._load.timeout * SECOND)
        return any(room.outstanding > 0 and room.moved > late for room in self._senders)

    def _is_missing(self, sent: int) -> bool:
        late = time.monotonic_ns() - round(self._load.timeout * SECOND)
        others = (room for room in self._rooms.values() if room.sender is None)
        return any(
            room.part.received < sent * room.part.members and max(room.moved, self._watch.start) > late
            for room in others
        )

    def _send(self, room: Room, intended: int) -> None:
        if not _may_send(room):
            return
        assert room.sender is not None
        if room.sender.is_full:
            self.tally.error(NOT_READ)
            return
        stamp = f"{self._mark.decode()}{intended:0{_DIGITS}d}-"
        text = stamp.ljust(self._load.size, "x")
        name = room_name(self._fleet.plan, room.sender.seat.room)
        room.sender.emit(phrase(self._fleet.plan.phrases.send, name, text))
        room.part.sent += 1
        room.outstanding += len(room.members) - 1
        room.moved = time.monotonic_ns()
        self.tally.sent += 1

    def _hear(self, connection: Connection, packet: bytes) -> None:
        room = self._rooms[connection.seat.room]
        if connection is room.sender:
            self._check(connection, room, packet)
            return
        now = time.monotonic_ns()
        at = packet.find(self._mark) + len(self._mark)
        stamp = packet[at : at + _DIGITS]
        if at < len(self._mark) or packet[1] not in _EVENTS or not stamp.isdigit():
            return
        self.tally.histogram.record(now - int(stamp))
        self.tally.answered += 1
        self._watch.lap(now)
        room.part.received += 1
        room.moved = now
        room.outstanding -= 1
        if room.outstanding <= room.quota:
            self._go_on(room)

    def _check(self, connection: Connection, room: Room, packet: bytes) -> None:
        """Look whether the server refuses what was sent."""
        if connection.answered(packet) is not None and (code := refusal(packet)):
            self.tally.error(f"refused: {code}")
            room.part.sent -= 1
            room.outstanding -= len(room.members) - 1
            self._go_on(room)

    def _go_on(self, room: Room) -> None:
        if self._is_open and room.outstanding <= room.quota:
            self._send(room, time.monotonic_ns())


def _may_send(room: Room) -> bool:
    """Let another member send where the one who did is gone; false when all are."""
    if room.sender is None or not room.sender.is_open:
        room.members = [member for member in room.members if member.is_open]
        room.sender = next(iter(room.members), None)
    return room.sender is not None
