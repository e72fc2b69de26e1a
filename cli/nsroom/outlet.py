"""Where the bytes of one direction leave: at once, or when their time has come."""

import asyncio

_MAX_DELAYED = 2**20
"""Bytes that may wait for their time; then their sender waits too."""


class Outlet:
    """Sends at once."""

    def __init__(self, sink: asyncio.StreamWriter) -> None:
        self._sink = sink

    def put(self, data: bytes, _delay: float = 0.0) -> None:
        """Send these."""
        if data:
            self._sink.write(data)

    async def drain(self) -> None:
        """Wait while the other side takes nothing. Raises: ConnectionError."""
        await self._sink.drain()

    def end(self) -> None:
        """Send no more: half-close, where the connection can be (TLS cannot)."""
        if self._sink.can_write_eof():
            self._sink.write_eof()
        else:
            self._sink.close()

    async def run(self) -> None:
        """Do what is to be done beside. Raises: ConnectionError."""


class DelayedOutlet(Outlet):
    """Sends everything in its order, and nothing before its time."""

    def __init__(self, sink: asyncio.StreamWriter) -> None:
        super().__init__(sink)
        self._queue: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._waiting = 0
        self._room = asyncio.Event()
        self._now = asyncio.get_running_loop().time

    def put(self, data: bytes, delay: float = 0.0) -> None:
        """Send these after so many seconds, and after what is before them."""
        self._waiting += len(data)
        self._queue.put_nowait((self._now() + delay, data))

    async def drain(self) -> None:
        """Wait while too much waits."""
        while self._waiting > _MAX_DELAYED:
            self._room.clear()
            await self._room.wait()

    def end(self) -> None:
        """Send no more after this."""
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Send what is due. Raises: ConnectionError."""
        while (item := await self._queue.get()) is not None:
            due, data = item
            await asyncio.sleep(due - self._now())
            super().put(data)
            await super().drain()
            self._waiting -= len(data)
            self._room.set()
        super().end()
