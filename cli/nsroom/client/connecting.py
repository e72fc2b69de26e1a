"""Connect a client: negotiate the dialect, open a transport, join the namespaces."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nsroom.channel import now
from nsroom.client.acks import Acks
from nsroom.client.catchup import CatchUp
from nsroom.client.journal import Journal
from nsroom.client.namespaces import Namespaces
from nsroom.client.negotiation import Negotiation, OtherDialectError, first_dialect
from nsroom.client.notices import Thinned, unreadable
from nsroom.client.target import Target, Transport
from nsroom.client.transports.connection import Connection
from nsroom.client.transports.tap import Tap
from nsroom.client.transports.websocket import WebSocketConnection, supports
from nsroom.errors import ConnectError, LostError, NsroomError, RefusedError, UsageError
from nsroom.lazy import compile_lazily
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.session import Observer
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Kind, Record

_ANSWERS = tuple(f"4{kind:d}" for kind in (PacketType.CONNECT, PacketType.CONNECT_ERROR))
"""How the frames start with which a server answers a CONNECT."""
_MAX_FAULTS = 10
# In Python 3.11 looking up an enum member takes 0.2 µs.
_IN = Direction.IN
_REFERENCE_SERVER = compile_lazily(r"nsroom/[\d.]+")
"""The `Server` header of `nsroom serve`."""


class _Attempt(NamedTuple):
    """A connection, and the reason why it could not be opened, if any."""

    connection: Connection
    error: Exception | None


class Connector:
    """Makes the connections of one client, one after the other, and handles the server's control packets.

    `connect` takes three steps; when one fails, the step before it tries the next possibility:
    negotiate the dialect, open a transport (`_open`), join the namespaces (`_join`).
    `say` is called with lines for the user, `note` with those about the dialect.
    """

    def __init__(
        self,
        target: Target,
        journal: Journal,
        acks: Acks,
        catchup: CatchUp,
        say: Callable[[str], object],
        note: Callable[[str], object],
    ) -> None:
        self.connection: Connection | None = None
        """The last one that was opened; it may have ended."""
        self.namespaces = Namespaces(target.namespaces, target.auth)
        self.left: NsroomError = LostError("the server disconnected us from every namespace")
        """The error for a client that the server has disconnected from every namespace."""
        self._target = target
        self._journal = journal
        self._acks = acks
        self._catchup = catchup
        self._say = Thinned(say)
        self._note = Thinned(note)
        self._negotiation = Negotiation(target, note)
        self.opened = asyncio.Event()
        """Set unless a connection is being opened: events may arrive before it is ready for sending."""
        self._is_elsewhere = False
        """Whether the server answered the last attempt that nothing is at this path."""
        self._handlers: dict[Kind, Callable[[Record], None]] = {
            Kind.CONNECT: self._on_connect,
            Kind.CONNECT_ERROR: self._on_connect_error,
            Kind.DISCONNECT: self._on_disconnect,
            Kind.ACK: self._on_ack,
            Kind.PROTOCOL_ERROR: self._on_protocol_error,
        }
        self._faults: dict[str, str] = {}
        """Lines about unreadable packets while connecting: another dialect may be able to read them."""
        self._tap = self._new_tap(first_dialect(target))

    @property
    def session(self) -> Observer:
        """The session of the last connection, or of the one that is being opened."""
        return self._tap.session

    @property
    def hint(self) -> str:
        """What to add to a message about a missing answer: the probable cause, or nothing."""
        return self._tap.hint

    @property
    def is_reference_server(self) -> bool:
        """Whether this is `nsroom serve`, which acknowledges every event."""
        headers = self.connection.headers if self.connection is not None else {}
        return _REFERENCE_SERVER.fullmatch(headers.get("Server", "")) is not None

    @property
    def _is_established(self) -> bool:
        return self.connection is not None and not self.connection.ended.done()

    def require(self) -> Connection:
        """Return the connection. Raises: LostError while disconnected."""
        if self.connection is None:
            raise LostError("not connected to the server")
        if self.connection.ended.done():
            reason = self.connection.why_ended
            raise LostError(f"not connected to the server: the connection ended ({reason})")
        return self.connection

    async def connect(self) -> Connection:
        """Connect to the server, and to every wanted namespace that it does not refuse.

        Raises: ConnectError with the root cause, RefusedError when every namespace is refused.
        """
        self._negotiation.start()
        if self._target.auth_command is not None:
            from nsroom.client.auth_command import payload

            self.namespaces.auth = await payload(self._target.auth_command, self._target.connect_timeout)
        deadline = asyncio.get_running_loop().time() + self._target.connect_timeout
        while True:
            try:
                self.connection = await self._open_path(self._negotiation.dialect, deadline)
            except OtherDialectError as error:
                self._negotiation.switch(error)
            except RefusedError:
                self._negotiation.report()
                raise
            except ConnectError as error:
                if earlier := self._negotiation.reset():
                    raise earlier from error
                raise
            else:
                self._negotiation.report()
                for kind, text in self._faults.items():
                    self._note(text, kind)
                return self.connection

    async def _open_path(self, dialect: Dialect, deadline: float) -> Connection:
        """Open a connection; if the path was given without its last slash, and not found with it, without.

        Raises: as `_open`.
        """
        given, self._is_elsewhere = self._target, False
        try:
            return await self._open(dialect, deadline)
        except ConnectError:
            if given.path.endswith("/") or not given.slash or not self._is_elsewhere:
                raise
            self._target = given._replace(slash=False)
            try:
                return await self._open(dialect, deadline)
            except ConnectError:
                self._target = given
            raise

    async def _open(self, dialect: Dialect, deadline: float) -> Connection:
        """Return the first connection that works, over WebSocket or polling.

        Raises: ConnectError with the root cause, RefusedError.
        """
        transports = _transports(self._target)
        seconds = (deadline - asyncio.get_running_loop().time()) / len(transports)
        reported: _Attempt | None = None
        for transport in transports:
            attempt = await self._open_transport(transport, dialect, seconds)
            if attempt.error is None:
                return attempt.connection
            # An accepted WebSocket tells more about the server than its answer to polling.
            if reported is None or reported.connection.status != 101:
                reported = attempt
            if not attempt.connection.reached:
                break
        assert reported is not None
        connection = reported.connection
        self._is_elsewhere = connection.status == 404 or connection.redirect is not None
        raise self._explained(reported)

    async def _open_transport(self, transport: Transport, dialect: Dialect, seconds: float) -> _Attempt:
        """Try each implementation of a transport; return the last attempt that reached the server."""
        deadline = asyncio.get_running_loop().time() + seconds
        last: _Attempt | None = None
        for kind in _implementations(self._target, transport, dialect):
            connection = self._new_connection(kind, dialect)
            error = await self._try(connection, transport, deadline, seconds)
            if last is None or connection.reached or not last.connection.reached:
                last = _Attempt(connection, error)
            is_final = isinstance(error, TimeoutError) or connection.tap.fault
            if error is None or is_final or not connection.reached:
                break
        assert last is not None
        return last

    async def _try(
        self, connection: Connection, transport: Transport, deadline: float, seconds: float
    ) -> Exception | None:
        """Open a connection and join the namespaces; return the error after which another way may work."""
        try:
            async with asyncio.timeout_at(deadline):
                await connection.open(transport, self.namespaces.wanted, seconds)
                await self._join(connection)
        except (NsroomError, asyncio.CancelledError):
            await connection.close(0.2)
            raise
        except Exception as error:  # noqa: BLE001 - hostile answers raise anything in python-socketio
            await connection.close(0.2)
            return error
        finally:
            self.opened.set()
        return None

    async def _join(self, connection: Connection) -> None:
        """Wait until the server has answered for every namespace.

        Raises: RefusedError, ConnectError; LostError if it disconnected the client from all again.
        """
        await self._wait_for_answers(connection, self.namespaces.wanted)
        for refusal in self.namespaces.remove_refused():
            self._say(refusal)
        if not self.namespaces.wanted:
            raise self.left

    async def _wait_for_answers(self, connection: Connection, namespaces: list[str]) -> None:
        if not await self.namespaces.wait(namespaces, connection.ended):
            from nsroom.client.failures import unanswered

            raise unanswered(connection, self._target)

    def _new_connection(self, kind: type[Connection], dialect: Dialect) -> Connection:
        before, self._tap = self.session, self._new_tap(dialect)
        self.opened.clear()
        # Missed events arrive before the CONNECT answer, and already have offsets.
        self.session.recovery |= before.recovery
        self.namespaces.start(before)
        return kind(self._target, self._tap, self.namespaces.payload)

    def _new_tap(self, dialect: Dialect) -> Tap:
        self._faults.clear()
        session = self._journal.new_observer(dialect.is_old)
        return Tap(session, self._journal.channel, self._on_record, self._catchup.should_show, dialect)

    def _explained(self, attempt: _Attempt) -> ConnectError:
        from nsroom.client.failures import explain

        assert attempt.error is not None
        explained = explain(attempt.error, attempt.connection, self._target)
        explained.__cause__ = attempt.error
        return explained

    async def lost(self) -> tuple[str, int]:
        """Wait until the connection ends; return the reason and the time in microseconds."""
        connection = self.connection
        assert connection is not None, "not connected"
        await asyncio.shield(connection.ended)
        reason, at = connection.why_ended, connection.tap.lost_at(now())
        await connection.close(0)
        return reason, at

    async def send(self, packets: list[Packet]) -> None:
        """Send packets in their order. Raises: LostError, LimitError, UsageError."""
        try:
            await self.require().send(packets)
        except ValueError as error:
            raise UsageError(f"cannot be sent: {error}") from None

    async def enter(self, namespace: str) -> None:
        """Connect to another namespace.

        Raises: RefusedError, or ConnectError without an answer in time; as `send`.
        """
        states, seconds = self.namespaces, self._target.connect_timeout
        connection = self.require()
        if namespace in self.session.namespaces or states.is_pending(namespace):
            raise UsageError(f"already in {namespace}: servers close the connection on a second CONNECT")
        states.expect([namespace])
        await self.send([Packet(PacketType.CONNECT, namespace, data=states.payload(namespace))])
        try:
            async with asyncio.timeout(seconds):
                await self._wait_for_answers(connection, [namespace])
        except TimeoutError:
            raise ConnectError(f"no answer for {namespace} within {seconds:g} s{self.hint}") from None
        if namespace in states.refused:
            raise RefusedError(states.refusal(namespace))
        states.wanted.append(namespace)

    async def leave(self, namespace: str) -> None:
        """Disconnect from a namespace; the others stay connected. Raises: as `send`."""
        if namespace not in self.session.namespaces:
            raise UsageError(f"not in {namespace}, so it cannot be left")
        await self.send([Packet(PacketType.DISCONNECT, namespace)])
        self.namespaces.remove(namespace)

    def _on_record(self, record: Record) -> None:
        """Handle a record of the tap that is not an event."""
        handle = self._handlers.get(record.kind)
        if handle is not None and record.direction is _IN:
            handle(record)

    def _on_connect(self, record: Record) -> None:
        if self.session.namespaces.keys() == {record.namespace}:
            self._check_dialect(record.sid is None)
        self.namespaces.on_connect(record)

    def _on_connect_error(self, record: Record) -> None:
        if not self.session.namespaces and not self.namespaces.is_pending(record.namespace or "/"):
            # Socket.IO 2 connects or refuses the root namespace without a CONNECT packet.
            self._check_dialect(True)
        self.namespaces.on_connect_error(record)
        if self.session.is_old and record.namespace == "/":
            self.namespaces.refuse_pending("the server refused /, and Socket.IO 2 opens no other without it")

    def _on_disconnect(self, record: Record) -> None:
        namespace = record.namespace or "/"
        reason = f"the server disconnected us from {namespace}"
        if record.data is not None and namespace in self.namespaces.wanted:
            self.namespaces.on_connect_error(record)
            reason = self.namespaces.refusal(namespace)
            self.left = RefusedError(reason)
        self.namespaces.remove(namespace)
        if record.data is None or self.namespaces.wanted:  # else it is the error that ends the client
            self._say(reason)
        self._acks.fail_all(LostError(reason), namespace)

    def _on_ack(self, record: Record) -> None:
        if self._acks.resolve(record):
            self._catchup.on_join(record)

    def _on_protocol_error(self, record: Record) -> None:
        """Note a packet that cannot be read; the attempt fails if it is the answer for a namespace."""
        text, kind = unreadable(record)
        frame = record.frames[0] if record.frames else None
        if self._is_established:
            self._note(text, kind)
        elif isinstance(frame, str) and frame.startswith(_ANSWERS):
            fault = f"its answer for the namespace is malformed: {record.message}"
            self.namespaces.fail(ConnectError(f"cannot connect to {self._target.place}: {fault}"))
        elif len(self._faults) < _MAX_FAULTS:
            self._faults.setdefault(kind, text)

    def _check_dialect(self, is_old: bool) -> None:
        """Make the attempt fail when the server's first answer is in another dialect."""
        if self._is_established:
            return
        dialect = self._tap.dialect.detected(self.session.is_old or is_old, self.session.is_msgpack)
        if dialect != self._tap.dialect:
            from nsroom.client.failures import other_dialect

            self._tap.mute()
            self.namespaces.fail(other_dialect(dialect, self._target))


def _transports(target: Target) -> list[Transport]:
    if target.transport is not Transport.AUTO:
        return [target.transport]
    return [Transport.WEBSOCKET, Transport.POLLING]


def _implementations(target: Target, transport: Transport, dialect: Dialect) -> Iterator[type[Connection]]:
    """Yield our own WebSocket if it is enough, then python-socketio's client, loaded only when needed."""
    if supports(target, transport, dialect):
        yield WebSocketConnection
    from nsroom.client.transports.python_socketio import PythonSocketioConnection

    yield PythonSocketioConnection
