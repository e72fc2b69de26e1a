"""The ways to a server, tried one after the other; the aiohttp one is imported when it is needed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from nsroom.connection import Connection
from nsroom.direct import DirectConnection, suits
from nsroom.errors import ConnectError, NsroomError
from nsroom.protocol.dialect import Dialect
from nsroom.target import Target, Transport

Prepare = Callable[[type[Connection], Dialect], Connection]
Open = Callable[[Connection, Transport, float], Awaitable[None]]


class Dialer:
    """Connects to one target: over WebSocket directly, then with python-socketio, then over polling."""

    def __init__(self, target: Target, prepare: Prepare, open: Open) -> None:
        """`open` raises what the network raises, or an NsroomError where no other way would help."""
        self._target = target
        self._prepare = prepare
        self._open = open

    async def dial(self, dialect: Dialect, until: float) -> Connection:
        """Give the first connection that works.

        Raises: ConnectError with the root cause, and whatever NsroomError `open` raises.
        """
        transports = self._transports()
        share = (until - asyncio.get_running_loop().time()) / len(transports)
        fault: ConnectError | None = None
        was_websocket = False
        for transport in transports:
            connection, failure = await self._over(transport, dialect, share)
            if failure is None:
                return connection
            if fault is None or not was_websocket:
                fault = self._explain(failure, connection)
            # A WebSocket that was accepted says more about the server than how it answers polling.
            was_websocket = connection.status == 101
            if not connection.reached:
                break
        assert fault is not None
        raise fault

    def _transports(self) -> list[Transport]:
        if self._target.transport is not Transport.AUTO:
            return [self._target.transport]
        return [Transport.WEBSOCKET, Transport.POLLING]

    async def _over(
        self, transport: Transport, dialect: Dialect, seconds: float
    ) -> tuple[Connection, Exception | None]:
        """Try every way over one transport; of those that got through, give the last with its failure."""
        until = asyncio.get_running_loop().time() + seconds
        told: tuple[Connection, Exception | None] | None = None
        for connection in self._ways(transport, dialect):
            failure = await self._try(connection, transport, until, seconds)
            if told is None or connection.reached or not told[0].reached:
                told = connection, failure
            if failure is None or isinstance(failure, TimeoutError):
                break
        assert told is not None
        return told

    def _ways(self, transport: Transport, dialect: Dialect) -> Iterator[Connection]:
        if suits(self._target, transport, dialect):
            yield self._prepare(DirectConnection, dialect)
        from nsroom.driven import DrivenConnection

        yield self._prepare(DrivenConnection, dialect)

    async def _try(
        self, connection: Connection, transport: Transport, until: float, seconds: float
    ) -> Exception | None:
        try:
            async with asyncio.timeout_at(until):
                await self._open(connection, transport, seconds)
        except (NsroomError, asyncio.CancelledError):
            await connection.close(0.2)
            raise
        except Exception as error:  # noqa: BLE001 - hostile answers raise anything in python-socketio
            await connection.close(0.2)
            return error
        return None

    def _explain(self, failure: Exception, connection: Connection) -> ConnectError:
        from nsroom.causes import explain

        fault = explain(failure, connection, self._target)
        fault.__cause__ = failure
        return fault
