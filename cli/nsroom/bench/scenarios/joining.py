"""The join step: get the clients of one worker into their rooms."""

import time

from nsroom.bench.client import Connection, ignore_packet, refusal
from nsroom.bench.fleet import Fleet, encode_event, room_name
from nsroom.bench.schedule import SECOND
from nsroom.bench.tally import Stopwatch

_BATCH = 50
_TIMEOUT = 2.0
"""Seconds to wait for a server that may never acknowledge a join."""


class Joining:
    """Joins the clients in batches."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def run(self) -> None:
        """Send the joins and wait for answers; without any for the first batch, do not wait for the rest."""
        watch = Stopwatch()
        connections = list(self._fleet.connections)
        for start in range(0, len(connections), _BATCH):
            batch = connections[start : start + _BATCH]
            self._join(batch)
            if start == 0 or self._fleet.tally.answered:
                await self._wait_for_answers(batch)
        for connection in connections:
            connection.on_packet = ignore_packet
            connection.pending.clear()
        watch.stop(self._fleet.tally)

    def _join(self, connections: list[Connection]) -> None:
        plan = self._fleet.plan
        for connection in connections:
            connection.on_packet = self._on_packet
            name = room_name(plan, connection.member.room)
            number = connection.emit(encode_event(plan.events.join, name, ""))
            connection.pending[number] = time.monotonic_ns()
            self._fleet.tally.sent += 1

    async def _wait_for_answers(self, connections: list[Connection]) -> None:
        until = time.monotonic_ns() + round(_TIMEOUT * SECOND)
        while any(each.pending for each in connections) and time.monotonic_ns() < until:
            answered = self._fleet.tally.answered
            if not await self._fleet.wait(0.02):
                return
            if self._fleet.tally.answered > answered:
                until = time.monotonic_ns() + round(_TIMEOUT * SECOND)

    def _on_packet(self, connection: Connection, packet: bytes) -> None:
        number = connection.acknowledged_id(packet)
        if number is None or connection.pending.pop(number, None) is None:
            return
        self._fleet.tally.answered += 1
        if code := refusal(packet):
            self._fleet.tally.error(f"refused to join: {code}")
