"""The fallback: a connection driven by python-socketio, for polling and Engine.IO 3.

It reports every frame to a tap and logs nothing.
"""

import asyncio
import contextlib
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from nsroom.client.target import Target, Transport
from nsroom.client.transports.aiohttp_proxy import connector, plain_proxy
from nsroom.client.transports.aiohttp_taps import CookieJar, TappedResponse, TappedWebSocket
from nsroom.client.transports.connection import Connection
from nsroom.client.transports.handshake import AGENT, netrc_login, resource, with_own
from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.client.transports.slim_socketio import SILENT, check_names, engineio, socketio
from nsroom.client.transports.tap import Tap
from nsroom.errors import LostError
from nsroom.protocol import engineio as wire
from nsroom.protocol.engineio import SEPARATOR, split_payload
from nsroom.protocol.limits import LIMITS
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Json

_MAX_BODY_PACKETS = 16
"""Packets in a polling request: a python-engineio server answers 200 to more, and drops them."""


async def send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a request, but no poll twice: aiohttp repeats every GET whose connection breaks.

    The packets of the lost answer would not be in the next one; a new session can recover them.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if "sid" not in request.url.query:
            raise
        raise aiohttp.ClientConnectionError(f"the connection broke: {error}") from error


class Engine(engineio.AsyncClient):  # type: ignore[misc]
    """The Engine.IO client, with observed POST requests, one at a time as the protocol requires."""

    def __init__(self, target: Target, tap: Tap, **options: Any) -> None:
        super().__init__(**options)
        self._target = target
        self._tap = tap
        self._posting = asyncio.Lock()

    async def _send_request(
        self, method: str, url: str, headers: Any = None, body: Any = None, timeout: float | None = None
    ) -> Any:
        if method != "POST":
            return await super()._send_request(method, url, headers, body, timeout)
        frames = [self._tap.dialect.to_polling(frame) for frame in split_payload(body)]
        async with self._posting:
            for frame in frames:
                self._tap.feed(Direction.OUT, frame)
            written = self._tap.dialect.join_body(frames)
            response = await super()._send_request(method, url, headers, written, timeout)
        if not isinstance(response, str):
            # Only the status is used; an unread body would keep the TCP connection busy.
            response.release()
        return response

    def _get_engineio_url(self, url: str, engineio_path: str, transport: str) -> str:  # noqa: ARG002
        """Return our own URL: theirs has a fixed revision, and another escaping of the path."""
        parts = urlsplit(self._target.url)
        scheme = {"polling": "http", "websocket": "ws"}[transport]
        secure = "s" if parts.scheme == "https" else ""
        return (
            f"{scheme}{secure}://{parts.netloc}{resource(self._target, transport, self._tap.dialect.engine)}"
        )

    async def send_heartbeats(self) -> None:
        """Send the heartbeats, which the client does in Engine.IO 3."""
        while True:
            await asyncio.sleep(self.ping_interval)
            await self._send_packet(engineio.packet.Packet(engineio.packet.PING))


class Socket(socketio.AsyncClient):  # type: ignore[misc]
    """The Socket.IO client, with a CONNECT payload for each namespace."""

    def __init__(
        self,
        target: Target,
        tap: Tap,
        payload: Callable[[str], Json],
        ended: Callable[[str], None],
        **options: Any,
    ) -> None:
        self._target = target
        self._tap = tap
        self._payload = payload
        self._on_end = ended
        super().__init__(
            reconnection=False, handle_sigint=False, logger=SILENT, engineio_logger=SILENT, **options
        )

    def _engineio_client_class(self) -> Callable[..., Engine]:
        return partial(Engine, self._target, self._tap)

    async def _handle_eio_connect(self) -> None:
        self.sid = self.eio.sid
        for namespace in self.connection_namespaces:
            packet = Packet(PacketType.CONNECT, namespace, data=self._payload(namespace))
            for part in self._tap.dialect.write(packet):
                await self.eio.send(part)

    async def _handle_eio_disconnect(self, reason: str) -> None:
        await super()._handle_eio_disconnect(reason)
        self._on_end(reason)


class PythonSocketioConnection(Connection):
    """A connection whose handshake, heartbeat and namespaces are handled by python-socketio."""

    _connection_errors = (aiohttp.ClientError, ConnectionError)

    def __init__(self, target: Target, tap: Tap, payload: Callable[[str], Json]) -> None:
        super().__init__(target, tap, payload)
        self._http: aiohttp.ClientSession | None = None
        self._socket: Socket | None = None
        self._heartbeat: asyncio.Task[None] | None = None

    @property
    def transport(self) -> str:
        """The current transport: websocket, polling or none."""
        return str(self._socket.transport()) if self._socket else "none"

    @property
    def _is_open(self) -> bool:
        return self._socket is not None and self._socket.eio.state == "connected"

    async def open(self, transport: Transport, namespaces: Sequence[str], timeout: float) -> None:
        """Open the session and send a CONNECT for each namespace; the tap gets the answers.

        Raises: ConnectError if a library is not supported; any error of python-socketio, aiohttp and hostile
        answers; see `failures.explain`.
        """
        check_names()
        self._http = self._session(transport)
        self._socket = Socket(
            self._target,
            self.tap,
            self._payload,
            self._end,
            http_session=self._http,
            request_timeout=timeout,
            websocket_extra_options={"max_msg_size": LIMITS.frame, "autoping": False},
        )
        await self._socket.connect(
            self._target.url, namespaces=list(namespaces), transports=[transport.value], wait=False
        )
        if self.tap.session.handshake is None:
            raise ValueError("the first message is not a handshake")
        self._eio.read_loop_task.add_done_callback(self._reading_ended)
        if self.tap.dialect.is_old:
            self._heartbeat = asyncio.create_task(self._eio.send_heartbeats())

    def _reading_ended(self, task: asyncio.Task[None]) -> None:
        """Handle an end that python-engineio does not report: an exception in its loop."""
        if not task.cancelled() and task.exception() is not None:
            self.failure = task.exception()
        self._end("transport error")

    def _session(self, transport: Transport) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._on_connection)
        trace.on_request_redirect.append(self._on_redirect)
        trace.on_request_end.append(self._on_request_end)
        trace.on_request_exception.append(self._on_request_exception)
        return aiohttp.ClientSession(
            connector=connector(self._target, self.proxy),
            proxy=plain_proxy(self._target, self.proxy) if transport is Transport.POLLING else None,
            headers=with_own(self._target.headers, {"User-Agent": AGENT, **netrc_login(self._target.url)}),
            cookies=self._target.cookies,
            cookie_jar=CookieJar(),
            middlewares=(send_once,),
            trace_configs=[trace],
            ws_response_class=type("_WebSocket", (TappedWebSocket,), {"tap": self.tap}),
            response_class=type("_Response", (TappedResponse,), {"tap": self.tap}),
        )

    async def _on_connection(self, _session: Any, _context: Any, _params: Any) -> None:
        self.reached = True

    async def _on_redirect(
        self, _session: Any, _context: Any, params: aiohttp.TraceRequestRedirectParams
    ) -> None:
        self.redirect = _without_query(params.response.headers.get("Location", ""))

    async def _on_request_end(
        self, _session: Any, _context: Any, params: aiohttp.TraceRequestEndParams
    ) -> None:
        response = params.response
        self.status, self.headers = response.status, response.headers
        if params.method == "POST" and response.status != 200:
            self.refused_post = response.status
        place = _without_query(str(response.url))
        self.redirect = re.sub("^ws", "http", place) if response.history else None

    async def _on_request_exception(
        self, _session: Any, _context: Any, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        self.failure = params.exception

    async def _write(
        self,
        packets: Sequence[Packet],  # noqa: ARG002 - the tap reads the frames
        messages: Sequence[Sequence[str | bytes]],
    ) -> None:
        send = self._send_frames if self.transport == "websocket" else self._post
        await send([wire.Packet(wire.PacketType.MESSAGE, data) for data in chain.from_iterable(messages)])

    async def _send_frames(self, messages: Sequence[wire.Packet]) -> None:
        socket = self._eio.ws
        for frame in map(wire.encode, messages):
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))

    async def _post(self, messages: Sequence[wire.Packet]) -> None:
        for body in _bodies(messages, self.max_payload):
            await self._post_body(body)

    async def _post_body(self, body: str) -> None:
        eio = self._eio
        response = await eio._send_request(
            "POST", eio.base_url, {"Content-Type": "text/plain;charset=UTF-8"}, body, eio.request_timeout
        )
        if isinstance(response, str):
            raise LostError(f"the server did not take the packets: {response or 'no answer'}")
        if response.status == 413:
            raise LostError(
                "HTTP 413: the packets are too big for the server (its maxHttpBufferSize) or a proxy"
            )
        if response.status != 200:
            raise LostError(f"the server did not take the packets: HTTP {response.status}")

    @property
    def _eio(self) -> Any:
        assert self._socket is not None
        return self._socket.eio

    async def _ping(self, token: bytes) -> None:
        await self._eio.ws.ping(token)

    async def _close_session(self) -> None:
        if self.transport == "websocket":
            await self._eio.ws.close()
        else:
            await self._post_body(f"{wire.PacketType.CLOSE:d}")

    async def _release(self) -> None:
        if self._socket is None:
            return
        eio = self._eio
        tasks = [task for task in (eio.read_loop_task, eio.write_loop_task, self._heartbeat) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(ValueError):
            engineio.base_client.connected_clients.remove(eio)
        await eio._reset()
        if self.tap.websocket is not None:
            await self.tap.websocket.abandon()
        if self._http is not None:
            await self._http.close()


def _without_query(url: str) -> str:
    return url.partition("?")[0][:300]


def _bodies(messages: Sequence[wire.Packet], limit: int) -> list[str]:
    """Return polling bodies of at most `limit` bytes, each with at least one message."""
    bodies: list[list[str]] = []
    free = 0
    for message in messages:
        text = wire.encode_payload([message])
        size = len(text.encode()) + len(SEPARATOR)
        if not bodies or size > free or len(bodies[-1]) == _MAX_BODY_PACKETS:
            bodies.append([])
            free = limit + len(SEPARATOR)
        bodies[-1].append(text)
        free -= size
    return [SEPARATOR.join(body) for body in bodies]


# The default of 16 ends the connection when a poll has more packets.
engineio.payload.Payload.max_decode_packets = sys.maxsize
