"""What all ways to see a server have in common: reading changes, alone and while they are followed."""

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest

from nsroom.errors import LostError, RefusedError, WaitError
from nsroom.introspection.inventory import Feature, Inventory, Socket
from nsroom.introspection.observer import Observer, Where
from nsroom.output.room_names import Room
from nsroom.record import Direction, Json, Kind, Record


class Arrivals(Observer[str | None]):
    """Each change is the sid of a socket that connects, or None: then all of them are listed."""

    def __init__(self, *batches: Sequence[str | None]) -> None:
        super().__init__(timeout=0.01)
        self.state = Inventory("arrivals")
        self.changes: asyncio.Queue[Sequence[str | None] | None] = asyncio.Queue()
        for batch in batches:
            self.changes.put_nowait(batch)
        self.applied = asyncio.Event()
        self.done: list[tuple[object, ...]] = []
        self.is_open = False

    async def _open(self) -> None:
        self.is_open = True
        self.state.features = [Feature.ALL_EVENTS, Feature.JOIN]

    async def _shut(self) -> None:
        self.is_open = False

    async def _fetch(self) -> Sequence[str | None] | None:
        return await self.changes.get()

    def _apply(self, change: str | None) -> list[Record]:
        if change is None:
            self.state.listed = True
            return []
        socket = Socket("/", change)
        self.state.sockets[socket.key] = socket
        self.applied.set()
        return [Record(0, 0, Direction.IN, Kind.CONNECT, "/", sid=change)]

    async def join(self, namespace: str, room: Room, where: Where) -> None:
        self._act(Feature.JOIN, namespace, room, where)

    async def leave(self, namespace: str, room: Room, where: Where) -> None:
        self._act(Feature.LEAVE, namespace, room, where)

    async def emit(
        self, namespace: str, where: Where, event: str | int | float, args: Sequence[Json]
    ) -> None:
        self._act(Feature.EMIT, namespace, where, event, *args)

    async def disconnect(self, namespace: str, where: Where) -> None:
        self._act(Feature.DISCONNECT, namespace, where)

    def _act(self, feature: Feature, *args: object) -> None:
        self.require(feature)
        self.done.append((feature, *args))


def knows(observer: Arrivals, *sids: str) -> Callable[[], bool]:
    return lambda: {sid for _, sid in observer.state.sockets} == set(sids)


async def test_changes_are_read_until_something_holds_and_no_further() -> None:
    async with Arrivals(["a", "b"], ["c"]) as observer:
        assert await observer.read_until(knows(observer, "a"), 10)
        assert await observer.read_until(knows(observer, "a", "b", "c"), 10)
        assert not await observer.read_until(knows(observer), 0.01)
    assert not observer.is_open


async def test_changes_that_held_up_the_loop_until_after_the_deadline_still_count() -> None:
    def decode(observer: Arrivals) -> None:
        time.sleep(0.5)
        observer.changes.put_nowait(["a"])

    async with Arrivals() as observer:
        asyncio.get_running_loop().call_later(0.05, decode, observer)
        assert await observer.read_until(knows(observer, "a"), 0.3)


async def test_while_the_batches_are_followed_others_only_wait() -> None:
    async with Arrivals(["a"]) as observer:
        batches = observer.batches()
        assert [record.sid for record in await anext(batches)] == ["a"]
        waiting = asyncio.create_task(observer.read_until(knows(observer, "a", "b"), 10))
        observer.changes.put_nowait(["b"])
        assert [record.sid for record in await anext(batches)] == ["b"]
        assert await waiting


async def test_work_is_done_while_changes_are_read() -> None:
    async with Arrivals() as observer:

        async def work() -> str:
            observer.changes.put_nowait(["a"])
            await observer.applied.wait()
            return "done"

        assert await observer.run_while_reading(work()) == "done"


async def test_the_end_of_the_changes_is_a_lost_connection() -> None:
    async with Arrivals() as observer:
        observer.changes.put_nowait(None)
        with pytest.raises(LostError):
            await observer.run_while_reading(asyncio.sleep(60))


async def test_a_list_that_does_not_come_is_not_an_empty_one() -> None:
    async with Arrivals(["a"]) as observer:
        with pytest.raises(WaitError, match="arrivals sent no list of sockets"):
            await observer.wait_for_sockets()
        observer.changes.put_nowait([None])
        await observer.read_until(lambda: observer.state.listed, 10)
        await observer.wait_for_sockets()


async def test_what_it_cannot_do_is_refused() -> None:
    async with Arrivals() as observer:
        await observer.join("/", "lobby", None)
        assert observer.done == [(Feature.JOIN, "/", "lobby", None)]
        with pytest.raises(RefusedError, match="arrivals is read-only: it does not support EMIT"):
            await observer.emit("/", None, "hello", [])
        observer.state.features = []
        with pytest.raises(RefusedError, match="arrivals does not list sockets"):
            await observer.wait_for_sockets()
