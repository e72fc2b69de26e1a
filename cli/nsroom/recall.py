"""After a lost connection: the joins once more, and all that was said in the rooms meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nsroom.arguments import Emit
from nsroom.attendance import Attendance, Place
from nsroom.errors import LostError
from nsroom.record import Json, Record

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
