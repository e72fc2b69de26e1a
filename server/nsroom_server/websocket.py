"""One WebSocket of the server: aiohttp's, with frames that are encoded elsewhere and a close that ends."""

import asyncio

from aiohttp import WSMsgType, web

_AT_A_TIME = 16
"""Frames of one client that are handled before the others get a turn; a long one counts as several."""
_LONG = 4096
_WITHOUT_BOUND = 3600.0
"""Seconds that aiohttp waits for the closing handshake: `close` bounds it."""


class WebSocket:
    """A WebSocket without compression: what a client sends is no larger than what it costs us."""

    def __init__(self, request: web.Request, max_payload: int) -> None:
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

    async def open(self) -> web.WebSocketResponse:
        """Answer the handshake; the response is what the request's handler returns in the end.

        Raises: ConnectionResetError.
        """
        transport = self._request.transport
        if transport is None:
            raise ConnectionResetError("the peer has gone")
        await self._response.prepare(self._request)
        self._transport: asyncio.Transport = transport
        self._high = self._transport.get_write_buffer_limits()[1]
        return self._response

    @property
    def writable(self) -> bool:
        """Whether the peer has read enough for the next frame."""
        return self._transport.get_write_buffer_size() <= self._high

    def write(self, frame: bytes) -> None:
        """Write a frame at once, whole, behind whatever else was written."""
        if not self._transport.is_closing():
            self._transport.write(frame)

    async def drained(self) -> bool:
        """Wait until the peer has read; false when it is gone."""
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
        timer = asyncio.get_running_loop().call_later(grace, self.abort)
        try:
            await self._response.close(code=code)
        finally:
            timer.cancel()

    def abort(self) -> None:
        """Drop the connection, whatever the peer does."""
        self._transport.abort()
