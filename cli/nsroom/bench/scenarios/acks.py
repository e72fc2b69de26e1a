"""The ack scenario: every client emits events and waits for their acknowledgements."""

import time

from nsroom.bench.client import BACKLOGGED, Connection, ignore_packet, refusal
from nsroom.bench.fleet import Fleet, encode_event, room_name
from nsroom.bench.schedule import SECOND, Schedule, send_on_schedule
from nsroom.bench.tally import Stopwatch

_INTERVAL = 0.1
"""Seconds between two checks for events that were not answered in time."""


class Acks:
    """Runs the scenario with the clients of one worker."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._tally = fleet.tally
        self._load = fleet.plan.load
        self._bodies = {
            room: encode_event(fleet.plan.events.ack, room_name(fleet.plan, room), "x" * self._load.size)
            for room in range(self._load.rooms)
        }
        self._is_sending = True
        self._is_silent = False
        """Whether the server acknowledged nothing within the time-out."""
        self._watch = Stopwatch()

    async def run(self) -> None:
        """Send for the planned duration, then wait for outstanding answers."""
        for connection in self._fleet.connections:
            connection.on_packet = self._on_packet
        if self._load.rate is None:
            await self._saturate()
        else:
            await self._send_at_rate(self._load.rate)
        self._is_sending = False
        while self._is_pending() and not self._is_silent and await self._fleet.wait(_INTERVAL):
            self._expire()
        for connection in self._fleet.connections:
            connection.on_packet = ignore_packet
            connection.pending.clear()
        self._watch.stop(self._tally)

    async def _saturate(self) -> None:
        now = time.monotonic_ns()
        for connection in self._fleet.connections:
            for _ in range(self._load.in_flight):
                self._send(connection, now)
        await self._wait(self._load.duration)

    async def _send_at_rate(self, rate: float) -> None:
        connections = list(self._fleet.connections)
        if not connections:
            return
        schedule = Schedule(rate * len(connections) / self._load.clients, self._watch.start)
        with send_on_schedule(schedule, self._watch.start, connections, self._send):
            await self._wait(self._load.duration)

    async def _wait(self, seconds: float) -> None:
        """Wait while events are sent; return early if the server acknowledges nothing."""
        until = time.monotonic_ns() + round(seconds * SECOND)
        while (left := until - time.monotonic_ns()) > 0:
            if not await self._fleet.wait(min(_INTERVAL, left / SECOND)):
                return
            self._expire()
            elapsed = time.monotonic_ns() - self._watch.start
            self._is_silent = not self._tally.answered and elapsed > self._load.timeout * SECOND
            if self._is_silent:
                return

    def _is_pending(self) -> bool:
        return any(connection.pending for connection in self._fleet.connections)

    def _expire(self) -> None:
        """Count events without an answer in time as errors."""
        oldest = time.monotonic_ns() - round(self._load.timeout * SECOND)
        for connection in list(self._fleet.connections):
            while connection.pending and next(iter(connection.pending.values())) < oldest:
                del connection.pending[next(iter(connection.pending))]
                self._tally.error(f"no acknowledgement within {self._load.timeout:g} s")
                if self._tally.answered:
                    self._send_next(connection)

    def _send(self, connection: Connection, due: int) -> None:
        if connection.is_full:
            self._tally.error(BACKLOGGED)
            return
        connection.pending[connection.emit(self._bodies[connection.member.room])] = due
        self._tally.sent += 1

    def _on_packet(self, connection: Connection, packet: bytes) -> None:
        number = connection.acknowledged_id(packet)
        due = connection.pending.pop(number, None) if number is not None else None
        if due is None:
            return
        now = time.monotonic_ns()
        if (code := refusal(packet)) is None:
            self._tally.histogram.record(now - due)
            self._tally.answered += 1
        else:
            self._tally.error(f"refused: {code}")
        self._watch.lap(now)
        self._send_next(connection)

    def _send_next(self, connection: Connection) -> None:
        if self._is_sending and self._load.rate is None:
            self._send(connection, time.monotonic_ns())
