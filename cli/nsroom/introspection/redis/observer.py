"""Observe a cluster of Socket.IO servers through its Redis, and act on it.

Once a second, every server is asked for its sockets; the events that pass Redis are read as they are
published. Both begin when the first change is awaited. Nothing is written to a key unless an action does.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, TypeVar

from nsroom.channel import now
from nsroom.errors import DecodeError, LostError, NotSocketIOError, RefusedError, WaitError
from nsroom.introspection.inventory import Feature
from nsroom.introspection.observer import Observer, Say, Where
from nsroom.introspection.redis.adapter import Adapter, AskedAdapter, Command
from nsroom.introspection.redis.bus import Bus
from nsroom.introspection.redis.client import Message, RedisClient
from nsroom.introspection.redis.clustered import ShardedAdapter
from nsroom.introspection.redis.discovery import LOOKED_FOR, find_adapters, stored_sockets
from nsroom.introspection.redis.payloads import Broadcast
from nsroom.introspection.redis.questions import Question, listing, number
from nsroom.introspection.redis.state import Listing, Silence, State
from nsroom.output.room_names import Room
from nsroom.record import Json, Record

T = TypeVar("T")
Change = Listing | Broadcast

_UNSEEN = "not shown: what clients emit, and what a server emits with socket.emit(): neither passes Redis"
_INTERVAL = 1.0
"""Seconds between two questions to the servers."""
_SHARE = 10
"""The least interval, in the times that the last answers took: describing its sockets costs a server time."""
_PATIENCE = 1.0
"""Seconds to wait again for a server that has not answered once."""
_SPARE_TIME = 5.0
"""Seconds for the rest of a listing, besides waiting for the servers."""
_MAX_CONNECTIONS = 8
"""Connections on which questions about several namespaces are asked."""
_MAX_NAMESPACES = 10_000
_CANCEL_AGAIN = 0.1
"""Seconds after which a task is cancelled again."""
_MAX_CHANGES = 1000
"""Changes that wait for a slow reader; Redis keeps the others, and disconnects us if they are too many."""


class RedisObserver(Observer[Change]):
    """Observes the servers behind a Redis: `async with RedisObserver(url) as observer`.

    Entering raises UsageError, ConnectError, NotSocketIOError, RefusedError.
    """

    state: State

    def __init__(self, url: str, *, timeout: float = 5.0, say: Say = str) -> None:
        super().__init__(timeout=timeout, say=say)
        self._client = RedisClient(url, max(timeout, _SPARE_TIME))
        self.state = State(self._client.name)
        # Of the same form as a server's, so that its channel is not taken for a room's.
        self._uid = secrets.token_hex(8)
        self._numbers = count(1)
        self._adapters: dict[Adapter, None] = {}
        self._by_subscription: dict[str, Adapter] = {}
        self._questions: dict[str, Question] = {}
        self._changes: asyncio.Queue[Change] = asyncio.Queue(_MAX_CHANGES)
        self._ask_now = asyncio.Event()
        self._connections = asyncio.Semaphore(_MAX_CONNECTIONS)
        self._tasks: list[asyncio.Task[None]] = []
        self._ignored: set[str] = set()
        """The packages of which a message was not understood."""
        self._said = Silence(0, 0)

    async def _open(self) -> None:
        await self._client.open()
        await self._discover()
        if not self._adapters:
            raise NotSocketIOError(
                f"{self.state.name} connects no Socket.IO servers: no {LOOKED_FOR}; are the servers running,"
                " and is this their Redis?"
            )
        self.state.features = sorted({each for adapter in self._adapters for each in adapter.features})

    async def _discover(self) -> None:
        """Find the adapters that there are now."""
        found = await find_adapters(self._client, self._uid)
        if len(found) > _MAX_NAMESPACES:
            raise RefusedError(f"{self.state.name} has more than {_MAX_NAMESPACES} namespaces")
        self._adapters = dict.fromkeys(found)

    async def _shut(self) -> None:
        running = {task for task in self._tasks if not task.done()}
        while running:
            for task in running:
                task.cancel()
            # Again, because the library swallows a cancellation that arrives with an answer.
            _, running = await asyncio.wait(running, timeout=_CANCEL_AGAIN)
        await self._client.close()

    @property
    def unseen(self) -> str:
        """The events that are not reported, for a message."""
        hidden = {each.unseen: None for each in self._adapters if each.unseen}
        return "; ".join((_UNSEEN, *hidden))

    # Reading

    async def _fetch(self) -> list[Change]:
        if not self._tasks:
            await self._subscribe()
            self._tasks = [asyncio.create_task(job) for job in self._jobs()]
        getting = asyncio.ensure_future(self._changes.get())
        try:
            await asyncio.wait({getting, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            if not getting.done():
                raise _failure(self._tasks)
            return [getting.result(), *self._waiting()]
        finally:
            getting.cancel()

    def _waiting(self) -> list[Change]:
        return [self._changes.get_nowait() for _ in range(self._changes.qsize())]

    async def _subscribe(self) -> None:
        """Subscribe to the channels of the adapters that are new; unsubscribe from rooms without members."""
        stale = self._stale_channels()
        await self._client.unsubscribe_sharded(stale)
        for channel in stale:
            del self._by_subscription[channel]
        subscriptions = [(each, adapter) for adapter in self._adapters for each in adapter.subscriptions()]
        wanted = {each: adapter for each, adapter in subscriptions if each.channel not in stale}
        new = [each for each in wanted if each.channel not in self._by_subscription]
        self._by_subscription |= {each.channel: adapter for each, adapter in wanted.items()}
        if new:
            await self._client.subscribe(new)

    def _stale_channels(self) -> set[str]:
        """Return the channels of rooms that had no member when all servers last answered."""
        rooms = {
            channel: (adapter.namespace, room)
            for channel, adapter in self._by_subscription.items()
            if isinstance(adapter, ShardedAdapter) and (room := adapter.room_of(channel)) is not None
        }
        if not rooms:
            return set()
        sockets, silences = self.state.sockets.values(), self.state.silences
        existing = {(each.namespace, str(room)) for each in sockets for room in each.rooms}
        return {channel for channel, key in rooms.items() if key not in existing and key[0] not in silences}

    async def _read(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            adapter = self._by_subscription.get(message.subscription)
            if adapter is not None:
                await self._handle(adapter, message)

    def _jobs(self) -> list[Coroutine[Any, Any, None]]:
        sharded = [self._read(self._client.sharded_messages())] if self._client.is_cluster else []
        return [self._read(self._client.messages()), *sharded, self._poll(), *self._streams()]

    def _streams(self) -> list[Coroutine[Any, Any, None]]:
        """Return the jobs that read the streams of the adapters that have any."""
        by_streams = {tuple(each.streams_to_read(self._client.is_cluster)): each for each in self._adapters}
        return [self._read_streams(names, adapter) for names, adapter in by_streams.items() if names]

    async def _read_streams(self, names: Sequence[str], adapter: Adapter) -> None:
        positions = dict.fromkeys(names, await self._client.time())
        while True:
            for entry in await self._client.read_streams(positions):
                positions[entry.stream] = entry.position
                with self._ignoring_unknown(adapter.package):
                    if sent := adapter.read_entry(entry.fields):
                        await self._changes.put(sent)

    async def _handle(self, adapter: Adapter, message: Message) -> None:
        heard = None
        with self._ignoring_unknown(adapter.package):
            heard = adapter.read(message.channel, message.data)
        if isinstance(heard, Broadcast):
            await self._changes.put(heard)
        elif heard is not None and (question := self._questions.get(heard.request)):
            question.add(heard)

    @contextmanager
    def _ignoring_unknown(self, package: str) -> Iterator[None]:
        """Report the first message of a package that is not understood, and ignore all."""
        try:
            yield
        except DecodeError as error:
            if package not in self._ignored:
                self._ignored.add(package)
                self._say(f"ignoring what is not known of {package}: {error.reason}")

    async def _poll(self) -> None:
        """List the sockets again and again, at once after an action."""
        while True:
            self._ask_now.clear()
            adapters = [each for each in self._adapters if isinstance(each, AskedAdapter)]
            patience = min(self._timeout, _PATIENCE) if self.state.silences else self._timeout
            asked = await asyncio.gather(*(self._ask(adapter, patience) for adapter in adapters))
            has_bus = any(isinstance(each, Bus) for each in self._adapters)
            stored = await stored_sockets(self._client) if has_bus else {}
            if self.state.reports_sockets:
                await self._changes.put(listing(adapters, asked, stored))
            took = max((question.took for question in asked), default=0)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(_INTERVAL, _SHARE * took)):
                    await self._ask_now.wait()
            await self._discover()
            await self._subscribe()

    async def _ask(self, adapter: AskedAdapter, patience: float) -> Question:
        """Ask all servers for their sockets in one namespace; return their replies."""
        request = f"{self._uid}-{next(self._numbers)}"
        async with self._connections:
            question = Question(number(await self._client.execute(*adapter.count())))
            self._questions[request] = question
            await self._client.execute(*adapter.fetch(request))
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await question.answered.wait()
        del self._questions[request]
        return question

    def _apply(self, change: Change) -> list[Record]:
        if isinstance(change, Broadcast):
            return [self.state.broadcast(now(), change)]
        records = self.state.take(change)
        if self._is_followed:
            self._report_silence()
        return records

    async def batches(self) -> AsyncIterator[list[Record]]:
        """Yield the events that pass Redis and what changes in the list of sockets. Raises: LostError."""
        self._report_silence()
        async for records in super().batches():
            yield records

    def _report_silence(self) -> None:
        if self._said != self.state.worst:
            self._said = self.state.worst
            self._say(self._silence() or "all servers answer again")

    def _silence(self) -> str:
        """Return which servers are missing in the list, or an empty string."""
        silent, servers = self.state.worst
        its = "its" if silent == 1 else "their"
        missing = f"{silent} of {servers} servers did not answer within {self._timeout:g} s"
        return f"{missing}: the list lacks {its} sockets" if silent else ""

    async def require_sockets(self) -> None:
        """Do nothing: events are reported even if the sockets are not."""

    async def wait_for_sockets(self) -> None:
        """Wait until the servers that answer have listed their sockets.

        Raises: RefusedError if none can list them; WaitError, LostError.
        """
        if not self.state.reports_sockets:
            raise RefusedError(
                f"{self.state.name}: python-socketio's Redis manager cannot list rooms or sockets; use tail,"
                " or with --write join, emit, and kick SID -n NAMESPACE"
            )
        if not await self.read_until(lambda: self.state.listed, 2 * self._timeout + _SPARE_TIME):
            raise WaitError(f"{self.state.name} is too slow to list the sockets")

    def require_complete(self) -> None:
        """Check that all servers have listed their sockets. Raises: WaitError."""
        if missing := self._silence():
            raise WaitError(missing)

    async def run_while_reading(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work`: nothing that is unread here could keep its answer from arriving."""
        return await work

    # Actions

    async def join(self, namespace: str, room: Room, where: Where) -> None:
        """Let the servers join sockets to a room."""
        await self._act(Feature.JOIN, namespace, lambda adapter: adapter.join(room, where))

    async def leave(self, namespace: str, room: Room, where: Where) -> None:
        """Let sockets leave a room."""
        await self._act(Feature.LEAVE, namespace, lambda adapter: adapter.leave(room, where))

    async def emit(
        self, namespace: str, where: Where, event: str | int | float, args: Sequence[Json]
    ) -> None:
        """Let the servers emit an event to sockets."""
        await self._act(Feature.EMIT, namespace, lambda adapter: adapter.emit(where, event, args))

    async def disconnect(self, namespace: str, where: Where) -> None:
        """Disconnect sockets from a namespace."""
        await self._act(Feature.DISCONNECT, namespace, lambda adapter: adapter.disconnect(where))

    async def _act(self, feature: Feature, namespace: str, command: Callable[[Adapter], Command]) -> None:
        """Send a command to all servers, and have their sockets listed again.

        Raises: RefusedError if no server has the namespace, LostError.
        """
        self.require(feature)
        able = (each for each in self._adapters if feature in each.features)
        commands = [command(found) for each in able if (found := each.within(namespace))]
        if not commands:
            raise RefusedError(f"{self.state.name}: no server has the namespace {namespace}")
        for each in commands:
            await self._client.execute(*each)
        self._ask_now.set()


def _failure(tasks: Sequence["asyncio.Task[None]"]) -> BaseException:
    """Return why a task has ended."""
    done = next(task for task in tasks if task.done())
    return done.exception() or LostError("the connection to Redis is closed")
