"""A server WebSocket: aiohttp's, with pre-encoded frames, batched writes and a bounded close."""

import asyncio
from typing import cast

from aiohttp import WSMsgType, web

from nsroom_server.engineio.transport import CorkableTransport

_AT_A_TIME = 4
"""Frames of one client to handle before the others get a turn; a long one counts as several."""
_LONG = 16_384
_CHUNK = 16_384
"""Bytes of frames to collect for one system call, which costs as much as encoding several frames."""
_CLOSE = 4
"""Bytes of a CLOSE frame without a reason."""
_WITHOUT_BOUND = 3600.0
"""Seconds for aiohttp's closing handshake, which `close` bounds instead."""


class Flusher:
    """Flushes the WebSockets written to in this turn of the loop: a callback for each would cost too much."""

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: list[WebSocket] = []

    def add(self, websocket: "WebSocket") -> None:
        """Flush a WebSocket before the next turn."""
        if not self._written:
            asyncio.get_running_loop().call_soon(self._flush)
        self._written.append(websocket)

    def _flush(self) -> None:
        try:
            while self._written:
                self._written.pop().flush()
        finally:
            if self._written:  # the failure is reported by the loop; the others are flushed next
                asyncio.get_running_loop().call_soon(self._flush)


class WebSocket:
    """A WebSocket without compression: a message costs no more memory than the client sent."""

    def __init__(self, request: web.Request, max_payload: int, flusher: Flusher) -> None:
        self._request = request
        # aiohttp refuses messages that are as large as its bound.
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
        """The sizes of the frames that are not completely sent."""
        self._left = 0
        """Bytes not sent after the last flush."""
        self._closing = False

    async def open(self) -> web.WebSocketResponse:
        """Answer the handshake; the response is what the request's handler returns in the end.

        Raises: ConnectionResetError.
        """
        # `tcp` gives aiohttp this transport for each connection.
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
        # One system call for the response and the first packet.
        self.write(head)
        return self._response

    @property
    def writable(self) -> bool:
        """Whether the peer has read enough for the next frame."""
        left = self._left and self._transport.get_write_buffer_size()
        return left + self._size <= self._high

    def write(self, frame: bytes) -> None:
        """Write a whole frame in this turn of the loop, after those written before."""
        if not self._frames:
            self._flusher.add(self)
        self._frames.append(frame)
        self._size += len(frame)
        if self._size >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Pass the written frames to the transport."""
        frames, self._frames, self._size = self._frames, [], 0
        transport = self._transport
        if not frames or transport.is_closing():
            return
        transport.write(frames[0] if len(frames) == 1 else b"".join(frames))
        left = transport.get_write_buffer_size()
        if left or self._left:
            self._unsent.extend(map(len, frames))
            self._remove_sent(left)
        self._left = left

    def _remove_sent(self, left: int) -> None:
        total, sent = sum(self._unsent), 0
        while sent < len(self._unsent) and total - self._unsent[sent] >= left:
            total -= self._unsent[sent]
            sent += 1
        del self._unsent[:sent]

    @property
    def unsent(self) -> int:
        """The number of frames that are not completely sent."""
        left = self._transport.get_write_buffer_size() - (_CLOSE if self._closing else 0)
        self._remove_sent(max(left, 0))
        return len(self._unsent) + len(self._frames)

    async def drained(self) -> bool:
        """Wait until the peer has read, and return whether it is still connected."""
        self.flush()
        try:
            await self._request.writer.drain()
        except ConnectionError:
            return False
        # A transport with its own bounds may return at once: do not spin.
        await asyncio.sleep(0 if self.writable else 0.01)
        return not self._transport.is_closing()

    async def receive(self) -> str | bytes | None:
        """Return the next frame's text or bytes, or None at the end."""
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
        # A read that finds data does not suspend: without this, a flood would starve the other clients.
        self._load += 1
        if self._load >= _AT_A_TIME:
            self._load = 0
            await asyncio.sleep(0)

    async def close(self, code: int, grace: float) -> None:
        """Send a CLOSE, wait `grace` seconds for the peer's, then drop the connection."""
        timer = self._loop.call_later(grace, self.abort)
        self.flush()
        self._closing = True
        try:
            await self._response.close(code=code)
        finally:
            timer.cancel()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()
