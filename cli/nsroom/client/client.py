"""A Socket.IO client: connects, sends, reconnects, and yields everything it sees as Records."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from nsroom.channel import now
from nsroom.client.acks import Acks, Settle
from nsroom.client.catchup import CatchUp, RoomState
from nsroom.client.connecting import Connector
from nsroom.client.events import Acknowledge, Emit
from nsroom.client.journal import Journal
from nsroom.client.reconnection import Reconnection
from nsroom.client.replies import Replier, Rules
from nsroom.client.target import Target
from nsroom.errors import LostError, NsroomError, RefusedError, UsageError, WaitError
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.protocol.socketio import RESERVED_EVENTS
from nsroom.record import Json, Kind, Record

T = TypeVar("T")

_GAP_PAUSE = 1.0
_CLOSE, _SHORT_CLOSE = 0.75, 0.25
"""Seconds for a server to close its side, and after a signal."""


class Client:
    """One client of one server, in one or more namespaces.

    With `watch`, every Record goes to `records()`, whose reader slows the wire down if it is slow.
    `say` is called with lines for the user, and `note` (by default `say`) with those about the dialect.
    Events that have one of the `rules` are acknowledged when `records()` yields them. Packets that are over
    the `limits` are malformed.
    """

    def __init__(
        self,
        target: Target,
        *,
        watch: bool = False,
        raw: bool = False,
        say: Callable[[str], object] = str,
        note: Callable[[str], object] | None = None,
        rules: Rules | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.target = target
        self.rejoin: list[Emit] = []
        """Events to emit again after a reconnection: the joins of rooms, which the server forgets."""
        self.on_reconnect: list[Callable[[], Awaitable[object]]] = []
        """Functions to call after that; their errors are only reported."""
        self.failure: NsroomError | None = None
        """Why the client gave up, or None while connected or after `close`."""
        self._say = say
        self._note = note or say
        self.replier = Replier({} if rules is None else rules, self._reply, self._note)
        """Acknowledges the events that `records()` yields, by its rules."""
        self._journal = Journal(watch=watch, raw=raw, limits=limits)
        self._acks = Acks()
        self._gaps: asyncio.Queue[RoomState] = asyncio.Queue()
        self._catchup = CatchUp(self._journal.sequence, now, self._gaps.put_nowait)
        self._connector = Connector(target, self._journal, self._acks, self._catchup, say, self._note)
        self._reconnection = Reconnection(self._connector, self._catchup, self._journal, self.ask, say)
        self._supervisor: asyncio.Task[None] | None = None
        self._filler: asyncio.Task[None] | None = None

    @property
    def transport(self) -> str:
        """The current transport: websocket, polling or none."""
        return self._connector.connection.transport if self._connector.connection else "none"

    @property
    def namespaces(self) -> dict[str, str | None]:
        """The connected namespaces and their sids."""
        return dict(self._connector.session.namespaces)

    @property
    def hint(self) -> str:
        """What to add to a message about a missing answer: the probable cause, or nothing."""
        return self._connector.hint

    @property
    def refused(self) -> dict[str, str]:
        """The namespaces that the server refused, and its reasons."""
        return self._connector.namespaces.refused

    async def connect(self) -> None:
        """Connect to the server and to every namespace of the target that it does not refuse.

        Raises: ConnectError with the root cause, RefusedError when every namespace is refused.
        """
        await self._connector.connect()
        if self._connector.session.is_old and self.target.auth:
            self._note("Socket.IO 2 has no auth payload, so --auth is not sent: use --query or --header")
        self._say(f"connected to {self.target.place} over {self.transport}")
        self._supervisor = asyncio.create_task(self._supervise())
        self._filler = asyncio.create_task(self._fill_gaps())

    async def records(self) -> AsyncIterator[list[Record]]:
        """Yield the Records as they arrive, in batches, until the client gives up or is closed.

        Raises: the reason to give up.
        """
        assert self._journal.channel is not None, "only a client made with watch=True has records"
        async for records in self._journal.channel:
            await self.replier.handle(records)
            yield records
        if self.failure is not None:
            raise self.failure

    async def emit(self, *emits: Emit) -> None:
        """Emit events in their order; return when they are written.

        Raises: LostError while disconnected, LimitError for an event that is too large for the server,
        UsageError for one on which the server would close the connection.
        """
        self._check(emits)
        await self._connector.send([each.packet() for each in emits])

    async def ask(self, *emits: Emit) -> list[asyncio.Future[Record]]:
        """Emit events and request an acknowledgement for each; return the futures of these.

        A future fails with LostError if the connection ends first. Raises: as `emit`.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Record]] = [loop.create_future() for _ in emits]
        await self.ask_for(emits, [partial(_settle, future) for future in futures])
        return futures

    async def ask_for(self, emits: Sequence[Emit], settles: Sequence[Settle]) -> None:
        """Emit events; call each of `settles` with the acknowledgement of one, or with LostError.

        Raises: as `emit`; then none of them is called, or all with LostError if the connection has ended.
        """
        self._check(emits)
        packets = self._acks.expect(emits, settles)
        try:
            await self._connector.send(packets)
        except NsroomError:
            self._acks.forget(packets)
            raise

    def is_known_to_answer(self, emit: Emit) -> bool:
        """Return whether its name or earlier answers show that the server acknowledges this event."""
        return self._connector.is_reference_server or self._acks.is_known_to_answer(emit)

    def is_reference_server(self, namespace: str) -> bool:
        """Return whether this namespace is known to be one of `nsroom serve`."""
        return self._connector.is_reference_server or self._acks.answers_everything(namespace)

    async def submit(self, emit: Emit) -> asyncio.Future[Record] | None:
        """Emit an event; return the future of its acknowledgement if the server is known to send one.

        Other events are sent without an id: the id becomes an argument of the server's handler, and some
        servers fail on it. Raises: as `emit`.
        """
        if self.is_known_to_answer(emit):
            (answer,) = await self.ask(emit)
            return answer
        await self.emit(emit)
        return None

    async def acknowledge(self, answer: Acknowledge) -> None:
        """Acknowledge an event of the server. Raises: as `emit`."""
        await self._connector.send([answer.packet()])

    async def _reply(self, answer: Acknowledge) -> None:
        """Acknowledge an event, unless the connection has ended on which it arrived. Raises: as `emit`."""
        session = self._connector.session
        if session.is_question(answer.namespace, answer.id):
            await self._connector.opened.wait()
        if session is not self._connector.session or not session.is_question(answer.namespace, answer.id):
            raise LostError("the connection ended before")
        await self.acknowledge(answer)

    async def enter(self, namespace: str) -> None:
        """Connect to another namespace.

        Raises: RefusedError, or ConnectError without an answer in time.
        """
        await self._connector.enter(namespace)

    async def leave(self, namespace: str) -> None:
        """Disconnect from a namespace; the others stay connected. Raises: as `emit`."""
        await self._connector.leave(namespace)

    async def settle(self, timeout: float) -> None:
        """Wait until the server has read everything that was sent.

        Raises: WaitError after `timeout` seconds, LostError when the connection ends first.
        """
        try:
            await self._connector.require().settle(timeout)
        except TimeoutError:
            raise WaitError(f"the server has not read everything within {timeout:g} s") from None

    async def mark(self) -> asyncio.Future[None]:
        """Send a WebSocket ping; the future is done when the server has read all that was sent before it.

        Raises: LostError.
        """
        return await self._connector.require().mark()

    async def ping(self) -> float | None:
        """Return the round-trip time in milliseconds, or None over polling, which has no ping.

        Raises: WaitError, LostError.
        """
        if self.transport != "websocket":
            return None
        start = now()
        await self.settle(5.0)
        return (now() - start) / 1000

    async def answer(self, event: Json, asked: asyncio.Future[Record], timeout: float) -> Record:
        """Wait for the acknowledgement of an event, for `timeout` seconds at most.

        Raises: WaitError; as `guard`.
        """

        async def wait() -> Record:
            return await asked

        try:
            async with asyncio.timeout(timeout):
                return await self.guard(wait())
        except TimeoutError:
            cause = self.hint or "; does the server handle it?"
            raise WaitError(f"no acknowledgement of {event!r} within {timeout:g} s{cause}") from None

    async def guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`, but cancel it when the client gives up or is closed.

        Raises: the reason to give up, or the error of `work`.
        """
        assert self._supervisor is not None, "not connected"
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, self._supervisor}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                if isinstance(task.exception(), LostError):
                    # Records that arrived before may still be unread.
                    await asyncio.wait({self._supervisor}, timeout=2)
                    if isinstance(self.failure, RefusedError):
                        raise self.failure
                return task.result()
            raise self.failure or LostError("the connection is closed")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """Disconnect cleanly, within a second whatever the server does, and sooner after a signal."""
        tasks = [task for task in (self._supervisor, self._filler) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.replier.close()
        if self._connector.connection is not None:
            current = asyncio.current_task()
            is_cancelled = current is not None and current.cancelling() > 0
            await self._connector.connection.close(_SHORT_CLOSE if is_cancelled else _CLOSE)
        self._finish()

    def _check(self, emits: Sequence[Emit]) -> None:
        """Check that events may be sent: on others servers close the connection, without a reason."""
        self._connector.require()
        connected = self._connector.session.namespaces
        for emit in emits:
            if emit.event in RESERVED_EVENTS:
                raise UsageError(
                    f"{emit.event!r} is a reserved event name: servers close the connection on it"
                )
            if emit.namespace not in connected:
                raise self._not_connected(emit.namespace)

    def _not_connected(self, namespace: str) -> NsroomError:
        if not self._connector.namespaces.wanted:
            return self._connector.left
        return UsageError(f"cannot emit to {namespace}: {self.refused.get(namespace, 'not connected to it')}")

    async def _supervise(self) -> None:
        """Reconnect after each lost connection, until that is not possible or not wanted."""
        try:
            while True:
                reason, lost_at = await self._connector.lost()
                self._on_loss(reason)
                await self._reconnection.run(reason, lost_at, self.rejoin, self.on_reconnect)
        except NsroomError as error:
            self.failure = error
        finally:
            self._finish()

    async def _fill_gaps(self) -> None:
        """Ask for missed messages when a live one shows that there are some, at most once a second."""
        while True:
            await self._reconnection.fill_gap(await self._gaps.get())
            await asyncio.sleep(_GAP_PAUSE)

    def _on_loss(self, reason: str) -> None:
        """Fail the pending acknowledgements. Raises: NsroomError if the client must not reconnect."""
        ended = f"the connection ended ({reason})"
        self._catchup.interrupt()
        self._journal.note(Kind.CLOSE, reason=reason)
        self._acks.fail_all(LostError(ended))
        if not self._connector.namespaces.wanted:
            raise self._connector.left
        if not self.target.reconnect:
            raise LostError(ended)

    def _finish(self) -> None:
        if self._filler is not None:
            self._filler.cancel()
        self._acks.fail_all(LostError("the connection is closed"))
        self._journal.put(self._catchup.release_all())
        self._journal.end()


def _settle(future: asyncio.Future[Record], answer: Record | LostError) -> None:
    if future.done():
        return
    if isinstance(answer, LostError):
        future.set_exception(answer)
        future.exception()  # marked as retrieved: a caller may have stopped waiting
    else:
        future.set_result(answer)
