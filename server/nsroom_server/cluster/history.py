"""The message history in Redis."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from nsroom_server import strict_json
from nsroom_server.chat.history import HistoryError
from nsroom_server.chat.requests import Page
from nsroom_server.chat.sqlite_history import Body, bounded
from nsroom_server.cluster.connection import FAILURES
from nsroom_server.cluster.entries import Entry, Op, key
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.cluster.scripts import FLOOR, IDS, ROOM

_UNREADABLE = "the history cannot be read: Redis does not answer"


_FIRST_READ = 16
"""Messages read at first: nobody knows how long they are."""


class SharedHistory:
    """What was said, numbered and kept by Redis: a History."""

    def __init__(self, redis: Redis, publisher: Publisher) -> None:
        self._redis = redis
        self._publisher = publisher

    @property
    def epoch(self) -> str:
        """Changes when Redis has lost something."""
        return self._publisher.epoch

    def append(self, namespace: str, room: str, body: Body) -> asyncio.Future[int]:
        """Number and store a message; it is delivered by then.

        Raises (from the future): Refusal.
        """
        return self._publisher.submit(Entry(Op.MESSAGE, namespace, room, data=strict_json.dumps(body)))

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:
        """Read a part of a room's messages, in larger and larger pieces."""
        rows: list[tuple[int, str]] = []
        step, size = _FIRST_READ, 0
        while len(rows) < page.limit and size < octets:
            piece = await self._piece(key(namespace, page.room), page, rows, step)
            rows += piece
            size += sum(len(body) for _, body in piece)
            if len(piece) < min(step, page.limit):
                break
            step *= 2
        bodies = list(bounded(iter(rows[: page.limit]), octets))
        return bodies[::-1] if page.after is None else bodies

    async def _piece(
        self, name: str, page: Page, rows: Sequence[tuple[int, str]], step: int
    ) -> list[tuple[int, str]]:
        count = min(step, page.limit)
        found: Any
        try:
            if page.after is None:
                last = f"({rows[-1][0]}-0" if rows else "+"
                found = await self._redis.xrevrange(ROOM + name, last, "-", count=count)
            else:
                first = rows[-1][0] if rows else page.after
                found = await self._redis.xrange(ROOM + name, f"({first}-0", "+", count=count)
        except FAILURES as error:
            raise HistoryError(_UNREADABLE) from error
        return [(int(position.partition("-")[0]), fields["body"]) for position, fields in found]

    async def last(self, namespace: str, room: str) -> int:
        """Read the id of a room's last message.

        Raises: HistoryError.
        """
        asked = self._redis.pipeline(transaction=False)
        asked.hget(IDS, key(namespace, room))
        asked.get(FLOOR)
        try:
            number, floor = await asked.execute()
        except FAILURES as error:
            raise HistoryError(_UNREADABLE) from error
        return int(number or floor or 0)

    async def close(self) -> None:
        """Do nothing: whoever opened Redis closes it."""
