"""The fast path: a WebSocket connection without third-party libraries.

Redirections and unusual servers are left to `python_socketio`.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit

from nsroom.channel import now
from nsroom.client.target import Target, Transport
from nsroom.client.transports.asyncio_websocket import WebSocket, is_accepted
from nsroom.client.transports.connection import Connection
from nsroom.client.transports.handshake import new_key, request
from nsroom.client.transports.http_proxy import ProxyError, create_connection
from nsroom.client.transports.tap import Tap
from nsroom.errors import LostError
from nsroom.lazy import compile_lazily
from nsroom.protocol import engineio as wire
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Json

_PLAIN_COOKIE = compile_lazily(r"[\w!#$%&'*+.^`|~:-]*", re.ASCII)
_PONG = f"{wire.PacketType.PONG:d}"
_DISCONNECT = f"{wire.PacketType.MESSAGE:d}{PacketType.DISCONNECT:d}"


def supports(target: Target, transport: Transport, dialect: Dialect) -> bool:
    """Return whether the fast path is enough: no option needs a feature that only aiohttp has."""
    names = {name.lower() for name in target.headers}
    return (
        transport is Transport.WEBSOCKET
        and not dialect.is_old
        and target.url.isascii()
        and not (target.cookies and "cookie" in names)
        and not ("@" in target.url and "authorization" in names)
        and all(map(_PLAIN_COOKIE.fullmatch, target.cookies.values()))
    )


class WebSocketConnection(Connection):
    """A WebSocket with the handshake, heartbeat and CONNECT packets of a client."""

    def __init__(self, target: Target, tap: Tap, payload: Callable[[str], Json]) -> None:
        super().__init__(target, tap, payload)
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._namespaces: Sequence[str] = ()
        self._websocket: WebSocket | None = None
        self._last_frame_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._pause: asyncio.Task[None] | None = None

    @property
    def transport(self) -> str:
        """Always websocket."""
        return Transport.WEBSOCKET.value

    @property
    def _is_open(self) -> bool:
        return self._opened.done() and not self._opened.cancelled() and not self.ended.done()

    @property
    def _wire(self) -> WebSocket:
        assert self._websocket is not None, "not opened"
        return self._websocket

    async def open(self, transport: Transport, namespaces: Sequence[str], timeout: float) -> None:  # noqa: ARG002
        """Open the session and send a CONNECT for each namespace; the tap gets the answers.

        Raises: OSError, ValueError for an unexpected answer.
        """
        assert transport is Transport.WEBSOCKET, "see `supports`"
        self._namespaces = namespaces
        parts = urlsplit(self._target.url)
        self._websocket = await self._connect(parts)
        self.reached = True
        self._websocket.closed.add_done_callback(self._on_closed)
        key = new_key()
        head = await self._websocket.handshake(request(self._target, key))
        self.status = head.status
        self.headers = {name.title(): value for name, value in head.headers}
        if not is_accepted(head, key):
            raise ValueError(f"no WebSocket: {head.start}")
        await self._opened

    async def _connect(self, parts: SplitResult) -> WebSocket:
        context = None
        if parts.scheme == "https":
            from nsroom.client.transports.tls import target_context

            context = target_context(self._target)
        try:
            _, websocket = await create_connection(
                lambda: WebSocket(self._on_frames, self.tap.on_pong),
                parts.hostname or "",
                self._target.port,
                context,
                self.proxy,
                self._target.unix,
                happy_eyeballs_delay=0.25,
            )
        except ProxyError as error:
            self.reached = error.status is not None
            raise
        return websocket

    def _on_closed(self, _: object) -> None:
        wire = self._wire
        self.tap.close_code, self.tap.close_reason = wire.close_code, wire.close_reason
        self.tap.fault = wire.fault
        if not self._opened.done():
            self._fail_opening(ConnectionResetError("it closed the WebSocket before the handshake"))
        self._end("transport close")

    def _fail_opening(self, error: Exception) -> None:
        self._opened.set_exception(error)
        self._opened.exception()  # marked as retrieved: nothing may wait for it

    def _on_frames(self, frames: Sequence[str | bytes]) -> None:
        self._last_frame_at = self._loop.time()
        at = now()
        for frame in frames:
            if self.tap.incoming(frame, at) and not self.ended.done():
                self._handle(frame)
                at = now()  # after the answer that was sent just now
        if self._pause is None and self.tap.is_full:
            self._wire.pause()
            self._pause = asyncio.create_task(self._resume())

    def _handle(self, frame: str | bytes) -> None:
        frame = self.tap.dialect.as_default(frame)
        if not self._opened.done():
            self._on_handshake()
        elif frame == "2":
            with contextlib.suppress(ConnectionError):  # `closed` reports it
                self._send(_PONG)
        elif frame == "1":
            self._end_session("server disconnect")
        elif frame[:2] == _DISCONNECT and not self.tap.session.namespaces:
            self._end_session("client disconnect")

    def _on_handshake(self) -> None:
        if self.tap.session.handshake is None:
            self._fail_opening(ValueError("the first message is not a handshake"))
            return
        self._opened.set_result(None)
        self._check_heartbeat()
        for namespace in self._namespaces:
            packet = Packet(PacketType.CONNECT, namespace, data=self._payload(namespace))
            for part in self.tap.dialect.write(packet):
                self._send(wire.encode(wire.Packet(wire.PacketType.MESSAGE, part)))

    def _send(self, frame: str | bytes) -> None:
        self.tap.feed(Direction.OUT, frame)
        self._wire.send(frame)

    def _end_session(self, reason: str) -> None:
        self._end(reason)
        self._wire.close_now()

    def _check_heartbeat(self, again: bool = False) -> None:
        """End the connection if no frame arrived within the ping interval and its time-out."""
        shake = self.tap.session.handshake
        assert shake is not None
        if self._pause is not None:
            self._last_frame_at = self._loop.time()
        deadline = self._last_frame_at + (shake.ping_interval + shake.ping_timeout) / 1000
        if self._loop.time() < deadline:
            self._timer = self._loop.call_at(deadline, self._check_heartbeat)
        elif not again:
            # If this process was stopped, frames wait that arrived in time: they are read first.
            self._timer = self._loop.call_later(0, self._check_heartbeat, True)
        else:
            self.tap.timed_out = True
            self._end("transport error")
            self._wire.abort()

    async def _resume(self) -> None:
        await self.tap.wait_for_reader()
        self._pause = None
        self._wire.resume()

    async def _write(self, packets: Sequence[Packet], messages: Sequence[Sequence[str | bytes]]) -> None:
        self._wire.send(*self.tap.sent(packets, messages))
        try:
            await self._wire.drain()
        except ConnectionError as error:
            raise LostError(f"the connection broke while sending: {error}", may_have_arrived=True) from error

    async def _ping(self, token: bytes) -> None:
        self._wire.ping(token)

    async def _close_session(self) -> None:
        await self._wire.close()

    async def _release(self) -> None:
        for pending in (self._timer, self._pause):
            if pending is not None:
                pending.cancel()
        if self._websocket is not None:
            self._websocket.abort()
