"""A server WebSocket: aiohttp's, with pre-encoded frames, batched writes and a bounded close."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Self, cast

from aiohttp import WSCloseCode, WSMsgType, web

from nsroom_server.engineio.packets import Batch
from nsroom_server.engineio.transport import CorkableTransport
from nsroom_server.errors import Malformed

_BATCH = 4
"""Frames of one client to handle before the others get a turn; a long one counts as several."""
_LARGE_FRAME = 16_384
_CHUNK = 16_384
"""Bytes of frames to collect for one system call, which costs as much as encoding several frames."""
_CLOSE_FRAME = 4
"""Bytes of a CLOSE frame without a reason."""
_UNLIMITED = 3600.0
"""Seconds for aiohttp's closing handshake, which `close` bounds instead."""


class Flusher:
    """Flushes the WebSockets written to in this turn of the loop: a callback for each would cost too much."""

    __slots__ = ("_is_scheduled", "_written", "is_flushing", "send_collected")

    def __init__(self, send_collected: Callable[[], None]) -> None:
        """`send_collected` is called before flushing; it may write to WebSockets."""
        self.send_collected = send_collected
        self.is_flushing = False
        """Whether what is written now is flushed before anything else happens."""
        self._is_scheduled = False
        self._written: list[WebSocket] = []

    def add(self, websocket: "WebSocket") -> None:
        """Flush a WebSocket before the next turn."""
        self.schedule()
        self._written.append(websocket)

    def schedule(self) -> None:
        """Flush all before the next turn."""
        if not self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._flush)
            self._is_scheduled = True

    def _flush(self) -> None:
        self.is_flushing = True
        try:
            self.send_collected()
            while self._written:
                self._written.pop().flush()
        finally:
            self.is_flushing = self._is_scheduled = False
            if self._written:  # the failure is reported by the loop; the others are flushed next
                self.schedule()


class WebSocket:
    """A WebSocket without compression: a message costs no more memory than the client sent."""

    def __init__(
        self,
        request: web.Request,
        response: web.WebSocketResponse,
        transport: CorkableTransport,
        flusher: Flusher,
    ) -> None:
        self.response = response
        """What the request's handler must return."""
        self._request = request
        self._transport = transport.inner
        self._socket = transport.socket
        self._flusher = flusher
        self._high_water = transport.inner.get_write_buffer_limits()[1]
        self._load = 0
        """Frames received since other clients had a turn."""
        self._frames: list[bytes] = []
        self._size = 0
        self._unsent: list[int] = []
        """The sizes of the frames that are not completely sent."""
        self._buffered = 0
        """Bytes not sent after the last flush."""
        self._closing = False
        self._received_code = 0
        """The code of the peer's CLOSE."""

    @classmethod
    async def accept(cls, request: web.Request, max_payload: int, flusher: Flusher) -> Self:
        """Answer the opening handshake.

        Raises: ConnectionResetError, web.HTTPException.
        """
        # `tcp` gives aiohttp this transport for each connection.
        transport = cast(CorkableTransport | None, request.transport)
        if transport is None:
            raise ConnectionResetError("the peer disconnected")
        response = web.WebSocketResponse(
            max_msg_size=max_payload + 1,  # aiohttp refuses messages of exactly this size
            compress=False,
            autoping=False,
            autoclose=False,
            timeout=_UNLIMITED,
        )
        websocket = cls(request, response, transport, flusher)
        transport.cork(websocket.flush_all)
        try:
            await response.prepare(request)
        finally:
            head = transport.uncork()
        # One system call for the response and the first packet.
        websocket.write(head)
        return websocket

    @property
    def writable(self) -> bool:
        """Whether the peer has read enough for the next frame."""
        buffered = self._buffered and self._transport.get_write_buffer_size()
        return buffered + self._size <= self._high_water

    def offer(self, batch: Batch) -> bool:
        """Write frames if the peer has read enough for the first one, and return whether it has."""
        if self._buffered and not self.writable:
            return False
        if not self._frames:
            if self._flusher.is_flushing:
                self._send(batch.data, batch.frames)
                return True
            self._flusher.add(self)
        self._frames += batch.frames
        self._size += len(batch.data)
        if self._size >= _CHUNK:
            self.flush()
        return True

    def write(self, frame: bytes) -> None:
        """Write a whole frame in this turn of the loop, after those written before."""
        if not self._frames:
            self._flusher.add(self)
        self._frames.append(frame)
        self._size += len(frame)
        if self._size >= _CHUNK:
            self.flush()

    def flush_all(self) -> None:
        """Send what is collected for many, then the written frames."""
        self._flusher.send_collected()
        self.flush()

    def flush(self) -> None:
        """Send the written frames; the transport sends later what the socket does not take now."""
        frames, self._frames, self._size = self._frames, [], 0
        if frames:
            self._send(frames[0] if len(frames) == 1 else b"".join(frames), frames)

    def _send(self, data: bytes, frames: Sequence[bytes]) -> None:
        transport = self._transport
        if transport.is_closing():
            return
        # Not by the transport while its buffer is empty: that adds a quarter to the system call.
        if self._socket and not transport.get_write_buffer_size():
            try:  # noqa: SIM105 - a context manager costs more than the rest of this
                data = data[self._socket.send(data) :]
            except OSError:
                pass  # it takes nothing now, or the transport finds the same error and reports it
        if data:
            transport.write(data)
        if data or self._buffered:
            self._count_unsent(frames)

    def _count_unsent(self, frames: Sequence[bytes]) -> None:
        buffered = self._transport.get_write_buffer_size()
        if buffered or self._buffered:
            self._unsent.extend(map(len, frames))
            self._remove_sent(buffered)
        self._buffered = buffered

    def _remove_sent(self, buffered: int) -> None:
        total, sent = sum(self._unsent), 0
        while sent < len(self._unsent) and total - self._unsent[sent] >= buffered:
            total -= self._unsent[sent]
            sent += 1
        del self._unsent[:sent]

    @property
    def unsent(self) -> int:
        """The number of frames that are not completely sent."""
        buffered = self._transport.get_write_buffer_size() - (_CLOSE_FRAME if self._closing else 0)
        self._remove_sent(max(buffered, 0))
        return len(self._unsent) + len(self._frames)

    async def drain(self) -> bool:
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
        """Return the next frame's text or bytes, or None at the end.

        Raises: Malformed for a CLOSE with a code that must not be sent.
        """
        while True:
            await self._yield_to_others()
            message = await self.response.receive()
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                data: str | bytes = message.data
                self._load += len(data) // _LARGE_FRAME
                return data
            if message.type is WSMsgType.PING:
                await self.response.pong(message.data)
            elif message.type is WSMsgType.CLOSE and not _may_be_sent(message.data):
                raise Malformed("close code that must not be sent")
            elif message.type is not WSMsgType.PONG:
                if message.type is WSMsgType.CLOSE:
                    self._received_code = message.data
                return None

    async def _yield_to_others(self) -> None:
        # A read that finds data does not suspend: without this, a flood would starve the other clients.
        self._load += 1
        if self._load >= _BATCH:
            self._load = 0
            await asyncio.sleep(0)

    async def close(self, code: int, timeout: float) -> None:
        """Send a CLOSE, wait `timeout` seconds for the peer's, then drop the connection.

        The answer to a CLOSE has its code: RFC 6455, section 5.5.1.
        """
        timer = asyncio.get_running_loop().call_later(timeout, self.abort)
        self.flush()
        self._closing = True
        try:
            await self.response.close(code=self._received_code or code)
        finally:
            timer.cancel()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()


def _may_be_sent(code: int) -> bool:
    """Return whether RFC 6455 lets a CLOSE frame have this code; 0 is none. aiohttp refuses most others."""
    return code < 5000 and code != WSCloseCode.ABNORMAL_CLOSURE
