"""One load-test client: as little as speaks WebSocket, Engine.IO 4 and Socket.IO 5.

Its cost limits what can be measured: about 9 µs for a received event, most of that in the system.
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from typing import NamedTuple

from nsroom.bench.plan import Endpoint, Member
from nsroom.errors import DecodeError
from nsroom.protocol import http11, refusals, socketio, websocket
from nsroom.protocol.websocket import Opcode
from nsroom.record import Json

# Shared by all connections: asyncio fills it and passes it on at once. A buffer for each read costs 18 µs.
_BUFFER = memoryview(bytearray(1 << 18))
_OPEN, _CLOSE, _PING, _MESSAGE = b"0124"
_CONNECT, _DISCONNECT, _CONNECT_ERROR, _BINARY_ACK = b"0146"
_EVENTS_AND_ACKS = frozenset([b"42", b"43", b"45", b"46"])
"""The first two bytes of events and acknowledgements."""
_PONG = websocket.client_frame(Opcode.TEXT, b"3")
_MAX_CAUSE = 100
_CLOSED_BY_US = "closed by us"
_MAX_DIGITS = 16
"""Digits of an id: JavaScript's safe integers."""
BACKLOGGED = "not sent: the server does not read"
_MAX_UNSENT = 1 << 24
"""Unsent bytes above which the server counts as not reading."""


class ConnectFailure(Exception):
    """A client could not connect; the text is the cause, equal for failures of the same kind."""


class Templates(NamedTuple):
    """What every client sends first, and the prefixes of packets in its namespace."""

    request: bytes
    connect: bytes
    event_prefix: bytes
    ack_prefix: bytes


def make_templates(endpoint: Endpoint) -> Templates:
    """Return what the clients of an endpoint have in common."""
    packet = socketio.Packet(socketio.PacketType.CONNECT, endpoint.namespace, data=endpoint.auth)
    connect = str(socketio.encode(packet)[0])
    namespace = "" if endpoint.namespace == "/" else f"{endpoint.namespace},"
    return Templates(
        endpoint.request.encode("utf-8"),
        websocket.client_frame(Opcode.TEXT, f"4{connect}".encode()),
        f"42{namespace}".encode(),
        f"43{namespace}".encode(),
    )


PacketHandler = Callable[["Connection", bytes], None]
"""Called with every event and acknowledgement, prefixed by its Engine.IO type."""


def ignore_packet(connection: "Connection", packet: bytes) -> None:
    """Ignore a packet."""


class Connection(asyncio.BufferedProtocol):
    """A WebSocket connection to one namespace."""

    def __init__(
        self, templates: Templates, member: Member, on_lost: Callable[["Connection", str], None]
    ) -> None:
        self.member = member
        self.on_packet: PacketHandler = ignore_packet
        self.pending: dict[int, int] = {}
        """Unanswered events by id, oldest first: when each was due, in nanoseconds."""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the namespace is connected. Raises: ConnectFailure."""
        self._templates = templates
        self._on_lost = on_lost
        self._last_id = 0
        self._cause: str | None = None
        self._transport: asyncio.Transport | None = None
        self._http: http11.Reader | None = http11.Reader(lambda head: http11.response_framing(head, "GET"))
        self._reader = websocket.Reader()
        self._is_between = True

    @property
    def is_open(self) -> bool:
        """Whether anything can still be sent."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_full(self) -> bool:
        """Whether too much is unsent because the server does not read."""
        return self._transport is not None and self._transport.get_write_buffer_size() > _MAX_UNSENT

    def emit(self, body: bytes) -> int:
        """Emit an event that needs an acknowledgement and return its id; `body` is its JSON."""
        assert self._transport is not None
        self._last_id = number = self._last_id + 1
        self._transport.write(
            websocket.client_frame(Opcode.TEXT, b"%b%d%b" % (self._templates.event_prefix, number, body))
        )
        return number

    def acknowledged_id(self, packet: bytes) -> int | None:
        """Return the id of the event that a packet acknowledges, or None."""
        prefix = self._templates.ack_prefix
        if packet.startswith(prefix):
            digits, bracket, _ = packet[len(prefix) : len(prefix) + _MAX_DIGITS + 1].partition(b"[")
            return int(digits) if bracket and digits.isdigit() else None
        if packet[1] != _BINARY_ACK:
            return None
        found = socketio.HEADER.match(packet[1:].decode("utf-8", "replace"))
        return int(found[3]) if found and 0 < len(found[3]) <= _MAX_DIGITS else None

    def fail(self, cause: str) -> None:
        """Close the connection because of an error."""
        self._cause = self._cause or cause
        if self._transport is not None:
            self._transport.abort()

    def cancel(self) -> None:
        """Close the connection in any state; its `ready` is no longer awaited."""
        self.ready.cancel()
        self.fail(_CLOSED_BY_US)

    def close(self) -> None:
        """Close the WebSocket, then the connection."""
        self._cause = _CLOSED_BY_US
        self._write(websocket.client_frame(Opcode.CLOSE, b"\x03\xe8"))
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the WebSocket request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._write(self._templates.request)

    def get_buffer(self, _size: int) -> memoryview:
        """Return the shared buffer."""
        return _BUFFER

    def buffer_updated(self, size: int) -> None:
        """Handle received data."""
        data = bytes(_BUFFER[:size])
        if self._is_between and self._http is None and (start := websocket.whole_text(data)):
            self._handle_packet(data[start:])
        elif self._http is not None:
            self._handle_response(data)
        else:
            self._handle_frames(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Report the cause to whatever waits for it."""
        cause = self._cause or (cause_of(error) if error else "the server closed the connection")
        if not self.ready.done():
            self.ready.set_exception(ConnectFailure(cause))
        elif cause != _CLOSED_BY_US:
            self._on_lost(self, cause)

    def _handle_response(self, data: bytes) -> None:
        assert self._http is not None
        for part in self._http.feed(data):
            if isinstance(part, http11.Head) and part.status != 101:
                self.fail(f"HTTP {part.status}")
                return
            if isinstance(part, http11.Opaque):
                self.fail("not HTTP") if part.reason else self._handle_frames(part.raw)
        if self._http.is_opaque:
            self._http = None

    def _handle_frames(self, data: bytes) -> None:
        try:
            for message in self._reader.feed(data):
                self._handle_message(message)
        except ValueError as error:
            self.fail(f"invalid WebSocket frame: {error}"[:_MAX_CAUSE])
        self._is_between = self._reader.is_between

    def _handle_message(self, message: websocket.Message) -> None:
        data = message.data
        if isinstance(data, str):
            self._handle_packet(data.encode("utf-8", "surrogateescape"))
        elif message.opcode is Opcode.PING:
            self._write(websocket.client_frame(Opcode.PONG, data))
        elif message.opcode is Opcode.CLOSE:
            code, _ = websocket.close_reason(data)
            self.fail(f"the server closed the connection ({code or 'no code'})")

    def _handle_packet(self, packet: bytes) -> None:
        kind = packet[0] if packet else None
        if packet[:2] in _EVENTS_AND_ACKS:  # nearly all packets
            self.on_packet(self, packet)
        elif kind == _MESSAGE:
            self._handle_socketio(packet)
        elif kind == _PING:
            self._write(_PONG)
        elif kind == _OPEN:
            self._write(self._templates.connect)
        elif kind == _CLOSE:
            self.fail("the server closed the session")

    def _handle_socketio(self, packet: bytes) -> None:
        kind = packet[1] if len(packet) > 1 else None
        if kind == _CONNECT and not self.ready.done():
            self.ready.set_result(None)
        elif kind == _CONNECT_ERROR:
            self.fail(f"refused: {_reason(packet)}")
        elif kind == _DISCONNECT:
            self.fail("the server disconnected the client")


def cause_of(error: BaseException) -> str:
    """Return a short text for an error of the system or of TLS."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"[:_MAX_CAUSE]
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return (str(error) or type(error).__name__)[:_MAX_CAUSE]


def refusal(packet: bytes) -> str | None:
    """Return the error code in an acknowledgement, or None if it is not an error."""
    if b'"error"' not in packet:
        return None
    arguments = _decode(packet)
    refused = refusals.refusal(arguments) if isinstance(arguments, list) else None
    return None if refused is None else str(refused.code)[:_MAX_CAUSE]


def _reason(packet: bytes) -> str:
    return refusals.explain_connect_error(_decode(packet))[:_MAX_CAUSE]


def _decode(packet: bytes) -> Json:
    try:
        return socketio.decode(packet[1:].decode("utf-8", "replace")).data
    except DecodeError:
        return None
