"""One WebSocket of the server: aiohttp's, with frames that are encoded elsewhere and a close that ends."""

import asyncio
from typing import cast

from aiohttp import WSMsgType, web

from nsroom_server.engineio.transport import CorkableTransport

_AT_A_TIME = 4
"""Frames of one client that are handled before the others get a turn; a long one counts as several."""
_LONG = 16_384
_CHUNK = 16_384
"""Bytes of frames that are collected at most: one system call costs as much as making several frames."""
_CLOSE = 4
"""Bytes of a CLOSE frame without a reason."""
_WITHOUT_BOUND = 3600.0
"""Seconds that aiohttp waits for the closing handshake: `close` bounds it."""


class Flusher:
    """Flushes what was written to in this turn of the loop: a callback for each WebSocket costs too much."""

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: list[WebSocket] = []

    def add(self, websocket: "WebSocket") -> None:
        """Flush it before the next turn."""
        if not self._written:
            asyncio.get_running_loop().call_soon(self._flush)
        self._written.append(websocket)

    def _flush(self) -> None:
        try:
            while self._written:
                self._written.pop().flush()
        finally:
            if self._written:  # what failed has been reported; the others still have their turn
                asyncio.get_running_loop().call_soon(self._flush)


class WebSocket:
    """A WebSocket without compression: what a client sends is no larger than what it costs us."""

    def __init__(self, request: web.Request, max_payload: int, flusher: Flusher) -> None:
        self._request = request
        # aiohttp refuses what is as large as its bound.
        self._response = web.WebSocketResponse(
            max_msg_size=max_payload + 1,
            compress=False,
            autoping=False,
            autoclose=False,
            timeout=_WITHOUT_BOUND,
        )
        self._load = 0
        self._loop = asyncio.get_running_loop()
        self._flusher = flusher
        self._frames: list[bytes] = []
        self._size = 0
        self._unsent: list[int] = []
        """The sizes of the frames that the system has not taken whole."""
        self._left = 0
        """Bytes that it had not taken after the last flush."""
        self._closing = False

    async def open(self) -> web.WebSocketResponse:
        """Answer the handshake; the response is what the request's handler returns in the end.

        Raises: ConnectionResetError.
        """
        # What `tcp` gives to aiohttp for each connection.
        transport = cast(CorkableTransport | None, self._request.transport)
        if transport is None:
            raise ConnectionResetError("the peer disconnected")
        self._transport: asyncio.Transport = transport.inner
        self._high = self._transport.get_write_buffer_limits()[1]
        transport.cork(self.flush)
        try:
            await self._response.prepare(self._request)
        finally:
            head = transport.uncork()
        # The client waits for the first packet as well: one system call for both.
        self.write(head)
        return self._response

    @property
    def writable(self) -> bool:
        """Whether the peer has read enough for the next frame."""
        left = self._left and self._transport.get_write_buffer_size()
        return left + self._size <= self._high

    def write(self, frame: bytes) -> None:
        """Write a frame in this turn of the loop, whole, behind whatever else was written."""
        if not self._frames:
            self._flusher.add(self)
        self._frames.append(frame)
        self._size += len(frame)
        if self._size >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Give the system what was written."""
        frames, self._frames, self._size = self._frames, [], 0
        transport = self._transport
        if not frames or transport.is_closing():
            return
        transport.write(frames[0] if len(frames) == 1 else b"".join(frames))
        left = transport.get_write_buffer_size()
        if left or self._left:
            self._unsent.extend(map(len, frames))
            self._forget_sent(left)
        self._left = left

    def _forget_sent(self, left: int) -> None:
        total, sent = sum(self._unsent), 0
        while sent < len(self._unsent) and total - self._unsent[sent] >= left:
            total -= self._unsent[sent]
            sent += 1
        del self._unsent[:sent]

    @property
    def unsent(self) -> int:
        """How many frames the system has not taken whole."""
        left = self._transport.get_write_buffer_size() - (_CLOSE if self._closing else 0)
        self._forget_sent(max(left, 0))
        return len(self._unsent) + len(self._frames)

    async def drained(self) -> bool:
        """Wait until the peer has read; false when it is gone."""
        self.flush()
        try:
            await self._request.writer.drain()
        except ConnectionError:
            return False
        # Where the transport has bounds of its own, its word alone could make us spin.
        await asyncio.sleep(0 if self.writable else 0.01)
        return not self._transport.is_closing()

    async def receive(self) -> str | bytes | None:
        """Give the next frame's text or octets, or None when there will be none."""
        while True:
            await self._give_way()
            message = await self._response.receive()
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                data: str | bytes = message.data
                self._load += len(data) // _LONG
                return data
            if message.type is WSMsgType.PING:
                await self._response.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                return None

    async def _give_way(self) -> None:
        # A read that finds something does not suspend: a flood would keep everybody else waiting.
        self._load += 1
        if self._load >= _AT_A_TIME:
            self._load = 0
            await asyncio.sleep(0)

    async def close(self, code: int, grace: float) -> None:
        """Send a CLOSE and wait for the peer's, `grace` seconds; then drop the connection."""
        timer = self._loop.call_later(grace, self.abort)
        self.flush()
        self._closing = True
        try:
            await self._response.close(code=code)
        finally:
            timer.cancel()

    def abort(self) -> None:
        """Drop the connection, whatever the peer does."""
        self._transport.abort()
