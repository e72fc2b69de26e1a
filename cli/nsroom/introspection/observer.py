"""One interface to see a server from inside and to act on it, whatever the way."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from nsroom.errors import LostError, RefusedError, WaitError
from nsroom.introspection.inventory import Feature, Inventory
from nsroom.output.room_names import Room
from nsroom.record import Json, Record

T = TypeVar("T")
_HELD_UP = 0.05
"""Seconds after its time at which a time-out tells that the event loop was busy."""
ChangeT = TypeVar("ChangeT")
Say = Callable[[str], object]
Where = Room | list[Room] | None
"""A sid or a room, several rooms, or None for all sockets of a namespace."""


class Observer(ABC, Generic[ChangeT]):
    """Observes a server and acts on it: `async with observer`.

    A way to a server says how to open and close it, how to wait for the next changes, what a change makes of
    the inventory, and how to act. Changes are read only while a method here is awaited; while `batches` is
    iterated over, it reads them for the other methods too.
    """

    state: Inventory

    def __init__(self, *, timeout: float = 5.0, say: Say = str) -> None:
        self._timeout = timeout
        """Seconds to wait for an answer of the server."""
        self._say = say
        self._next: asyncio.Future[Sequence[ChangeT] | None] | None = None
        self._unread: deque[ChangeT] = deque()
        self._is_open = False
        self._early: list[Record] = []
        """What was reported before it was known which features there are, for `batches`."""
        self._is_followed = False
        """Whether `batches` reads the changes, so that other methods only wait for it."""
        self._changed = asyncio.Event()

    # A way to a server

    @abstractmethod
    async def _open(self) -> None:
        """Connect, and find out which features there are. Raises: ConnectError, RefusedError, WaitError."""

    @abstractmethod
    async def _shut(self) -> None:
        """Disconnect, and leave the server as it was."""

    @abstractmethod
    async def _fetch(self) -> Sequence[ChangeT] | None:
        """Wait for the next changes; None after the last. Raises: LostError."""

    @abstractmethod
    def _apply(self, change: ChangeT) -> list[Record]:
        """Apply a change to the inventory, and return what it reports of the sockets."""

    @abstractmethod
    async def join(self, namespace: str, room: Room, where: Where) -> None:
        """Let the server join sockets to a room. Raises: RefusedError, WaitError, LostError."""

    @abstractmethod
    async def leave(self, namespace: str, room: Room, where: Where) -> None:
        """Let sockets leave a room. Raises: as `join`."""

    @abstractmethod
    async def emit(
        self, namespace: str, where: Where, event: str | int | float, args: Sequence[Json]
    ) -> None:
        """Let the server emit an event to sockets. Raises: as `join`."""

    @abstractmethod
    async def disconnect(self, namespace: str, where: Where) -> None:
        """Disconnect sockets from a namespace. Raises: as `join`."""

    # What all ways have in common

    @property
    def unseen(self) -> str:
        """The events that are not reported, for a message; or an empty string."""
        return ""

    async def __aenter__(self) -> Self:
        """Connect, and wait until it is known which features there are. Raises: as `_open`."""
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        self._is_open = True
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self._shut()

    async def wait_for_sockets(self) -> None:
        """Wait until every socket is known. Raises: RefusedError, WaitError, LostError."""
        await self.require_sockets()
        if not await self.read_until(lambda: self.state.listed, self._timeout):
            raise WaitError(
                f"{self.state.name} sent no list of sockets within {self._timeout:g} s:"
                " a server with very many, or a busy one, needs a longer --timeout"
            )

    async def require_sockets(self) -> None:
        """Check that the sockets are reported. Raises: RefusedError, LostError."""
        if not self.state.reports_sockets:
            raise RefusedError(f"{self.state.name} does not list sockets")

    def require_complete(self) -> None:
        """Check that no sockets are missing, once they are known. Raises: WaitError."""

    def require(self, feature: Feature) -> None:
        """Check that a feature is supported. Raises: RefusedError."""
        if feature not in (self.state.features or ()):
            raise RefusedError(f"{self.state.name} is read-only: it does not support {feature}")

    async def read_until(self, check: Callable[[], bool], seconds: float) -> bool:
        """Read changes for up to `seconds` until `check` holds; return whether it does. Raises: LostError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        if await self._read_before(deadline, check):
            return True
        # Decoding a large list holds the loop up: it may have arrived in time without being applied yet.
        is_held_up = loop.time() > deadline + _HELD_UP
        return is_held_up and await self._read_before(loop.time() + _HELD_UP, check)

    async def _read_before(self, deadline: float, check: Callable[[], bool]) -> bool:
        try:
            async with asyncio.timeout_at(deadline):
                while not check():
                    await self._apply_next()
        except TimeoutError:
            return check()
        return True

    async def batches(self) -> AsyncIterator[list[Record]]:
        """Yield what the sockets do, and the local records of the connection through which it is seen.

        A batch may be empty: then only the state has changed. Raises: LostError.
        """
        self._is_followed = True
        try:
            if self._early:
                early, self._early = self._early, []
                yield early
            while True:
                await self._fill()
                actions = [action for change in self._unread for action in self._apply(change)]
                self._unread.clear()
                self._wake()
                yield actions
        finally:
            self._is_followed = False
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed.clear()

    async def _apply_next(self) -> None:
        if self._is_followed:
            await self._changed.wait()
            return
        while not self._unread:
            await self._fill()
        reported = self._apply(self._unread.popleft())
        if not self._is_open:
            self._early += reported

    async def _fill(self) -> None:
        """Wait for a batch; several callers may wait, and cancelling one loses nothing."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._fetch())
        fetching = self._next
        await asyncio.wait({fetching})
        batch = fetching.result()
        if batch is None:
            raise LostError("the connection is closed")
        if self._next is fetching:
            self._next = None
            self._unread.extend(batch)

    async def run_while_reading(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` while reading changes: unread ones could keep its answer from arriving.

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
