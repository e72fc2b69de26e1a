"""The message history in Redis."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from nsroom_server.chat.history import HistoryError
from nsroom_server.chat.requests import Page
from nsroom_server.chat.sqlite_history import Body, UnreadableError, bounded
from nsroom_server.cluster.connection import FAILURES
from nsroom_server.cluster.entries import Entry, Op, room_key
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.cluster.scripts import FLOOR, IDS, ROOM

_UNREADABLE = "the history cannot be read: Redis does not answer"
_FIRST_READ = 16
"""Messages to read first, while their length is unknown."""


class SharedHistory:
    """Messages, numbered and stored by Redis: implements `History`."""

    lost = False
    """A loss of data in Redis is another epoch."""

    def __init__(self, redis: Redis, publisher: Publisher) -> None:
        self._redis = redis
        self._publisher = publisher

    @property
    def epoch(self) -> str:
        """Changes when Redis has lost data."""
        return self._publisher.epoch

    def append(self, namespace: str, room: str, text: str) -> asyncio.Future[int]:
        """Number and store a message; its id follows when this server has delivered it.

        Raises (from the future): Refusal.
        """
        return self._publisher.submit(Entry(Op.MESSAGE, namespace, room, data=text))

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:
        """Return a page of a room's messages, oldest first, of about `octets` bytes at most.

        Raises: HistoryError.
        """
        rows: list[tuple[int, str]] = []
        step, size = _FIRST_READ, 0
        # In steps that double, so that little is read that does not fit.
        while len(rows) < page.limit and size < octets:
            found = await self._read_rows(room_key(namespace, page.room), page, rows, step)
            rows += found
            size += sum(len(body) for _, body in found)
            if len(found) < min(step, page.limit):
                break
            step *= 2
        try:
            bodies = list(bounded(rows[: page.limit], octets))
        except UnreadableError as error:
            raise HistoryError(f"the history cannot be read: {error}") from error
        return bodies[::-1] if page.after is None else bodies

    async def _read_rows(
        self, key: str, page: Page, rows: Sequence[tuple[int, str]], step: int
    ) -> list[tuple[int, str]]:
        """Return the rows that follow `rows`."""
        count = min(step, page.limit)
        if page.after is None:
            last = f"({rows[-1][0]}-0" if rows else "+"
            found = await self._ask(lambda: self._redis.xrevrange(ROOM + key, last, "-", count=count))
        else:
            first = rows[-1][0] if rows else page.after
            found = await self._ask(lambda: self._redis.xrange(ROOM + key, f"({first}-0", "+", count=count))
        return [(int(position.partition("-")[0]), fields.get("body", "")) for position, fields in found]

    async def last(self, namespace: str, room: str) -> int:
        """Return the id of a room's last message, stored or not, or 0 if there was none.

        Raises: HistoryError.
        """
        number, floor = await self._ask(lambda: self._read_last(room_key(namespace, room)))
        return int(number or floor or 0)

    async def oldest(self, namespace: str, room: str) -> int | None:
        """Return the first id of a room that is stored, readable or not, or None without any.

        Raises: HistoryError.
        """
        stream = ROOM + room_key(namespace, room)
        found = await self._ask(lambda: self._redis.xrange(stream, count=1))
        return int(found[0][0].partition("-")[0]) if found else None

    async def _read_last(self, key: str) -> list[str | None]:
        commands = self._redis.pipeline(transaction=False)
        commands.hget(IDS, key)
        commands.get(FLOOR)
        return await commands.execute()

    async def _ask(self, question: Callable[[], Awaitable[Any]]) -> Any:
        """Return the answer to a question that changes nothing; ask again if the connection was dead."""
        try:
            try:
                return await question()
            except exceptions.ConnectionError:
                # Those that died with it would fail the second time.
                await self._redis.connection_pool.disconnect(inuse_connections=False)
                return await question()
        except FAILURES as error:
            raise HistoryError(_UNREADABLE) from error

    async def close(self) -> None:
        """Do nothing: `open_cluster` closes Redis."""
