"""A connection over WebSocket alone, which needs no libraries: the short way to most servers.

What it does not know (HTTP proxies, redirections, odd servers) it leaves to python-socketio: see `driven`.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from nsroom.channel import now
from nsroom.client.target import Target, Transport
from nsroom.client.transports.asyncio_websocket import WebSocket, switched
from nsroom.client.transports.connection import Connection
from nsroom.client.transports.handshake import new_key, request
from nsroom.client.transports.tap import Tap
from nsroom.protocol import engineio as wire
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Json

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY", "ALL_PROXY")
_PLAIN_COOKIE = re.compile(r"[\w!#$%&'*+.^`|~:-]*", re.ASCII)
_PONG = f"{wire.PacketType.PONG:d}"
_DISCONNECT = f"{wire.PacketType.MESSAGE:d}{PacketType.DISCONNECT:d}"


def suits(target: Target, transport: Transport, dialect: Dialect) -> bool:
    """Tell whether this way may do: nothing has to be looked up or put together as only aiohttp does it."""
    names = {name.lower() for name in target.headers}
    return (
        transport is Transport.WEBSOCKET
        and not dialect.is_old
        and target.url.isascii()
        and not any(os.environ.get(name) or os.environ.get(name.lower()) for name in _PROXIES)
        and not Path(os.environ.get("NETRC") or "~/.netrc").expanduser().exists()
        and not (target.cookies and "cookie" in names)
        and not ("@" in target.url and "authorization" in names)
        and all(map(_PLAIN_COOKIE.fullmatch, target.cookies.values()))
    )


class DirectConnection(Connection):
    """A WebSocket, and on it the little that a client has to do of itself."""

    def __init__(self, target: Target, tap: Tap, payload: Callable[[str], Json]) -> None:
        super().__init__(target, tap, payload)
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._namespaces: Sequence[str] = ()
        self._websocket: WebSocket | None = None
        self._heard = 0.0
        self._deafness: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[None] | None = None

    @property
    def transport(self) -> str:
        """Name what carries the packets."""
        return Transport.WEBSOCKET.value

    @property
    def _is_open(self) -> bool:
        return self._opened.done() and not self._opened.cancelled() and not self.ended.done()

    @property
    def _wire(self) -> WebSocket:
        assert self._websocket is not None, "not opened"
        return self._websocket

    async def open(self, transport: Transport, namespaces: Sequence[str], timeout: float) -> None:  # noqa: ARG002
        """Shake hands and ask for the namespaces; their answers come through the tap.

        Raises: OSError, ValueError for a strange answer.
        """
        assert transport is Transport.WEBSOCKET, "see `suits`"
        self._namespaces = namespaces
        parts = urlsplit(self._target.url)
        self._websocket = await self._dial(parts)
        self.reached = True
        self._websocket.closed.add_done_callback(self._lost)
        key = new_key()
        head = await self._websocket.shake(request(self._target, key))
        self.status = head.status
        self.headers = {name.title(): value for name, value in head.headers}
        if not switched(head, key):
            raise ValueError(f"no WebSocket: {head.start}")
        await self._opened

    async def _dial(self, parts: SplitResult) -> WebSocket:
        context = None
        if parts.scheme == "https":
            from nsroom.client.transports.tls import client_context

            context = client_context(self._target.insecure, self._target.cacert)
        port = parts.port or (443 if context else 80)
        _, websocket = await self._loop.create_connection(
            lambda: WebSocket(self._take, self.tap.pong),
            parts.hostname or "",
            port,
            ssl=context,
            happy_eyeballs_delay=0.25,
        )
        return websocket

    def _lost(self, _: object) -> None:
        self.tap.close_code = self._wire.close_code
        if not self._opened.done():
            self._fail(ConnectionResetError("it closed the WebSocket before the handshake"))
        self._end("transport close")

    def _fail(self, error: Exception) -> None:
        self._opened.set_exception(error)
        self._opened.exception()  # nobody may be waiting

    def _take(self, frames: Sequence[str | bytes]) -> None:
        self._heard = self._loop.time()
        at = now()
        for frame in frames:
            if self.tap.incoming(frame, at) and not self.ended.done():
                self._drive(frame)
                at = now()  # later than what was sent just now
        if self._waiting is None and self.tap.is_full:
            self._wire.pause()
            self._waiting = asyncio.create_task(self._read_on())

    def _drive(self, frame: str | bytes) -> None:
        frame = self.tap.dialect.as_default(frame)
        if not self._opened.done():
            self._greet()
        elif frame == "2":
            with contextlib.suppress(ConnectionError):  # that it is broken is told soon
                self._send(_PONG)
        elif frame == "1":
            self._hang_up("server disconnect")
        elif frame[:2] == _DISCONNECT and not self.tap.session.namespaces:
            self._hang_up("client disconnect")

    def _greet(self) -> None:
        if self.tap.session.handshake is None:
            self._fail(ValueError("what it sends is no handshake"))
            return
        self._opened.set_result(None)
        self._listen()
        for namespace in self._namespaces:
            packet = Packet(PacketType.CONNECT, namespace, data=self._payload(namespace))
            for part in self.tap.dialect.write(packet):
                self._send(wire.encode(wire.Packet(wire.PacketType.MESSAGE, part)))

    def _send(self, frame: str | bytes) -> None:
        self.tap.feed(Direction.OUT, frame)
        self._wire.send(frame)

    def _hang_up(self, reason: str) -> None:
        self._end(reason)
        self._wire.leave()

    def _listen(self) -> None:
        """End the connection when nothing was heard for as long as the server promised to ping in."""
        shake = self.tap.session.handshake
        assert shake is not None
        if self._waiting is not None:
            self._heard = self._loop.time()
        deaf_at = self._heard + (shake.ping_interval + shake.ping_timeout) / 1000
        if self._loop.time() < deaf_at:
            self._deafness = self._loop.call_at(deaf_at, self._listen)
        else:
            self.tap.silent = True
            self._end("transport error")
            self._wire.abort()

    async def _read_on(self) -> None:
        await self.tap.room()
        self._waiting = None
        self._wire.resume()

    async def _write(self, messages: Sequence[wire.Packet]) -> None:
        for frame in map(wire.encode, messages):
            self._send(frame)
            await self._wire.drain()

    async def _ping(self, token: bytes) -> None:
        self._wire.ping(token)

    async def _leave(self) -> None:
        await self._wire.close()

    async def _drop(self) -> None:
        for pending in (self._deafness, self._waiting):
            if pending is not None:
                pending.cancel()
        if self._websocket is not None:
            self._websocket.abort()
