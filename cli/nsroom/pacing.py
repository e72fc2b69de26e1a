"""How far sending may run ahead of a server that reads slowly."""

import asyncio
from collections import deque

from nsroom.client import Client
from nsroom.errors import WaitError

_STEP = 200
"""Events between two pings."""
_AHEAD = 5
"""Pings that may be unanswered."""


class Pace:
    """Lets a sender that asks for no acknowledgements go on when the server has read enough of what it sent.

    It is told by the pongs of WebSocket pings among the events. Over polling every request is answered.
    """

    def __init__(self, client: Client, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._sent = 0
        self._pongs: deque[asyncio.Future[None]] = deque()

    async def sent(self, count: int) -> None:
        """Take notice of so many events; wait while the server is too far behind.

        Raises: WaitError when it reads nothing for the time-out, LostError.
        """
        self._sent += count
        if self._sent < _STEP or self._client.transport != "websocket":
            return
        self._sent = 0
        self._pongs.append(await self._client.mark())
        if len(self._pongs) > _AHEAD:
            await self._read(self._pongs.popleft())

    async def settle(self) -> None:
        """Wait until the server has read all of it. Raises: as `sent`."""
        while self._pongs:
            await self._read(self._pongs.popleft())
        await self._client.settle(self._timeout)

    async def _read(self, pong: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await pong
        except TimeoutError:
            raise WaitError(f"the server has read nothing for {self._timeout:g} s") from None
