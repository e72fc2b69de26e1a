"""A Socket.IO client that shows all it sees as Records and finds its way back after a lost connection."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from itertools import count
from typing import Any, TypeVar

from nsroom.acks import Acks
from nsroom.arguments import Acknowledge, Emit
from nsroom.attendance import Attendance, Place, describe
from nsroom.channel import Channel, now
from nsroom.connection import Connection
from nsroom.dialing import Dialer
from nsroom.errors import ConnectError, LostError, NsroomError, RefusedError, UsageError, WaitError
from nsroom.memberships import Memberships
from nsroom.negotiation import Negotiation
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.session import Session
from nsroom.protocol.socketio import RESERVED_EVENTS, Packet, PacketType
from nsroom.recall import Recall
from nsroom.record import Direction, Json, Kind, Record
from nsroom.tap import Tap
from nsroom.target import Target, Transport

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 10.0
T = TypeVar("T")


def backoff(attempt: int) -> float:
    """Give the seconds to wait before a reconnection attempt (1, 2, …), with jitter."""
    return min(_FIRST_DELAY * 2.0 ** min(attempt - 1, 10), _LONGEST_DELAY) * random.uniform(0.5, 1.0)


class Client:
    """One client of one server, in one or more namespaces.

    With `watch`, every Record goes to `records()`, and the wire waits while nobody takes them.
    `say` is given lines for a person, or `note` only those of how the server is spoken to.
    """

    def __init__(
        self,
        target: Target,
        *,
        watch: bool = False,
        raw: bool = False,
        say: Callable[[str], object] = str,
        note: Callable[[str], object] | None = None,
    ) -> None:
        self.target = target
        self.rejoin: list[Emit] = []
        """What is emitted again after a reconnection: the joins of rooms, which the server forgot."""
        self.on_return: list[Callable[[], Awaitable[object]]] = []
        """What is done after that; where it fails, it is said why."""
        self.failure: NsroomError | None = None
        """Why the connection is over for good, when it was not closed from here."""
        self._say = say
        self._tell = note or say
        self._raw = raw
        self._channel = Channel() if watch else None
        self._sequence: Iterator[int] = count(1)
        self._memberships = Memberships(target.namespaces, target.auth)
        self._acks = Acks()
        self._attendance = Attendance(self._sequence, now)
        self._session = Session(self._sequence, raw)
        self._negotiation = Negotiation(target, self._tell)
        self._connection: Connection | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def transport(self) -> str:
        """Name what carries the packets now."""
        return self._connection.transport if self._connection else "none"

    @property
    def namespaces(self) -> dict[str, str | None]:
        """Give the connected namespaces with their sids."""
        return dict(self._session.namespaces)

    @property
    def refused(self) -> dict[str, str]:
        """Give the namespaces that the server refused, and why."""
        return self._memberships.refused

    async def connect(self) -> None:
        """Connect to the server and to every namespace of the target that does not refuse.

        Raises: ConnectError with the root cause, RefusedError when every namespace refused.
        """
        self._connection = await self._establish()
        if self._negotiation.dialect.is_old and self.target.auth:
            self._tell("Socket.IO 2 knows no --auth, so it is not sent: servers read --query or --header")
        self._say(f"connected to {self.target.place} over {self.transport}")
        self._supervisor = asyncio.create_task(self._supervise())

    async def records(self) -> AsyncIterator[list[Record]]:
        """Give the Records as they come, in batches, until the connection is over for good.

        Raises: what ended it, unless that was `close`.
        """
        assert self._channel is not None, "only a client made with watch=True has records"
        async for records in self._channel:
            yield records
        if self.failure is not None:
            raise self.failure

    async def emit(self, *emits: Emit) -> None:
        """Emit events in their order; return when the wire has taken them.

        Raises: LostError while there is no connection, LimitError for more than the server takes,
        UsageError for what the server would answer by closing the connection.
        """
        await self._send([self._checked(each).packet() for each in emits])

    async def ask(self, *emits: Emit) -> list[asyncio.Future[Record]]:
        """Emit events that want an acknowledgement; give the futures of these.

        A future raises LostError when the connection ends before it is answered. Raises: as `emit`.
        """
        packets, futures = self._acks.expect([self._checked(each) for each in emits])
        try:
            await self._send(packets)
        except NsroomError:
            self._acks.withdraw(packets)
            raise
        return futures

    async def acknowledge(self, answer: Acknowledge) -> None:
        """Answer an event that wants an acknowledgement. Raises: as `emit`."""
        await self._send([answer.packet()])

    async def enter(self, namespace: str) -> None:
        """Connect to a further namespace.

        Raises: RefusedError, or ConnectError when no answer comes in time.
        """
        members = self._memberships
        if namespace in self._session.namespaces or members.is_pending(namespace):
            raise UsageError(f"already in {namespace}: servers close the connection on a second CONNECT")
        members.expect([namespace])
        await self._send([Packet(PacketType.CONNECT, namespace, data=members.payload(namespace))])
        try:
            async with asyncio.timeout(self.target.connect_timeout):
                await self._answered(self._require(), [namespace])
        except TimeoutError:
            seconds = self.target.connect_timeout
            raise ConnectError(f"no answer for {namespace} within {seconds:g} s") from None
        if namespace in members.refused:
            raise RefusedError(members.refusal(namespace))
        members.wanted.append(namespace)

    async def leave(self, namespace: str) -> None:
        """Disconnect from a namespace; the others go on. Raises: as `emit`."""
        if namespace not in self._session.namespaces:
            raise UsageError(f"not in {namespace}: there is nothing to leave")
        await self._send([Packet(PacketType.DISCONNECT, namespace)])
        self._memberships.leave(namespace)

    async def settle(self, timeout: float) -> None:
        """Wait until the server has read what was sent.

        Raises: WaitError after `timeout` seconds, LostError when the connection ends first.
        """
        try:
            await self._require().settle(timeout)
        except TimeoutError:
            raise WaitError(f"the server has not read everything within {timeout:g} s") from None

    async def mark(self) -> asyncio.Future[None]:
        """Send a WebSocket ping; the future is done when the server has read all that was sent before it.

        Raises: LostError.
        """
        return await self._require().mark()

    async def ping(self) -> float | None:
        """Measure the round trip to the server in milliseconds; None over polling, which has no ping.

        Raises: WaitError, LostError.
        """
        if self.transport != "websocket":
            return None
        began = now()
        await self.settle(5.0)
        return (now() - began) / 1000

    async def guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` unless the connection is over for good before.

        Raises: what ended the connection, or what `work` raises.
        """
        assert self._supervisor is not None, "not connected"
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, self._supervisor}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                if isinstance(task.exception(), LostError):
                    # What the server answered before may still be on its way in.
                    await asyncio.wait({self._supervisor}, timeout=2)
                return task.result()
            raise self.failure or LostError("the connection is closed")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """Leave the server in order; within two seconds, whatever it does."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        self._finish()

    def _checked(self, emit: Emit) -> Emit:
        """Refuse what a server would answer by closing the connection, without a word."""
        self._require()
        if emit.event in RESERVED_EVENTS:
            raise UsageError(f"{emit.event!r} is a reserved event name: servers close the connection on it")
        if emit.namespace not in self._session.namespaces:
            why = self.refused.get(emit.namespace, "not connected to it")
            raise UsageError(f"nothing can be emitted to {emit.namespace}: {why}")
        return emit

    def _require(self) -> Connection:
        if self._connection is None or self._connection.ended.done():
            raise LostError("there is no connection now")
        return self._connection

    async def _send(self, packets: list[Packet]) -> None:
        try:
            await self._require().send(packets)
        except ValueError as error:
            raise UsageError(f"cannot be sent: {error}") from None

    async def _establish(self) -> Connection:
        """Connect in the server's dialect."""
        until = asyncio.get_running_loop().time() + self.target.connect_timeout
        dialer = Dialer(self.target, self._prepare, self._open)
        return await self._negotiation.reach(lambda dialect: dialer.dial(dialect, until))

    def _prepare(self, kind: type[Connection], dialect: Dialect) -> Connection:
        before, self._session = self._session, Session(self._sequence, self._raw, is_old=dialect.is_old)
        # What was missed comes before the CONNECT answer, with offsets already.
        self._session.recovery |= before.recovery
        self._memberships.begin(before)
        self._tap = Tap(self._session, self._channel, self._notice, self._attendance.is_due, dialect)
        return kind(self.target, self._tap, self._memberships.payload)

    async def _open(self, connection: Connection, transport: Transport, timeout: float) -> None:
        await connection.open(transport, self._memberships.wanted, timeout)
        await self._answered(connection, self._memberships.wanted)
        for refusal in self._memberships.check():
            self._say(refusal)

    async def _answered(self, connection: Connection, namespaces: list[str]) -> None:
        """Wait for the server's word on every one of these namespaces."""
        if not await self._memberships.answered(namespaces, connection.ended):
            from nsroom.causes import unanswered

            raise unanswered(connection, self.target)

    def _notice(self, record: Record) -> None:
        """Act on what the server says of namespaces and acknowledgements."""
        handle = _NOTICES.get(record.kind)
        if handle is not None and record.direction is Direction.IN:
            handle(self, record)

    def _on_connect(self, record: Record) -> None:
        if self._session.namespaces.keys() == {record.namespace}:
            self._check_dialect(record.sid is None)
        self._memberships.accept(record)

    def _check_dialect(self, is_old: bool) -> None:
        """Go no further with a connection that begins in another dialect."""
        if self._connection is not None and not self._connection.ended.done():
            return
        dialect = self._tap.dialect.heard(self._session.is_old or is_old, self._session.is_msgpack)
        if dialect != self._tap.dialect:
            from nsroom.causes import other_dialect

            self._tap.mute()
            self._memberships.fail(other_dialect(dialect, self.target))

    def _on_connect_error(self, record: Record) -> None:
        if not self._session.namespaces and not self._memberships.is_pending(record.namespace or "/"):
            # Socket.IO 2 refuses the root namespace unasked, too.
            self._check_dialect(True)
        self._memberships.refuse(record)
        if self._session.is_old and record.namespace == "/":
            self._memberships.refuse_rest("the server refused /, and Socket.IO 2 opens no other without it")

    def _on_disconnect(self, record: Record) -> None:
        reason = f"the server disconnected us from {record.namespace}"
        self._say(reason)
        self._acks.forsake(LostError(reason), record.namespace)
        self._memberships.leave(record.namespace or "/")

    def _on_ack(self, record: Record) -> None:
        self._attendance.joined(record)
        self._acks.answer(record)

    async def _supervise(self) -> None:
        """Come back after each lost connection, until there is nothing to come back to."""
        try:
            while True:
                connection = self._require_current()
                await asyncio.shield(connection.ended)
                reason = connection.why_ended
                lost_at = now()
                await connection.close(0)
                self._attendance.interrupt()
                self._note(Kind.CLOSE, reason=reason)
                self._acks.forsake(LostError(f"the connection ended ({reason})"))
                if not self._memberships.wanted:
                    raise LostError("the server disconnected us from every namespace")
                if not self.target.reconnect:
                    raise LostError(f"the connection ended ({reason})")
                await self._reconnect(reason, lost_at)
        except NsroomError as error:
            self.failure = error
        finally:
            self._finish()

    def _require_current(self) -> Connection:
        assert self._connection is not None
        return self._connection

    async def _reconnect(self, reason: str, lost_at: int) -> None:
        sids = set(self.namespaces.values())
        said = ""
        for attempt in count(1):
            delay = backoff(attempt)
            data = {"attempt": attempt, "delay_ms": round(delay * 1000)}
            self._note(Kind.RECONNECT, message=said or None, data=data)
            if attempt == 1:
                self._say(f"the connection ended ({reason}); trying again")
            await asyncio.sleep(delay)
            try:
                self._connection = await self._establish()
            except ConnectError as error:
                if str(error) != said:
                    said = str(error)
                    self._say(said)
            else:
                break
        until = now()
        places = await self._join_again()
        self._report_gap(reason, until - lost_at, sids, places)
        for begin_again in self.on_return:
            try:
                await begin_again()
            except NsroomError as error:
                self._say(str(error))

    def _report_gap(self, reason: str, lasted: int, sids: set[str | None], places: list[Place]) -> None:
        milliseconds = lasted / 1000
        recovered = [namespace for namespace, sid in self.namespaces.items() if sid in sids]
        whole = len(recovered) == len(self.namespaces)
        missed = "the server sent what was missed" if whole else "what was emitted meanwhile is not known"
        if known := describe(places):
            missed = f"{known}; {missed.replace('what was', 'what else was')}"
        message = f"{milliseconds / 1000:.1f} s without a connection; {missed}"
        data = {"ms": round(milliseconds), "recovered": recovered}
        if places:
            data["rooms"] = [place.summary for place in places]
        self._note(Kind.GAP, reason=reason, message=message, data=data)
        self._say(f"connected again over {self.transport}: {message}")

    async def _join_again(self) -> list[Place]:
        """Repeat the joins; give the rooms of which something is known now."""
        joins = [join for join in self.rejoin if join.namespace in self._session.namespaces]
        recall = Recall(self._attendance, self.ask, self._put_slowly, joins)
        await recall.run(self._require_current().ended)
        return recall.places

    async def _put_slowly(self, records: list[Record]) -> None:
        """Put many records, as fast as they are read."""
        self._put(records)
        if self._channel is not None:
            await self._channel.room()

    def _note(self, kind: Kind, **fields: Json) -> None:
        self._put([self._session.note(kind, now(), **fields)])

    def _put(self, records: list[Record]) -> None:
        if self._channel is not None:
            self._channel.put(records)

    def _finish(self) -> None:
        self._acks.forsake(LostError("the connection is closed"))
        self._put(self._attendance.give_up())
        if self._channel is not None:
            self._channel.close()


_NOTICES: dict[Kind, Callable[[Client, Record], None]] = {
    Kind.CONNECT: Client._on_connect,
    Kind.CONNECT_ERROR: Client._on_connect_error,
    Kind.DISCONNECT: Client._on_disconnect,
    Kind.ACK: Client._on_ack,
}
