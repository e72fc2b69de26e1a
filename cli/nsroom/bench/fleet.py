"""The load-test clients of one worker process: connect them, and keep track of the open connections."""

import asyncio
import json
import ssl
import time
from collections.abc import Sequence

from nsroom.bench.client import ConnectFailure, Connection, cause_of, make_templates
from nsroom.bench.plan import Member, Plan
from nsroom.bench.schedule import SECOND
from nsroom.bench.tally import Stopwatch, Tally
from nsroom.client.events import fill
from nsroom.client.transports.http_proxy import create_connection
from nsroom.client.transports.tls import client_context
from nsroom.record import Json

LOST = "connection lost"
_CONCURRENCY = 32
"""Clients that connect at the same time without a ramp."""


class Fleet:
    """Opens the connections and lists those that are open."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.connections: list[Connection] = []
        self.tally = Tally()
        """The counts of the current step."""
        self.stop = asyncio.Event()
        """Set to end the current step at once."""
        self._templates = make_templates(plan.endpoint)
        self._tls = _tls(plan)
        self._by_member: dict[Member, Connection] = {}

    async def wait(self, seconds: float) -> bool:
        """Wait `seconds`; return False if the step must end or no connection is open."""
        if not self.stop.is_set():
            try:
                async with asyncio.timeout(max(0.0, seconds)):
                    await self.stop.wait()
            except TimeoutError:
                return bool(self.connections)
        return False

    async def connect(self) -> None:
        """Connect all clients, over the ramp or as fast as possible."""
        watch = Stopwatch()
        members = list(self.plan.load.members(self.plan.worker))
        connect = self._connect_over_ramp if self.plan.load.ramp else self._connect_at_once
        connecting = asyncio.create_task(connect(members, watch))
        stopped = asyncio.create_task(self.stop.wait())
        await asyncio.wait([connecting, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in (connecting, stopped):
            task.cancel()
        await asyncio.gather(connecting, stopped, return_exceptions=True)
        watch.stop(self.tally)

    async def _connect_at_once(self, members: Sequence[Member], watch: Stopwatch) -> None:
        remaining = iter(members)

        async def connect_some() -> None:
            for member in remaining:
                await self._connect(member, time.monotonic_ns(), watch)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CONCURRENCY):
                group.create_task(connect_some())

    async def _connect_over_ramp(self, members: Sequence[Member], watch: Stopwatch) -> None:
        load = self.plan.load
        async with asyncio.TaskGroup() as group:
            for member in members:
                due = watch.start + round(load.ramp * SECOND * member.client / load.clients)
                if (wait := (due - time.monotonic_ns()) / SECOND) > 0:
                    await asyncio.sleep(wait)
                group.create_task(self._connect(member, time.monotonic_ns(), watch))

    async def _connect(self, member: Member, started: int, watch: Stopwatch) -> None:
        self.tally.sent += 1
        connection = Connection(self._templates, member, self._on_lost)
        timeout = self.plan.endpoint.timeout
        try:
            async with asyncio.timeout(timeout):
                await self._open(connection)
                await connection.ready
        except TimeoutError:
            self.tally.error(f"no connection within {timeout:g} s")
        except ConnectFailure as failure:
            self.tally.error(str(failure))
        except OSError as error:
            self.tally.error(cause_of(error))
        else:
            self._on_connected(connection, started, watch)
        finally:
            if member not in self._by_member:
                connection.cancel()

    def _on_connected(self, connection: Connection, started: int, watch: Stopwatch) -> None:
        now = time.monotonic_ns()
        watch.lap(now)
        self.tally.histogram.record(now - started)
        self.tally.answered += 1
        self._by_member[connection.member] = connection
        self.connections.append(connection)

    async def _open(self, connection: Connection) -> None:
        endpoint = self.plan.endpoint
        await create_connection(
            lambda: connection,
            endpoint.address,
            endpoint.port,
            self._tls,
            endpoint.proxy,
            server_hostname=endpoint.host if self._tls else None,
        )

    def _on_lost(self, connection: Connection, cause: str) -> None:
        self.tally.error(f"{LOST}: {cause}")
        if self._by_member.pop(connection.member, None):
            self.connections.remove(connection)
        if not self.connections:
            self.stop.set()

    def close(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            connection.close()


def _tls(plan: Plan) -> ssl.SSLContext | None:
    end = plan.endpoint
    return client_context(end.insecure, end.cacert, end.cert, end.key) if end.tls else None


def room_name(plan: Plan, room: int) -> str:
    """Return the name of a room."""
    return f"nsroom-bench-{plan.run}-{room}"


def encode_event(event: list[Json], room: str, text: str) -> bytes:
    """Encode an event as JSON, with `{room}` and `{text}` replaced."""
    return json.dumps(fill(event, room=room, text=text), separators=(",", ":")).encode()
