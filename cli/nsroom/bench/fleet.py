"""The clients of one process: how they come, and who of them is there."""

import asyncio
import json
import ssl
import time
from collections.abc import Sequence

from nsroom.bench.client import Connection, Failure, cause_of, hello
from nsroom.bench.plan import Plan, Seat
from nsroom.bench.schedule import SECOND
from nsroom.bench.tally import Stopwatch, Tally
from nsroom.client.events import fill
from nsroom.client.transports.tls import client_context
from nsroom.record import Json

LOST = "connection lost"
_AT_ONCE = 32
"""Clients that connect at the same time, where there is no ramp."""


class Fleet:
    """Opens the connections, and keeps the list of those that live."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.connections: list[Connection] = []
        self.tally = Tally()
        """Of the step that is under way."""
        self.stop = asyncio.Event()
        """Is set when that is to end at once."""
        self._hello = hello(plan.place)
        self._tls = _tls(plan)
        self._by_seat: dict[Seat, Connection] = {}

    async def wait(self, seconds: float) -> bool:
        """Wait so long; false when the step is to end before, or nobody is left."""
        if not self.stop.is_set():
            try:
                async with asyncio.timeout(max(0.0, seconds)):
                    await self.stop.wait()
            except TimeoutError:
                return bool(self.connections)
        return False

    async def connect(self) -> None:
        """Let every client connect, at once or over the time of the ramp."""
        watch = Stopwatch()
        seats = list(self.plan.load.seats(self.plan.worker))
        ramp = self.plan.load.ramp
        coming = asyncio.create_task(self._ramp(seats, watch) if ramp else self._rush(seats, watch))
        stopped = asyncio.create_task(self.stop.wait())
        await asyncio.wait([coming, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in (coming, stopped):
            task.cancel()
        await asyncio.gather(coming, stopped, return_exceptions=True)
        watch.stop(self.tally)

    async def _rush(self, seats: Sequence[Seat], watch: Stopwatch) -> None:
        left = iter(seats)

        async def some() -> None:
            for seat in left:
                await self._open(seat, time.monotonic_ns(), watch)

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(some())

    async def _ramp(self, seats: Sequence[Seat], watch: Stopwatch) -> None:
        load = self.plan.load
        async with asyncio.TaskGroup() as group:
            for seat in seats:
                due = watch.start + round(load.ramp * SECOND * seat.client / load.clients)
                if (wait := (due - time.monotonic_ns()) / SECOND) > 0:
                    await asyncio.sleep(wait)
                group.create_task(self._open(seat, time.monotonic_ns(), watch))

    async def _open(self, seat: Seat, started: int, watch: Stopwatch) -> None:
        self.tally.sent += 1
        connection = Connection(self._hello, seat, self._lost)
        try:
            async with asyncio.timeout(self.plan.place.timeout):
                await self._reach(connection)
                await connection.ready
        except TimeoutError:
            self.tally.error(f"no connection within {self.plan.place.timeout:g} s")
        except Failure as failure:
            self.tally.error(str(failure))
        except OSError as error:
            self.tally.error(cause_of(error))
        else:
            self._welcome(connection, started, watch)
        finally:
            if seat not in self._by_seat:
                connection.abandon()

    def _welcome(self, connection: Connection, started: int, watch: Stopwatch) -> None:
        now = time.monotonic_ns()
        watch.lap(now)
        self.tally.histogram.record(now - started)
        self.tally.answered += 1
        self._by_seat[connection.seat] = connection
        self.connections.append(connection)

    async def _reach(self, connection: Connection) -> None:
        place = self.plan.place
        await asyncio.get_running_loop().create_connection(
            lambda: connection,
            place.address,
            place.port,
            ssl=self._tls,
            server_hostname=place.host if self._tls else None,
        )

    def _lost(self, connection: Connection, cause: str) -> None:
        self.tally.error(f"{LOST}: {cause}")
        if self._by_seat.pop(connection.seat, None):
            self.connections.remove(connection)
        if not self.connections:
            self.stop.set()

    def close(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            connection.leave()


def _tls(plan: Plan) -> ssl.SSLContext | None:
    return client_context(plan.place.insecure, plan.place.cacert) if plan.place.tls else None


def room_name(plan: Plan, room: int) -> str:
    """Give the name of a room."""
    return f"nsroom-bench-{plan.run}-{room}"


def phrase(value: list[Json], room: str, text: str) -> bytes:
    """Write an event as JSON, with this in the place of every `{room}` and `{text}`."""
    return json.dumps(fill(value, room=room, text=text), separators=(",", ":")).encode()
