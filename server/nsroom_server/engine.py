"""The Engine.IO 4 server: python-engineio with exact intervals, whole payloads and sessions that end.

Each override says what python-engineio 4.15 does instead.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import engineio
from aiohttp import WSCloseCode, web
from engineio.async_drivers.aiohttp import WebSocket as _WebSocket
from engineio.async_socket import AsyncSocket
from engineio.exceptions import EngineIOError
from engineio.packet import CLOSE, MESSAGE, NOOP, OPEN, PONG, UPGRADE, Packet
from engineio.payload import Payload as _Payload

_FROM_CLIENTS = frozenset((PONG, MESSAGE, UPGRADE))
_MALFORMED = (ValueError, RecursionError, web.HTTPRequestEntityTooLarge)
_AT_A_TIME = 64
"""Packets of one POST that are handled before other clients get a turn."""


class Payload(_Payload):  # type: ignore[misc]
    """A polling payload of any number of packets: its size is bounded. Stock: 16, the rest is lost."""

    max_decode_packets = math.inf


class WebSocket(_WebSocket):  # type: ignore[misc]
    """A WebSocket that is not compressed and can be closed with another code. Stock: compressed, and 1000."""

    def __init__(self, handler: Callable[..., Awaitable[None]], server: "Engine") -> None:
        super().__init__(handler, server)
        self.code = WSCloseCode.OK
        self.closed = asyncio.Event()

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Serve one WebSocket to its end."""
        self.request: web.Request = environ["aiohttp.request"]
        self._sock = web.WebSocketResponse(max_msg_size=self.server.max_http_buffer_size + 1, compress=False)
        try:
            await self._sock.prepare(self.request)
            await self.handler(self)
        finally:
            self.closed.set()
        return self._sock

    async def close(self) -> None:
        """Close it, with the code that was set."""
        await self._sock.close(code=self.code)

    def abort(self) -> None:
        """Drop the connection, whatever the peer does."""
        if self.request.transport:
            self.request.transport.abort()


class Socket(AsyncSocket):  # type: ignore[misc]
    """One session."""

    def __init__(self, server: "Engine", sid: str) -> None:
        super().__init__(server, sid)
        self.websocket: WebSocket | None = None
        self.gone = asyncio.Event()
        """Set as soon as the session ends."""

    async def receive(self, pkt: Packet) -> None:
        """Take a packet; one that a client may not send ends the session. Stock: it is ignored.

        A CLOSE ends the waiting poll too. Stock: its client waits for 45 s.
        """
        if pkt.packet_type == CLOSE:
            await self.cut(abort=True, reason=self.server.reason.CLIENT_DISCONNECT)
        elif pkt.packet_type in _FROM_CLIENTS:
            await super().receive(pkt)
        else:
            await self.cut()

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Take all packets of a body, or end the session. Stock: it takes what came first and answers 200."""
        try:
            body = await environ["aiohttp.request"].read()
            packets = Payload(encoded_payload=body.decode()).packets
        except _MALFORMED as error:
            await self.cut()
            raise EngineIOError(str(error)) from error
        await self._receive_all(packets)
        if self.closed and not any(pkt.packet_type == CLOSE for pkt in packets):
            raise EngineIOError("the session has ended")

    async def _receive_all(self, packets: list[Packet]) -> None:
        for number, pkt in enumerate(packets):
            if self.closed:
                return
            await self.receive(pkt)
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                await asyncio.sleep(0)

    async def _websocket_handler(self, ws: WebSocket) -> None:
        """Serve a WebSocket; a malformed packet ends the session. Stock: it stays for 45 s."""
        self.websocket = ws
        try:
            await super()._websocket_handler(ws)
        except _MALFORMED:
            await self.cut()
        finally:
            # Stock: a probe that breaks off leaves the session between its transports.
            self.upgrading = False

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End the session."""
        self.gone.set()
        await super().close(wait=wait, abort=abort, reason=reason)

    async def cut(self, abort: bool = False, reason: str | None = None) -> None:
        """End the session without waiting for the peer: the queue goes out, then the transport closes.

        With `abort` there is no CLOSE packet; a waiting poll is answered with a NOOP.
        """
        await self.close(wait=False, abort=abort, reason=reason)
        if abort and not self.upgraded:
            self.queue.put_nowait(Packet(NOOP))
        self.queue.put_nowait(None)

    async def retire(self) -> None:
        """End the session so that the client comes back: a CLOSE packet would tell some of them not to."""
        if self.upgraded and self.websocket:
            self.websocket.code = WSCloseCode.SERVICE_RESTART
        await self.cut(abort=True)

    async def drained(self) -> bool:
        """Wait until the transport has taken what is queued; false when the session has ended instead."""
        waits = [asyncio.ensure_future(self.queue.join()), asyncio.ensure_future(self.gone.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return not self.gone.is_set()


class Engine(engineio.AsyncServer):  # type: ignore[misc]
    """All sessions."""

    _async: dict[str, Any]
    start_service_task: bool

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._async = {**self._async, "websocket": WebSocket}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.draining = False

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Answer an HTTP request; no new session while the server ends."""
        if self.draining and "sid" not in request.query:
            return web.Response(status=503, text="draining")
        response: web.StreamResponse = await super().handle_request(request)
        return response

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        """Open a session. Stock: its own socket class, and intervals cut to whole seconds."""
        self._start_service_task()
        sid = self.generate_id()
        socket = self.sockets[sid] = Socket(self, sid)
        await socket.send(Packet(OPEN, self._handshake(sid, transport)))
        await self._trigger_event("connect", sid, environ, run_async=False)
        socket.schedule_ping()
        if transport == "websocket":
            return await self._serve_websocket(socket, environ)
        socket.connected = True
        return self._ok(await socket.poll(), jsonp_index=jsonp_index)

    def _start_service_task(self) -> None:
        if self.start_service_task:
            self.start_service_task = False
            self.service_task_handle = self.start_background_task(self._service_task)

    def _handshake(self, sid: str, transport: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "upgrades": self._upgrades(sid, transport),
            "pingInterval": round(self.ping_interval * 1000),
            "pingTimeout": round(self.ping_timeout * 1000),
            "maxPayload": self.max_http_buffer_size,
        }

    async def _serve_websocket(self, socket: Socket, environ: dict[str, Any]) -> Any:
        try:
            return await socket.handle_get_request(environ)
        finally:
            await socket.close(wait=False, abort=True)
            self.sockets.pop(socket.sid, None)

    def start_background_task(
        self, target: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[Any]:
        """Start a task that ends with the server at the latest. Stock: nobody holds or ends it."""
        task = asyncio.ensure_future(target(*args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self, timeout: float) -> None:
        """End all sessions within `timeout` seconds. Stock: a peer that does not read keeps the server up."""
        self.draining = True
        sockets = [socket for socket in self.sockets.values() if not socket.closed]
        for socket in sockets:
            await socket.retire()
        await _until_closed([socket.websocket for socket in sockets if socket.websocket], timeout)
        for task in tuple(self._tasks):
            task.cancel()


async def _until_closed(websockets: list[WebSocket], timeout: float) -> None:
    """Wait for the closing handshakes; drop the connections of those who owe it in the end."""
    waits = [asyncio.ensure_future(websocket.closed.wait()) for websocket in websockets]
    if waits:
        await asyncio.wait(waits, timeout=timeout)
    for websocket, wait in zip(websockets, waits, strict=True):
        if not wait.done():
            wait.cancel()
            websocket.abort()
