"""The way back after a lost connection: when it is tried, and what is known of the time without one."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsroom.channel import now
from nsroom.client.catchup import Attendance, Place, describe
from nsroom.client.connecting import Connector
from nsroom.client.events import Emit
from nsroom.client.journal import Journal
from nsroom.client.transports.connection import Connection
from nsroom.errors import ConnectError, LostError, NsroomError
from nsroom.record import Json, Kind, Record

if TYPE_CHECKING:  # which imports this module when a connection is lost
    from nsroom.client.client import Client

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 10.0


def backoff(attempt: int) -> float:
    """Give the seconds to wait before a reconnection attempt (1, 2, …), with jitter."""
    return min(_FIRST_DELAY * 2.0 ** min(attempt - 1, 10), _LONGEST_DELAY) * random.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without a connection."""

    milliseconds: float
    before: Collection[str | None]
    """The sids before it."""
    namespaces: Mapping[str, str | None]
    """The namespaces with their sids after it."""
    places: Sequence[Place]
    """The rooms of which something is known."""

    @property
    def recovered(self) -> list[str]:
        """The namespaces in which the server knew us again, and sent what was missed."""
        return [namespace for namespace, sid in self.namespaces.items() if sid in self.before]

    @property
    def message(self) -> str:
        """How long it was, and what was missed."""
        is_whole = len(self.recovered) == len(self.namespaces)
        missed = "the server sent what was missed" if is_whole else "what was emitted meanwhile is not known"
        if known := describe(self.places):
            missed = f"{known}; {missed.replace('what was', 'what else was')}"
        return f"{self.milliseconds / 1000:.1f} s without a connection; {missed}"

    @property
    def data(self) -> dict[str, Json]:
        """What its record says."""
        data: dict[str, Json] = {"ms": round(self.milliseconds), "recovered": self.recovered}
        return data | ({"rooms": [place.summary for place in self.places]} if self.places else {})


_PATIENCE = 10.0
"""Seconds to wait for each answer."""


class Recall:
    """Repeats joins over a new connection, and puts the missed messages before the live ones."""

    def __init__(
        self,
        attendance: Attendance,
        ask: Callable[..., Awaitable[list[asyncio.Future[Record]]]],
        put: Callable[[list[Record]], Awaitable[None]],
        joins: Sequence[Emit],
    ) -> None:
        self._attendance = attendance
        self._ask = ask
        self._put = put
        self._asked = [attendance.again(join) for join in joins]

    @property
    def places(self) -> list[Place]:
        """The rooms of which it is known what was missed, or that this cannot be known."""
        return [place for _, place in self._asked if place]

    async def run(self, ended: "asyncio.Future[str]") -> None:
        """Do it, unless the connection ends once more."""
        if not self._asked:
            return
        work = asyncio.ensure_future(self._run())
        try:
            both: set[asyncio.Future[Any]] = {work, ended}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _run(self) -> None:
        try:
            answers = await self._ask(*(join for join, _ in self._asked))
            for (_, place), answer in zip(self._asked, answers, strict=True):
                if place is not None:
                    await self._replay(place, answer)
        except LostError:
            return  # whoever waits for the end of the connection comes here again

    async def _replay(self, place: Place, answer: asyncio.Future[Record]) -> None:
        page = await _page(answer)
        await self._put(self._attendance.replay(place, page))
        while further := self._attendance.further(place, page):
            (answer,) = await self._ask(further)
            page = await _page(answer)
            await self._put(self._attendance.replay(place, page))
        await self._put(self._attendance.release(place))


async def _page(answer: asyncio.Future[Record]) -> Json:
    await asyncio.wait([answer], timeout=_PATIENCE)
    args = answer.result().args if answer.done() else None
    return args[0] if args else None


class Reconnection:
    """Brings a client back: into its namespaces, its rooms, and to what it did there."""

    def __init__(
        self,
        client: "Client",
        connector: Connector,
        attendance: Attendance,
        journal: Journal,
        say: Callable[[str], object],
    ) -> None:
        self._client = client
        self._connector = connector
        self._attendance = attendance
        self._journal = journal
        self._say = say

    async def run(self, reason: str, lost_at: int) -> None:
        """Come back from a connection that was lost for `reason` at this time (microseconds).

        Raises: RefusedError when the server takes us back into no namespace.
        """
        before = set(self._client.namespaces.values())
        self._say(f"the connection ended ({reason}); trying again")
        connection = await self._connect()
        milliseconds = (now() - lost_at) / 1000
        places = await self._join(connection)
        gap = Gap(milliseconds, before, self._client.namespaces, places)
        self._journal.note(Kind.GAP, reason=reason, message=gap.message, data=gap.data)
        self._say(f"connected again over {self._client.transport}: {gap.message}")
        await self._go_on()

    async def _connect(self) -> Connection:
        """Try until it works; say what goes wrong when it is something new."""
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

    async def _join(self, connection: Connection) -> list[Place]:
        """Repeat the joins; give the rooms of which something is known now."""
        joins = [join for join in self._client.rejoin if join.namespace in self._client.namespaces]
        recall = Recall(self._attendance, self._client.ask, self._journal.put_slowly, joins)
        await recall.run(connection.ended)
        return recall.places

    async def _go_on(self) -> None:
        for begin_again in self._client.on_return:
            try:
                await begin_again()
            except NsroomError as error:
                self._say(str(error))
