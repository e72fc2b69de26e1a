"""Make the connections of a client: in the server's dialect, on the way that works, into its namespaces."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from nsroom.channel import now
from nsroom.client.namespaces import Memberships
from nsroom.client.negotiation import Negotiation, first_dialect
from nsroom.client.target import Target, Transport
from nsroom.client.transports.connection import Connection
from nsroom.client.transports.tap import Tap
from nsroom.client.transports.websocket import DirectConnection, suits
from nsroom.errors import ConnectError, LostError, NsroomError, RefusedError, UsageError
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.session import Session
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Record

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
        from nsroom.client.transports.python_socketio import DrivenConnection

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
        from nsroom.client.failures import explain

        fault = explain(failure, connection, self._target)
        fault.__cause__ = failure
        return fault


class Connector:
    """Makes one connection after the other, each with a tap of its own, and connects to namespaces on it.

    `accept` and `refuse` are to be told what the tap sees. `say` is given lines for a person, `note` those of
    how the server is spoken to.
    """

    def __init__(
        self,
        target: Target,
        tapped: Callable[[Dialect], Tap],
        say: Callable[[str], object],
        note: Callable[[str], object],
    ) -> None:
        self.connection: Connection | None = None
        """The last that was made; it may have ended."""
        self.memberships = Memberships(target.namespaces, target.auth)
        self._target = target
        self._tapped = tapped
        self._tap = tapped(first_dialect(target))
        self._negotiation = Negotiation(target, note)
        self._say = say

    @property
    def session(self) -> Session:
        """What is known of the last connection, or of one that is being made."""
        return self._tap.session

    def require(self) -> Connection:
        """Give the connection. Raises: LostError when there is none now."""
        if self.connection is None or self.connection.ended.done():
            raise LostError("there is no connection now")
        return self.connection

    async def connect(self) -> Connection:
        """Connect to the server, and to every namespace that is wanted and not refused.

        Raises: ConnectError with the root cause, RefusedError when every namespace refused.
        """
        until = asyncio.get_running_loop().time() + self._target.connect_timeout
        dialer = Dialer(self._target, self._prepare, self._open)
        self.connection = await self._negotiation.reach(lambda dialect: dialer.dial(dialect, until))
        return self.connection

    def _prepare(self, kind: type[Connection], dialect: Dialect) -> Connection:
        before, self._tap = self.session, self._tapped(dialect)
        # What was missed comes before the CONNECT answer, with offsets already.
        self.session.recovery |= before.recovery
        self.memberships.begin(before)
        return kind(self._target, self._tap, self.memberships.payload)

    async def _open(self, connection: Connection, transport: Transport, timeout: float) -> None:
        await connection.open(transport, self.memberships.wanted, timeout)
        await self._answered(connection, self.memberships.wanted)
        for refusal in self.memberships.check():
            self._say(refusal)

    async def _answered(self, connection: Connection, namespaces: Sequence[str]) -> None:
        """Wait for the server's word on every one of these namespaces."""
        if not await self.memberships.answered(namespaces, connection.ended):
            from nsroom.client.failures import unanswered

            raise unanswered(connection, self._target)

    async def lost(self) -> tuple[str, int]:
        """Wait for the end of the connection; give the reason, and the time in microseconds."""
        connection = self.connection
        assert connection is not None, "not connected"
        await asyncio.shield(connection.ended)
        reason, at = connection.why_ended, now()
        await connection.close(0)
        return reason, at

    async def send(self, packets: list[Packet]) -> None:
        """Send packets in their order. Raises: LostError, LimitError, UsageError."""
        try:
            await self.require().send(packets)
        except ValueError as error:
            raise UsageError(f"cannot be sent: {error}") from None

    async def enter(self, namespace: str) -> None:
        """Connect to a further namespace.

        Raises: RefusedError, or ConnectError when no answer comes in time; as `send`.
        """
        members, seconds = self.memberships, self._target.connect_timeout
        connection = self.require()
        if namespace in self.session.namespaces or members.is_pending(namespace):
            raise UsageError(f"already in {namespace}: servers close the connection on a second CONNECT")
        members.expect([namespace])
        await self.send([Packet(PacketType.CONNECT, namespace, data=members.payload(namespace))])
        try:
            async with asyncio.timeout(seconds):
                await self._answered(connection, [namespace])
        except TimeoutError:
            raise ConnectError(f"no answer for {namespace} within {seconds:g} s") from None
        if namespace in members.refused:
            raise RefusedError(members.refusal(namespace))
        members.wanted.append(namespace)

    async def leave(self, namespace: str) -> None:
        """Disconnect from a namespace; the others go on. Raises: as `send`."""
        if namespace not in self.session.namespaces:
            raise UsageError(f"not in {namespace}: there is nothing to leave")
        await self.send([Packet(PacketType.DISCONNECT, namespace)])
        self.memberships.leave(namespace)

    def accept(self, record: Record) -> None:
        """Take the answer to a CONNECT."""
        if self.session.namespaces.keys() == {record.namespace}:
            self._check_dialect(record.sid is None)
        self.memberships.accept(record)

    def refuse(self, record: Record) -> None:
        """Take the refusal of a namespace."""
        if not self.session.namespaces and not self.memberships.is_pending(record.namespace or "/"):
            # Socket.IO 2 refuses the root namespace unasked, too.
            self._check_dialect(True)
        self.memberships.refuse(record)
        if self.session.is_old and record.namespace == "/":
            self.memberships.refuse_rest("the server refused /, and Socket.IO 2 opens no other without it")

    def _check_dialect(self, is_old: bool) -> None:
        """Go no further with a connection that begins in another dialect."""
        if self.connection is not None and not self.connection.ended.done():
            return
        dialect = self._tap.dialect.heard(self.session.is_old or is_old, self.session.is_msgpack)
        if dialect != self._tap.dialect:
            from nsroom.client.failures import other_dialect

            self._tap.mute()
            self.memberships.fail(other_dialect(dialect, self._target))
