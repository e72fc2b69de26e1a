"""Round trips: every client emits events and waits for their acknowledgements."""

import time

from nsroom.bench.client import NOT_READ, Connection, ignore, refusal
from nsroom.bench.fleet import Fleet, phrase, room_name
from nsroom.bench.schedule import SECOND, Schedule, sending
from nsroom.bench.tally import Stopwatch

_SWEEP = 0.1
"""Seconds between two looks for what was not answered in time."""


class Acks:
    """The clients of one process, at work."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._tally = fleet.tally
        self._load = fleet.plan.load
        self._bodies = {
            room: phrase(fleet.plan.phrases.ack, room_name(fleet.plan, room), "x" * self._load.size)
            for room in range(self._load.rooms)
        }
        self._is_open = True
        self._is_mute = False
        """Whether the server seems to acknowledge nothing."""
        self._watch = Stopwatch()

    async def run(self) -> None:
        """Send for as long as the plan says, then wait for what is still to come."""
        for connection in self._fleet.connections:
            connection.hear = self._hear
        if self._load.rate is None:
            await self._saturate()
        else:
            await self._keep_to(self._load.rate)
        self._is_open = False
        while self._is_waiting() and not self._is_mute and await self._fleet.wait(_SWEEP):
            self._sweep()
        for connection in self._fleet.connections:
            connection.hear = ignore
            connection.waiting.clear()
        self._watch.stop(self._tally)

    async def _saturate(self) -> None:
        now = time.monotonic_ns()
        for connection in self._fleet.connections:
            for _ in range(self._load.in_flight):
                self._send(connection, now)
        await self._last(self._load.duration)

    async def _keep_to(self, rate: float) -> None:
        connections = list(self._fleet.connections)
        if not connections:
            return
        schedule = Schedule(rate * len(connections) / self._load.clients, self._watch.start)
        with sending(schedule, self._watch.start, connections, self._send):
            await self._last(self._load.duration)

    async def _last(self, seconds: float) -> None:
        """Let it go on for so long, unless no answer ever comes."""
        until = time.monotonic_ns() + round(seconds * SECOND)
        while (left := until - time.monotonic_ns()) > 0:
            if not await self._fleet.wait(min(_SWEEP, left / SECOND)):
                return
            self._sweep()
            taken = time.monotonic_ns() - self._watch.start
            self._is_mute = not self._tally.answered and taken > self._load.timeout * SECOND
            if self._is_mute:
                return

    def _is_waiting(self) -> bool:
        return any(connection.waiting for connection in self._fleet.connections)

    def _sweep(self) -> None:
        oldest = time.monotonic_ns() - round(self._load.timeout * SECOND)
        for connection in list(self._fleet.connections):
            while connection.waiting and next(iter(connection.waiting.values())) < oldest:
                del connection.waiting[next(iter(connection.waiting))]
                self._tally.error(f"no acknowledgement within {self._load.timeout:g} s")
                if self._tally.answered:
                    self._go_on(connection)

    def _send(self, connection: Connection, intended: int) -> None:
        if connection.is_full:
            self._tally.error(NOT_READ)
            return
        connection.waiting[connection.emit(self._bodies[connection.seat.room])] = intended
        self._tally.sent += 1

    def _hear(self, connection: Connection, packet: bytes) -> None:
        number = connection.answered(packet)
        intended = connection.waiting.pop(number, None) if number is not None else None
        if intended is None:
            return
        now = time.monotonic_ns()
        if (code := refusal(packet)) is None:
            self._tally.histogram.record(now - intended)
            self._tally.answered += 1
        else:
            self._tally.error(f"refused: {code}")
        self._watch.lap(now)
        self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        if self._is_open and self._load.rate is None:
            self._send(connection, time.monotonic_ns())
