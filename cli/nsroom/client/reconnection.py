"""Reconnect with backoff after a lost connection, and record the gap."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from nsroom.channel import now
from nsroom.client.catchup import CatchUp, RoomState, describe
from nsroom.client.connecting import Connector
from nsroom.client.events import Emit
from nsroom.client.journal import Journal
from nsroom.client.transports.connection import Connection
from nsroom.errors import ConnectError, LostError, NsroomError
from nsroom.protocol.refusals import refusal
from nsroom.record import Json, Kind, Record

Ask = Callable[..., Awaitable[list[asyncio.Future[Record]]]]
"""`Client.ask`."""

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 10.0
_ANSWER_TIMEOUT = 10.0
"""Seconds to wait for the answer to each join, and for each page of missed messages."""
_FOR_NOW = frozenset(("bus_unavailable", "rate_limited", "draining"))
"""Refusals of a server that can accept the same join later."""


def backoff(attempt: int) -> float:
    """Return the seconds to wait before a reconnection attempt (1, 2, …), with jitter."""
    from random import uniform  # 1 ms, which only a lost connection should cost

    return min(_FIRST_DELAY * 2.0 ** min(attempt - 1, 10), _LONGEST_DELAY) * uniform(0.5, 1.0)


class Gap(NamedTuple):
    """A time without a connection."""

    milliseconds: float
    before: Collection[str | None]
    """The sids before it."""
    namespaces: Mapping[str, str | None]
    """The namespaces with their sids after it."""
    rooms: Sequence[RoomState]
    """The rooms whose messages are numbered."""

    @property
    def recovered(self) -> list[str]:
        """The namespaces whose session the server recovered, with the missed events."""
        return [namespace for namespace, sid in self.namespaces.items() if sid in self.before]

    @property
    def message(self) -> str:
        """Its length, and what was missed."""
        known = describe(self.rooms)
        other = "other " if known else ""
        if len(self.recovered) == len(self.namespaces):
            missed = f"the server sent the {other}missed events"
        else:
            missed = f"{other}events sent in between may be missing"
        length = f"{self.milliseconds / 1000:.1f} s without a connection"
        return "; ".join(filter(None, (length, known, missed)))

    @property
    def data(self) -> dict[str, Json]:
        """The data of its record."""
        data: dict[str, Json] = {"ms": round(self.milliseconds), "recovered": self.recovered}
        return data | ({"rooms": [room.summary for room in self.rooms]} if self.rooms else {})


class Reconnection:
    """Reconnects a client: to its namespaces and its rooms, with the messages missed in them."""

    def __init__(
        self,
        connector: Connector,
        catchup: CatchUp,
        journal: Journal,
        ask: Ask,
        say: Callable[[str], object],
    ) -> None:
        self._connector = connector
        self._catchup = catchup
        self._journal = journal
        self._ask = ask
        self._say = say

    async def run(
        self,
        reason: str,
        lost_at: int,
        joins: Sequence[Emit],
        on_reconnect: Sequence[Callable[[], Awaitable[object]]],
    ) -> None:
        """Replace a connection that was lost for `reason` at `lost_at` (microseconds).

        The joins are emitted again, and then `on_reconnect` is called.
        Raises: RefusedError when the server refuses every namespace.
        """
        before = set(self._connector.session.namespaces.values())
        self._say(f"the connection ended ({reason}); trying again")
        connection = await self._connect()
        milliseconds = (now() - lost_at) / 1000
        rooms = await self._rejoin(joins, connection)
        gap = Gap(milliseconds, before, self._connector.session.namespaces, rooms)
        self._journal.note(Kind.GAP, reason=reason, message=gap.message, data=gap.data)
        self._say(f"connected again over {connection.transport}: {gap.message}")
        for resume in on_reconnect:
            try:
                await resume()
            except NsroomError as error:
                self._say(str(error))

    async def _connect(self) -> Connection:
        """Try until it works, and report each new reason why it does not."""
        attempt, said = 0, ""
        while True:
            attempt += 1
            delay = backoff(attempt)
            data = {"attempt": attempt, "delay_ms": round(delay * 1000)}
            self._journal.note(Kind.RECONNECT, message=said or None, data=data)
            await asyncio.sleep(delay)
            try:
                return await self._connector.connect()
            except ConnectError as error:
                if str(error) != said:
                    said = str(error)
                    self._say(said)

    async def _rejoin(self, joins: Sequence[Emit], connection: Connection) -> list[RoomState]:
        """Repeat the joins and fetch the missed messages; return the rooms that have numbered messages."""
        namespaces = self._connector.session.namespaces
        asked = [self._catchup.resume(join) for join in joins if join.namespace in namespaces]
        if asked:
            await _unless_ended(self._catch_up(asked), connection.ended)
        return [room for _, room in asked if room]

    async def _catch_up(self, asked: Sequence[tuple[Emit, RoomState | None]]) -> None:
        try:
            answers = await self._ask(*(join for join, _ in asked))
            for (join, room), answer in zip(asked, answers, strict=True):
                if room is not None:
                    await self._replay(room, await self._joined(join, room, answer))
        except LostError:
            return  # the loss of this connection is handled like that of the last

    async def _joined(
        self, join: Emit, room: RoomState, answer: asyncio.Future[Record]
    ) -> asyncio.Future[Record]:
        """Repeat a join while the server refuses it for the moment, and return the last answer."""
        attempt = 0
        while (refused := refusal([await _page(answer)])) and refused.code in _FOR_NOW:
            attempt += 1
            if attempt == 1:
                self._say(f"the server refuses to join {room.room} ({refused}); trying again")
            await asyncio.sleep(backoff(attempt))
            (answer,) = await self._ask(join)
        return answer

    async def fill_gap(self, room: RoomState) -> None:
        """Put the missed messages of a room before the live one that shows that they are missing."""
        try:
            (answer,) = await self._ask(self._catchup.missing(room))
            await self._replay(room, answer)
        except NsroomError:
            return  # the room catches up when it is joined again
        if message := describe([room]):
            self._journal.note(Kind.GAP, message=message, data={"rooms": [room.summary]})
            self._say(message)

    async def _replay(self, room: RoomState, answer: asyncio.Future[Record]) -> None:
        """Put the missed messages of a room before its live ones."""
        page = await _page(answer)
        await self._journal.put_many(self._catchup.replay(room, page))
        while rest := self._catchup.next_page(room, page):
            (answer,) = await self._ask(rest)
            page = await _page(answer)
            await self._journal.put_many(self._catchup.replay(room, page))
        await self._journal.put_many(self._catchup.release(room))


async def _unless_ended(work: Coroutine[Any, Any, None], ended: "asyncio.Future[str]") -> None:
    """Run `work`, but cancel it when the connection ends."""
    task = asyncio.ensure_future(work)
    try:
        both: set[asyncio.Future[Any]] = {task, ended}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _page(answer: asyncio.Future[Record]) -> Json:
    """Return the first argument of an acknowledgement, or None if it does not arrive in time."""
    await asyncio.wait([answer], timeout=_ANSWER_TIMEOUT)
    args = answer.result().args if answer.done() else None
    return args[0] if args else None
