"""A connection to the admin namespace of an instrumented server."""

import asyncio
import shlex
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from nsroom.channel import now
from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.client.target import Target
from nsroom.errors import CredentialsError, LostError, RefusedError, WaitError
from nsroom.introspection.admin.state import State
from nsroom.introspection.inventory import Feature
from nsroom.output.stdio import detail
from nsroom.record import Direction, Json, Record

T = TypeVar("T")
Say = Callable[[str], object]

_LIST_TIMEOUT = 2.0
"""Seconds to wait for data that normally arrives at once."""
_STATISTICS_TIMEOUT = 2.5
"""Seconds to wait for the statistics, which arrive every two."""
_WRONG_CREDENTIALS = ("invalid credentials", "authentication failed")
"""The refusals of Node and python-socketio for a wrong password."""
_INSTRUMENT = (
    'require("@socket.io/admin-ui").instrument(io, { auth: false });    // in the server, if it runs on Node',
    "sio.instrument(auth=False)    # in the server, if it is python-socketio",
)
"""The lines that instrument a server on one's own machine."""


class Admin:
    """Observes a server and acts on it: `async with Admin(target) as admin`.

    The target's one namespace is the admin namespace. Records are read only while a method here is awaited;
    while `batches` is iterated over, it reads them for the other methods too.
    """

    def __init__(self, target: Target, *, timeout: float = 5.0, say: Say = str) -> None:
        self.state = State(target.namespaces[0])
        self._timeout = timeout
        self._say = say
        # A connection for a single answer is not worth a message.
        self._client = Client(target, watch=True, say=say if target.reconnect else detail, note=say)
        self._batches = self._client.records()
        self._next: asyncio.Future[list[Record] | None] | None = None
        self._unread: deque[Record] = deque()
        self._is_followed = False
        """Whether `batches` reads the records, so that other methods only wait for it."""
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Connect, and wait for the server's features.

        Raises: as `Client.connect`; CredentialsError, WaitError.
        """
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _open(self) -> None:
        try:
            await self._client.connect()
        except RefusedError as error:
            raise _with_cure(error, self._client.target.place) from None
        if not await self.read_until(lambda: self.state.features is not None, self._timeout):
            raise WaitError(
                f"{self.state.namespace} accepted us, but sent no `config` within {self._timeout:g} s:"
                " is it the admin namespace of an instrumented server?"
            )

    async def _close(self) -> None:
        await self._client.close()
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self._batches.aclose()  # type: ignore[attr-defined]

    async def wait_for_sockets(self) -> None:
        """Wait until every socket is known.

        Raises: RefusedError in production mode, where the server lists none; LostError.
        """
        await self.require_sockets()
        if await self.read_until(lambda: self.state.listed, _LIST_TIMEOUT):
            return
        # python-socketio may send the list to another admin instead. Node waits for the other servers of a
        # cluster.
        seconds = self.state.heartbeat + 1
        self._say(f"no list of sockets arrived: collecting them from the heartbeats for {seconds:g} s")
        await self.read_until(lambda: self.state.listed, seconds)

    async def require_sockets(self) -> None:
        """Check that the server reports its sockets. Raises: RefusedError, LostError."""
        if self.state.reports_sockets:
            return
        await self.read_until(lambda: bool(self.state.servers(now())), _STATISTICS_TIMEOUT)
        counts = ", ".join(f"{name} {number}" for name, number in self.state.socket_counts(now()).items())
        raise RefusedError(
            f"{self.state.namespace} is in production mode and reports only the number of sockets:"
            f" {counts or 'none'}; call instrument() with mode 'development' to see them"
        )

    def require(self, feature: Feature) -> None:
        """Check that the server supports a feature. Raises: RefusedError."""
        if feature not in (self.state.features or ()):
            raise RefusedError(f"{self.state.namespace} is read-only: it does not support {feature}")

    async def read_until(self, check: Callable[[], bool], seconds: float) -> bool:
        """Read records for up to `seconds` until `check` holds; return whether it does. Raises: LostError."""
        try:
            async with asyncio.timeout(seconds):
                while not check():
                    await self._apply_next()
        except TimeoutError:
            return check()
        return True

    async def batches(self) -> AsyncIterator[list[Record]]:
        """Yield the actions of the sockets, and the local records of this connection, as they arrive.

        A batch may be empty: then only the state has changed. Raises: LostError.
        """
        self._is_followed = True
        try:
            while True:
                await self._fill()
                actions = [action for record in self._unread for action in self._feed(record)]
                self._unread.clear()
                self._wake()
                yield actions
        finally:
            self._is_followed = False
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed.clear()

    async def command(self, feature: Feature, event: str, *args: Json) -> None:
        """Send a command, and return when the server has read it.

        Raises: RefusedError if the server does not support it, WaitError, LostError.
        """
        self.require(feature)
        emit = Emit(self.state.namespace, event, list(args))
        if not self.state.acknowledges:
            # Without an id: Node's admin would take the callback as another argument.
            await self._client.emit(emit)
            await self.run_while_reading(self._client.settle(self._timeout))
            return
        (answer,) = await self._client.ask(emit)
        done, _ = await self.run_while_reading(asyncio.wait([answer], timeout=self._timeout))
        if not done:
            raise WaitError(
                f"{self.state.namespace} lists {feature}, but does not answer it: in production mode"
                " python-socketio has no handler for it"
            )

    async def _apply_next(self) -> None:
        if self._is_followed:
            await self._changed.wait()
            return
        while not self._unread:
            await self._fill()
        self._feed(self._unread.popleft())

    async def _fill(self) -> None:
        """Wait for a batch; several callers may wait, and cancelling one loses nothing."""
        if self._next is None:
            self._next = asyncio.ensure_future(anext(self._batches, None))
        fetching = self._next
        await asyncio.wait({fetching})
        batch = fetching.result()
        if batch is None:
            raise LostError("the connection is closed")
        if self._next is fetching:
            self._next = None
            self._unread.extend(batch)

    def _feed(self, record: Record) -> list[Record]:
        actions = self.state.feed(record)
        return [*actions, record] if record.direction is Direction.LOCAL else actions

    async def run_while_reading(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` while reading records: unread ones would keep its answer from arriving.

        Raises: LostError, and the errors of `work`.
        """
        task, reading = asyncio.ensure_future(work), asyncio.ensure_future(self._read_on())
        try:
            await asyncio.wait({task, reading}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else reading.result()
        finally:
            for each in (task, reading):
                each.cancel()
            await asyncio.gather(task, reading, return_exceptions=True)

    async def _read_on(self) -> Any:
        while True:
            await self._apply_next()


def _with_cure(error: RefusedError, place: str) -> RefusedError:
    """Return a refusal with its cure; `place` is the server's URL."""
    text = str(error)
    if any(text.endswith(words) for words in _WRONG_CREDENTIALS):
        return CredentialsError(
            f"{text}; use --admin-auth USER:PASSWORD, --admin-auth @FILE, or $NSROOM_ADMIN"
        )
    return RefusedError(
        f"{text}: the server is not instrumented, or has another admin namespace (--admin-namespace)",
        *_INSTRUMENT,
        f"nsroom proxy {shlex.quote(place)}    # needs neither: shows the clients that connect through it",
    )
