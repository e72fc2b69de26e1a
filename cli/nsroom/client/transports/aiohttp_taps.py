"""aiohttp classes that report every frame they carry; python-socketio sees only the frames it needs."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from yarl import URL

from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.client.transports.tap import Tap
from nsroom.protocol.dialect import NOOP
from nsroom.protocol.limits import LIMITS
from nsroom.record import Direction


class TappedWebSocket(aiohttp.ClientWebSocketResponse):
    """A WebSocket whose frames pass a tap in both directions. It must be opened with `autoping=False`."""

    tap: Tap

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.tap.websocket = self

    async def abandon(self) -> None:
        """Close without waiting for the other side."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await self.close()

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:
        """Return the next message that python-socketio must see."""
        while True:
            if not await self.tap.wait_for_reader(self.tap.max_pause):
                return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, NOOP, None)
            message = await self._next(timeout)
            if message.type is aiohttp.WSMsgType.TEXT or message.type is aiohttp.WSMsgType.BINARY:
                if self.tap.incoming(message.data):
                    return self._as_default(message)
            elif message.type is aiohttp.WSMsgType.PING:
                await self.pong(message.data)
            elif message.type is aiohttp.WSMsgType.PONG:
                self.tap.on_pong(bytes(message.data))
            else:
                self.tap.close_code = self.close_code
                if message.type is aiohttp.WSMsgType.CLOSE:
                    self.tap.close_reason = str(message.extra or "")
                elif message.type is aiohttp.WSMsgType.ERROR:
                    self.tap.fault = str(message.data)
                return message

    def _as_default(self, message: aiohttp.WSMessage) -> aiohttp.WSMessage:
        frame = self.tap.dialect.as_default(message.data)
        if frame is message.data:
            return message
        kind = aiohttp.WSMsgType.TEXT if isinstance(frame, str) else aiohttp.WSMsgType.BINARY
        return aiohttp.WSMessage(kind, frame, None)

    async def _next(self, timeout: float | None) -> aiohttp.WSMessage:
        try:
            return await super().receive(timeout)
        except asyncio.CancelledError:
            self.tap.timed_out = True
            raise

    async def send_str(self, data: str, compress: int | None = None) -> None:
        """Observe and send a text frame of the default dialect."""
        frame = str(self.tap.dialect.to_wire(data))
        self.tap.feed(Direction.OUT, frame)
        await super().send_str(frame, compress)

    async def send_bytes(self, data: Any, compress: int | None = None) -> None:
        """Observe and send a binary frame of the default dialect."""
        frame = self.tap.dialect.to_wire(bytes(data))
        self.tap.feed(Direction.OUT, frame)
        await super().send_bytes(frame, compress)  # type: ignore[arg-type]


class TappedResponse(aiohttp.ClientResponse):
    """An HTTP response; the packets of a poll pass a tap."""

    tap: Tap

    async def read(self) -> bytes:
        """Return the body; of a poll, only the packets that python-socketio must see."""
        if self.method != "GET" or self.status != 200 or self.url.query.get("transport") != "polling":
            return await super().read()
        kept = await self.tap.polled(await self._read_up_to_limit())
        await self.tap.wait_for_reader()
        return kept.encode("utf-8", "surrogateescape")

    async def _read_up_to_limit(self) -> bytes:
        body = bytearray()
        async for chunk in self.content.iter_any():
            body += chunk
            if len(body) > LIMITS.frame:
                self.close()
                raise aiohttp.ClientPayloadError(f"a polled body of more than {LIMITS.frame} bytes")
        return bytes(body)


class CookieJar(aiohttp.CookieJar):
    """Returns every cookie byte for byte: sticky sessions depend on values such as `AWSALB=ab+c/d==`.

    By default aiohttp quotes values, and drops the cookies of hosts named by an IP address.
    """

    def __init__(self) -> None:
        super().__init__(unsafe=True, quote_cookie=False)

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Store the cookies of a response, with the quotes that the server wrote."""
        super().update_cookies_from_headers(headers, response_url)
        for morsel in self:
            morsel.set(morsel.key, morsel.coded_value, morsel.coded_value)
