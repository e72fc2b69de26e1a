"""The fan-out scenario: one client of each room sends, and the others measure the delivery time."""

import math
import time
from collections import defaultdict
from dataclasses import dataclass, field

from nsroom.bench.client import BACKLOGGED, Connection, ignore_packet, refusal
from nsroom.bench.fleet import Fleet, encode_event, room_name
from nsroom.bench.schedule import SECOND, Schedule, send_on_schedule
from nsroom.bench.tally import RoomCounts, Stopwatch, Tally

_INTERVAL = 0.1
"""Seconds between two checks of the progress."""
_DIGITS = 19
"""Digits of a stamp: nanoseconds of the system's monotonic clock, which all workers share."""
_EVENTS = b"25"


@dataclass(slots=True)
class Room:
    """A room and its members in this worker."""

    members: list[Connection] = field(default_factory=list)
    sender: Connection | None = None
    """None if the sender is in another worker."""
    outstanding: int = 0
    """Deliveries that have not arrived yet."""
    quota: float = -math.inf
    """The next message is sent when at most this many are outstanding."""
    moved: int = 0
    """When the last message was sent or delivered."""
    counts: RoomCounts = field(default_factory=RoomCounts)


class Fanout:
    """Runs the scenario in the rooms of one worker. It counts messages of other workers from the start."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.tally = Tally()
        self._load = fleet.plan.load
        self._mark = f"nsroom-{fleet.plan.run}-".encode()
        self._rooms = self._group_members()
        self._senders = [room for room in self._rooms.values() if room.sender]
        self._is_sending = True
        self._watch = Stopwatch()
        for connection in fleet.connections:
            connection.on_packet = self._on_packet

    def _group_members(self) -> dict[int, Room]:
        rooms: dict[int, Room] = defaultdict(Room)
        for connection in sorted(self._fleet.connections, key=lambda each: each.member):
            rooms[connection.member.room].members.append(connection)
        for number, room in rooms.items():
            room.counts.members = len(room.members)
            # If the workers share a room, its sender is in the first one.
            if self._load.rooms > 1 or self._fleet.plan.worker == 0:
                room.sender = room.members[0]
            self.tally.rooms[number] = room.counts
        return rooms

    async def run(self) -> None:
        """Send for the planned duration, then wait for outstanding deliveries of this worker's messages."""
        self._watch = Stopwatch()
        if self._load.rate is None:
            await self._saturate()
        else:
            await self._send_at_rate(self._load.rate)
        self._is_sending = False
        while self._is_outstanding() and await self._fleet.wait(_INTERVAL):
            continue
        self._watch.stop(self.tally)

    async def collect(self, sent: int) -> None:
        """Wait for outstanding messages from other workers, which sent `sent` in all."""
        while self._is_missing(sent) and await self._fleet.wait(_INTERVAL):
            continue
        for connection in self._fleet.connections:
            connection.on_packet = ignore_packet
        self._watch.stop(self.tally)

    async def _saturate(self) -> None:
        for room in self._senders:
            room.quota = (self._load.in_flight - 1) * (len(room.members) - 1)
            for _ in range(self._load.in_flight):
                self._send(room, time.monotonic_ns())
        await self._wait(self._load.duration)

    async def _send_at_rate(self, rate: float) -> None:
        if not self._senders:
            await self._wait(self._load.duration)
            return
        schedule = Schedule(rate * len(self._senders) / self._load.rooms, self._watch.start)
        with send_on_schedule(schedule, self._watch.start, self._senders, self._send):
            await self._wait(self._load.duration)

    async def _wait(self, seconds: float) -> None:
        """Wait while messages are sent; return early if none is delivered."""
        until = time.monotonic_ns() + round(seconds * SECOND)
        while (left := until - time.monotonic_ns()) > 0 and await self._fleet.wait(
            min(_INTERVAL, left / SECOND)
        ):
            oldest = self._oldest()
            if not self.tally.answered and self._watch.start < oldest:
                return
            for room in self._senders:
                if room.outstanding > 0 and room.moved < oldest:
                    room.members = [member for member in room.members if member.is_open]
                    room.outstanding = 0
                    self._send_next(room)

    def _oldest(self) -> int:
        """Return the time before which a room without deliveries has timed out."""
        return time.monotonic_ns() - round(self._load.timeout * SECOND)

    def _is_outstanding(self) -> bool:
        oldest = self._oldest()
        return any(room.outstanding > 0 and room.moved > oldest for room in self._senders)

    def _is_missing(self, sent: int) -> bool:
        oldest = self._oldest()
        others = (room for room in self._rooms.values() if room.sender is None)
        return any(
            room.counts.received < sent * room.counts.members and max(room.moved, self._watch.start) > oldest
            for room in others
        )

    def _send(self, room: Room, due: int) -> None:
        if not _has_sender(room):
            return
        assert room.sender is not None
        if room.sender.is_full:
            self.tally.error(BACKLOGGED)
            return
        stamp = f"{self._mark.decode()}{due:0{_DIGITS}d}-"
        text = stamp.ljust(self._load.size, "x")
        name = room_name(self._fleet.plan, room.sender.member.room)
        room.sender.emit(encode_event(self._fleet.plan.events.send, name, text))
        room.counts.sent += 1
        room.outstanding += len(room.members) - 1
        room.moved = time.monotonic_ns()
        self.tally.sent += 1

    def _on_packet(self, connection: Connection, packet: bytes) -> None:
        room = self._rooms[connection.member.room]
        if connection is room.sender:
            self._check_refusal(connection, room, packet)
            return
        now = time.monotonic_ns()
        at = packet.find(self._mark) + len(self._mark)
        stamp = packet[at : at + _DIGITS]
        if at < len(self._mark) or packet[1] not in _EVENTS or not stamp.isdigit():
            return
        self.tally.histogram.record(now - int(stamp))
        self.tally.answered += 1
        self._watch.lap(now)
        room.counts.received += 1
        room.moved = now
        room.outstanding -= 1
        if room.outstanding <= room.quota:
            self._send_next(room)

    def _check_refusal(self, connection: Connection, room: Room, packet: bytes) -> None:
        """Count a message that the server refused, and do not expect its deliveries."""
        if connection.acknowledged_id(packet) is not None and (code := refusal(packet)):
            self.tally.error(f"refused: {code}")
            room.counts.sent -= 1
            room.outstanding -= len(room.members) - 1
            self._send_next(room)

    def _send_next(self, room: Room) -> None:
        if self._is_sending and room.outstanding <= room.quota:
            self._send(room, time.monotonic_ns())


def _has_sender(room: Room) -> bool:
    """Replace a disconnected sender by another member; return whether there is one."""
    if room.sender is None or not room.sender.is_open:
        room.members = [member for member in room.members if member.is_open]
        room.sender = next(iter(room.members), None)
    return room.sender is not None
