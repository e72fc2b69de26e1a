"""Get the clients of one process into their rooms."""

import asyncio
import time

from nsroom.bench.client import Connection, ignore, refusal
from nsroom.bench.fleet import Fleet, phrase, room_name
from nsroom.bench.schedule import SECOND
from nsroom.bench.tally import Stopwatch

_AT_ONCE = 50
_PATIENCE = 2.0
"""Seconds to wait for a server that may never acknowledge a join."""


class Joining:
    """Asks for every client, a few at a time."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._answered = asyncio.Event()

    async def run(self) -> None:
        """Ask, and wait for the answers; a server that gives none to the first clients is not waited for."""
        watch = Stopwatch()
        connections = list(self._fleet.connections)
        for at in range(0, len(connections), _AT_ONCE):
            some = connections[at : at + _AT_ONCE]
            self._ask(some)
            if at == 0 or self._fleet.tally.answered:
                await self._answers(some)
        for connection in connections:
            connection.hear = ignore
            connection.waiting.clear()
        watch.stop(self._fleet.tally)

    def _ask(self, connections: list[Connection]) -> None:
        plan = self._fleet.plan
        for connection in connections:
            connection.hear = self._hear
            name = room_name(plan, connection.seat.room)
            number = connection.emit(phrase(plan.phrases.join, name, ""))
            connection.waiting[number] = time.monotonic_ns()
            self._fleet.tally.sent += 1

    async def _answers(self, connections: list[Connection]) -> None:
        until = time.monotonic_ns() + round(_PATIENCE * SECOND)
        while any(each.waiting for each in connections) and time.monotonic_ns() < until:
            answered = self._fleet.tally.answered
            if not await self._fleet.wait(0.02):
                return
            if self._fleet.tally.answered > answered:
                until = time.monotonic_ns() + round(_PATIENCE * SECOND)

    def _hear(self, connection: Connection, packet: bytes) -> None:
        number = connection.answered(packet)
        if number is None or connection.waiting.pop(number, None) is None:
            return
        self._fleet.tally.answered += 1
        if code := refusal(packet):
            self._fleet.tally.error(f"refused to join: {code}")
