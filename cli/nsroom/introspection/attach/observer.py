"""Observe a stock Node process through its inspector: nothing is installed, and no restart is needed."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from nsroom.channel import now
from nsroom.client.target import Target
from nsroom.errors import LostError, RefusedError
from nsroom.introspection.attach.opening import find_process, has_inspector, node_children
from nsroom.introspection.attach.processes import Process, find
from nsroom.introspection.attach.session import Session
from nsroom.introspection.attach.state import ENDED, Change, State
from nsroom.introspection.observer import Observer, Say, Where
from nsroom.output.room_names import Room
from nsroom.record import Json, Record, escape

_MAX_WORKERS = 64


class Attach(Observer[Change]):
    """Observes the process that listens at a port, or a named one; of a cluster, all its workers."""

    state: State

    def __init__(
        self, target: Target, pid: int | None = None, *, timeout: float = 5.0, say: Say = str
    ) -> None:
        super().__init__(timeout=timeout, say=say)
        self.state = State("attach")
        self._target = target
        self._pid = pid
        self._sessions: list[Session] = []
        self._received: deque[Change] = deque()
        self._ready = asyncio.Event()

    async def _open(self) -> None:
        process = await asyncio.to_thread(find_process, self._target, self._pid)
        first = await self._begin(process)
        if await first.watch(self._port):
            return
        workers = await self._workers(first)
        await self._end(first)
        self.state.shows_servers = len(workers) > 1
        for worker in workers:
            session = await self._begin(worker, first.opened_it)
            if not await session.watch(self._port):
                await self._end(session)
        if not self._sessions:
            raise RefusedError(f"{first.name} has no Socket.IO server" + self._hint(process))

    @property
    def _port(self) -> int | None:
        """The port of the servers to observe, or None for all of the process."""
        return self._target.port if self._pid is None else None

    async def _begin(self, process: Process, is_ours: bool = False) -> Session:
        session = Session(process, self._on_changes, self._say, is_ours)
        self._sessions.append(session)
        self.state.unlisted.add(session.name)
        await session.open(self._port)
        return session

    async def _end(self, session: Session) -> None:
        self._sessions.remove(session)
        self.state.unlisted.discard(session.name)
        await session.close()

    async def _workers(self, primary: Session) -> list[Process]:
        pids = await primary.workers()
        # The primary has sent them SIGUSR1 too: one of them may have taken the port that the others need.
        found = [each for each in map(find, pids[:_MAX_WORKERS]) if each and each.uid == primary.process.uid]
        is_open = {each.pid: await has_inspector(each) for each in found}
        return sorted(found, key=lambda each: not is_open[each.pid])

    def _hint(self, process: Process) -> str:
        port = self._port
        where = f" that listens on port {port}" if port is not None else ""
        below = node_children(process)
        children = ", ".join(f"--via attach:{child.pid}" for child in below[:3])
        return where + (f"; its child processes: {children}" if below else "")

    async def _shut(self) -> None:
        await asyncio.gather(*(session.close() for session in self._sessions))

    def _on_changes(self, session: Session, items: list[Json]) -> None:
        at = now()
        self._received += [
            Change(session.name, item, at) for item in items or [ENDED] if isinstance(item, dict)
        ]
        self._ready.set()

    async def _fetch(self) -> list[Change]:
        while not self._received:
            if not any(session.is_open for session in self._sessions):
                names = ", ".join(session.name for session in self._sessions)
                raise LostError(f"{names} ended, or closed its inspector")
            await self._ready.wait()
            self._ready.clear()
        changes = list(self._received)
        self._received.clear()
        for session in self._sessions:
            session.confirm()
        return changes

    def _apply(self, change: Change) -> list[Record]:
        names = [session.name for session in self._sessions]
        if change.item == ENDED and len(names) > 1 and change.server in names:
            self._say(
                f"{change.server} ended, or closed its inspector; the other processes are still observed"
            )
        return self.state.feed(change)

    async def batches(self) -> AsyncIterator[list[Record]]:
        """Yield what the sockets do: with their packets after the first batch, which is empty."""
        for session in self._sessions:
            await session.watch_events()
        yield []
        async with aclosing(super().batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                yield batch

    async def join(self, namespace: str, room: Room, where: Where) -> None:
        """Let the server join sockets to a room. Raises: RefusedError, LostError."""
        await self._act("join", namespace, where, [room])

    async def leave(self, namespace: str, room: Room, where: Where) -> None:
        """Let sockets leave a room. Raises: as `join`."""
        await self._act("leave", namespace, where, [room])

    async def emit(
        self, namespace: str, where: Where, event: str | int | float, args: Sequence[Json]
    ) -> None:
        """Let the server emit an event to sockets. Raises: as `join`."""
        await self._act("emit", namespace, where, [event, *args])

    async def disconnect(self, namespace: str, where: Where) -> None:
        """Disconnect sockets from a namespace. Raises: as `join`."""
        await self._act("disconnect", namespace, where, [])

    async def _act(self, action: str, namespace: str, where: Where, args: list[Json]) -> None:
        rooms = where if where is None or isinstance(where, list | tuple) else [where]
        # An adapter would bring an event of one worker to the sockets of all.
        local = len(self._sessions) > 1
        found = [
            await session.act(action, namespace, rooms, escape(args), local)
            for session in self._sessions
            if session.is_open
        ]
        if not any(found):
            raise RefusedError(f"the server has no namespace {namespace}")
