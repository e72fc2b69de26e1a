"""The Engine.IO endpoint: handshake, polling GET and POST, WebSocket upgrade.

https://github.com/socketio/engine.io-protocol
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from aiohttp import ClientError, web

from nsroom_server import strict_json
from nsroom_server.engineio.close_reasons import TRANSPORT_CLOSE, TRANSPORT_ERROR
from nsroom_server.engineio.packets import Incoming, Outgoing, PacketType, decode_payload
from nsroom_server.engineio.rate_limits import AddressLimits
from nsroom_server.engineio.refusals import ErrorCode, RequestError
from nsroom_server.engineio.session import DuplicatePoll, Session, SessionServer
from nsroom_server.engineio.websocket import Flusher, WebSocket
from nsroom_server.errors import Malformed
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.settings import cures

TRANSPORTS = ("polling", "websocket")
_MISROUTED = 0.5
"""The share of requests that reach the wrong one of two servers without sticky sessions."""
_BATCH = 4
"""Packets of one body to handle before other clients get a turn."""
_SESSION = web.RequestKey("session", Session)
"""The session that loses packets if the response does not arrive."""
_PYTHON_MAX_PACKETS = 16
"""Packets that python-engineio's client accepts in a poll: it disconnects if there are more."""
_WEBSOCKET_VERSION = "13"
_CLOSE_TIMEOUT = 5.0
"""Seconds for the closing handshake of a WebSocket whose upgrade failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Which transports and origins are accepted."""

    transports: tuple[str, ...] = TRANSPORTS
    is_allowed_origin: Callable[[str, str], bool] = lambda _origin, _host: True
    """Return whether a page of this origin may connect to the server that it addresses as this host."""
    credentials: bool = False
    """Whether a page may send its visitor's cookies."""


class SessionRegistry(SessionServer, Protocol):
    """What the endpoint needs from the server."""

    sessions: dict[str, Session]
    refusals: Counter[str]
    address_limits: AddressLimits
    draining: bool
    warn: RateLimitedWarnings

    def open(self, address: str) -> Session:
        """Open a session for an address that has been admitted."""

    def fail(self, session: Session, error: Malformed) -> None:
        """Close a session that violates the protocol."""

    def send_collected(self) -> None:
        """Send what is collected for several sessions."""


class Endpoint:
    """Handles the requests to the endpoint."""

    def __init__(self, engine: SessionRegistry, access: Access) -> None:
        self._engine = engine
        self._access = access
        self._flusher = Flusher(engine.send_collected)

    def flush_soon(self) -> None:
        """Send what is collected, and flush the WebSockets, before the next turn of the loop."""
        self._flusher.schedule()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Handle a request, and write its response."""
        origin = request.headers.get("Origin")
        try:
            if origin is not None and not self._access.is_allowed_origin(origin, request.host):
                self._engine.warn(*cures.page(origin))
                raise RequestError(ErrorCode.FORBIDDEN, status=403)
            response = await self._route(request)
        except RequestError as error:
            self._engine.refusals[str(error)] += 1
            response = error.response
        if not response.prepared:
            self._add_cors(request, response, origin)
            await self._write_response(request, response)
        return response

    def _add_cors(self, request: web.Request, response: web.StreamResponse, origin: str | None) -> None:
        if origin is None or response.status == 403:
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"
        if self._access.credentials:
            response.headers["Access-Control-Allow-Credentials"] = "true"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            requested = request.headers.get("Access-Control-Request-Headers", "Content-Type")
            response.headers["Access-Control-Allow-Headers"] = requested

    async def _write_response(self, request: web.Request, response: web.StreamResponse) -> None:
        """Write a response; if it is not read in time, drop the connection and close the session."""
        session: Session | None = request.get(_SESSION)
        try:
            async with asyncio.timeout(self._engine.options.limits.body_timeout):
                await response.prepare(request)
                await response.write_eof()
        except (TimeoutError, OSError, asyncio.CancelledError) as error:
            if session:
                self._engine.count_undelivered(session.polled)
                session.close(TRANSPORT_CLOSE)
            if request.transport:
                request.transport.abort()
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _route(self, request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(status=204)
        transport = request.query.get("transport")
        if transport not in self._access.transports:
            if transport in TRANSPORTS:
                self._engine.warn(*cures.transport(transport))
            raise RequestError(ErrorCode.UNKNOWN_TRANSPORT)
        faults = self._engine.options.faults
        if transport == "websocket" and faults.no_upgrade:
            raise RequestError(ErrorCode.BAD_REQUEST)
        sid = request.query.get("sid")
        if sid is None:
            return await self._open(request, transport)
        session = self._engine.sessions.get(sid)
        if session is None or (faults.no_sticky and random.random() < _MISROUTED):
            raise RequestError(ErrorCode.UNKNOWN_SID)
        if transport == "websocket":
            return await self._upgrade(request, session)
        return await self._handle_polling(request, session)

    # Handshake

    async def _open(self, request: web.Request, transport: str) -> web.StreamResponse:
        self._check_handshake(request, transport)
        address = request.remote or ""
        limit = self._engine.address_limits.add_connection(address, monotonic())
        if limit:
            self._engine.warn(*cures.limit("more connections", limit, self._engine.options.limits))
            raise RequestError(ErrorCode.FORBIDDEN, "too many connections", status=429)
        if transport == "websocket":
            return await self._open_websocket(request, address)
        session = self._engine.open(address)
        await self._engine.trigger("connect", session, request)
        return web.Response(text=self._open_packet(session, transport).text)

    def _check_handshake(self, request: web.Request, transport: str) -> None:
        if request.method != "GET":
            raise RequestError(ErrorCode.BAD_HANDSHAKE_METHOD)
        if request.query.getall("EIO", []) != ["4"]:
            self._engine.warn("refused a client of Socket.IO 2 or older: it needs version 3 or later")
            raise RequestError(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION)
        if transport == "websocket" and not _is_websocket_request(request):
            raise RequestError(ErrorCode.BAD_REQUEST)
        if _is_from_element(request):
            raise RequestError(ErrorCode.FORBIDDEN, "cross-site", status=403)
        if self._engine.draining:
            raise RequestError(ErrorCode.FORBIDDEN, "draining", status=503)

    async def _open_websocket(self, request: web.Request, address: str) -> web.StreamResponse:
        try:
            websocket = await self._accept(request)
        except BaseException:
            self._engine.address_limits.remove_connection(address)
            raise
        session = self._engine.open(address)
        websocket.write(self._open_packet(session, "websocket").frame)
        await self._engine.trigger("connect", session, request)
        await self._serve(session, websocket)
        return websocket.response

    def _open_packet(self, session: Session, transport: str) -> Outgoing:
        can_upgrade = transport == "polling" and "websocket" in self._access.transports
        handshake = {
            "sid": session.sid,
            "upgrades": ["websocket"] if can_upgrade else [],
            "pingInterval": round(self._engine.options.ping_interval * 1000),
            "pingTimeout": round(self._engine.options.ping_timeout * 1000),
            "maxPayload": self._engine.options.max_payload,
        }
        return Outgoing(PacketType.OPEN, strict_json.dumps(handshake))

    # WebSockets

    async def _accept(self, request: web.Request) -> WebSocket:
        if request.headers.get("Sec-WebSocket-Version", _WEBSOCKET_VERSION) != _WEBSOCKET_VERSION:
            headers = {"Sec-WebSocket-Version": _WEBSOCKET_VERSION}
            raise RequestError(ErrorCode.BAD_REQUEST, status=426, headers=headers)
        try:
            return await WebSocket.accept(request, self._engine.options.max_payload, self._flusher)
        except (web.HTTPException, ConnectionError) as error:
            raise RequestError(ErrorCode.BAD_REQUEST) from error

    async def _upgrade(self, request: web.Request, session: Session) -> web.StreamResponse:
        if request.method != "GET" or not _is_websocket_request(request):
            raise RequestError(ErrorCode.BAD_REQUEST)
        websocket = await self._accept(request)
        if session.can_upgrade and await session.upgrade(websocket):
            self._engine.create_task(self._engine.trigger("upgrade", session))
            await self._serve(session, websocket)
        else:
            await websocket.close(1000, _CLOSE_TIMEOUT)
        return websocket.response

    async def _serve(self, session: Session, websocket: WebSocket) -> None:
        try:
            await session.serve(websocket)
        except Malformed as error:
            self._engine.fail(session, error)
        finally:
            session.close(TRANSPORT_CLOSE)
        if session.close_task:
            await asyncio.shield(session.close_task)

    # Polling

    async def _handle_polling(self, request: web.Request, session: Session) -> web.StreamResponse:
        if session.transport != "polling":
            raise RequestError(ErrorCode.BAD_REQUEST)
        if request.method == "GET":
            return await self._handle_get(request, session)
        if request.method == "POST":
            return await self._handle_post(request, session)
        raise RequestError(ErrorCode.BAD_HANDSHAKE_METHOD)

    async def _handle_get(self, request: web.Request, session: Session) -> web.StreamResponse:
        try:
            payload = await session.poll(_PYTHON_MAX_PACKETS if _is_python(request) else None)
        except DuplicatePoll as error:
            raise RequestError(ErrorCode.BAD_REQUEST) from error
        request[_SESSION] = session
        return web.Response(text=payload)

    async def _handle_post(self, request: web.Request, session: Session) -> web.StreamResponse:
        if session.posting:
            session.close(TRANSPORT_ERROR)
            raise RequestError(ErrorCode.BAD_REQUEST)
        session.posting = True
        try:
            packets = await self._read_packets(request, session)
            # Shielded: a client that disconnects after the last byte has sent it all.
            await asyncio.shield(self._engine.create_task(self._handle_packets(session, packets)))
        finally:
            session.posting = False
        if session.closed and packets[-1].type is not PacketType.CLOSE:
            raise RequestError(ErrorCode.BAD_REQUEST)
        return web.Response(text="ok")

    async def _read_packets(self, request: web.Request, session: Session) -> list[Incoming]:
        try:
            return decode_payload(await self._read_body(request))
        except Malformed as error:
            self._engine.fail(session, error)
            raise RequestError(ErrorCode.BAD_REQUEST) from error
        except BaseException:
            session.close(TRANSPORT_ERROR)
            raise

    async def _read_body(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > self._engine.options.max_payload:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._engine.options.limits.body_timeout):
                while chunk := await request.content.readany():
                    body += chunk
                    if len(body) > self._engine.options.max_payload:
                        raise self._too_large()
        except TimeoutError as error:
            raise RequestError(ErrorCode.BAD_REQUEST, "body too slow", status=408) from error
        except (ClientError, web.HTTPException, OSError) as error:
            raise RequestError(ErrorCode.BAD_REQUEST) from error
        return bytes(body)

    def _too_large(self) -> RequestError:
        most = self._engine.options.max_payload
        self._engine.warn("refused a larger body; raise --max-payload (it is %s)", str(most))
        return RequestError(ErrorCode.BAD_REQUEST, "body too large", status=413)

    async def _handle_packets(self, session: Session, packets: list[Incoming]) -> None:
        try:
            for number, packet in enumerate(packets, 1):
                if session.closed:
                    return
                await session.receive(packet)
                if number % _BATCH == 0:
                    await asyncio.sleep(0)
        except Malformed as error:
            self._engine.fail(session, error)


def _is_python(request: web.Request) -> bool:
    return "python" in request.headers.get("User-Agent", "").lower()


def _is_from_element(request: web.Request) -> bool:
    """Return whether another site's page makes the request without a script, such as with <img>."""
    site = request.headers.get("Sec-Fetch-Site", "")
    return site in ("cross-site", "same-site") and "Origin" not in request.headers


def _is_websocket_request(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"
