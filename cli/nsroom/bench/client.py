"""One client of a load run: as little as can speak WebSocket, Engine.IO 4 and Socket.IO 5.

What it costs is the bound of what can be measured: about 9 µs for an event that comes, most of that
the system's.
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from typing import NamedTuple

from nsroom.bench.plan import Place, Seat
from nsroom.errors import DecodeError
from nsroom.protocol import http11, socketio, websocket
from nsroom.protocol.websocket import Opcode
from nsroom.record import Json

# One for all: asyncio fills it and hands it over at once. A buffer made for each reading costs 18 µs.
_BUFFER = memoryview(bytearray(1 << 18))
_OPEN, _CLOSE, _PING, _MESSAGE = b"0124"
_CONNECT, _DISCONNECT, _REFUSED, _BINARY_ACK = b"0146"
_HEARD = frozenset([b"42", b"43", b"45", b"46"])
"""How packets begin that are events and acknowledgements."""
_PONG = websocket.client_frame(Opcode.TEXT, b"3")
_MAX_CAUSE = 100
_BY_US = "closed by us"
_MAX_DIGITS = 16
"""Of an id: those that JavaScript can count to."""
NOT_READ = "not sent: the server does not read"
_MAX_UNSENT = 1 << 24
"""Bytes that wait for a server which does not read."""


class Failure(Exception):
    """A client could not connect; the text is the cause, the same for all of one kind."""


class Hello(NamedTuple):
    """What every client says first, and how the packets of its namespace begin."""

    request: bytes
    connect: bytes
    event_head: bytes
    ack_head: bytes


def hello(place: Place) -> Hello:
    """Write down what the clients of a place have in common."""
    packet = socketio.Packet(socketio.PacketType.CONNECT, place.namespace, data=place.auth)
    connect = str(socketio.encode(packet)[0])
    namespace = "" if place.namespace == "/" else f"{place.namespace},"
    return Hello(
        place.request.encode("utf-8"),
        websocket.client_frame(Opcode.TEXT, f"4{connect}".encode()),
        f"42{namespace}".encode(),
        f"43{namespace}".encode(),
    )


Hear = Callable[["Connection", bytes], None]
"""Is given every event and acknowledgement, with Engine.IO's type before it."""


def ignore(connection: "Connection", packet: bytes) -> None:
    """Hear nothing."""


class Connection(asyncio.BufferedProtocol):
    """A WebSocket with one namespace in it."""

    def __init__(self, said: Hello, seat: Seat, on_lost: Callable[["Connection", str], None]) -> None:
        self.seat = seat
        self.hear: Hear = ignore
        self.waiting: dict[int, int] = {}
        """When events without an answer were to be sent, in nanoseconds, by their ids; the oldest first."""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Is done when the namespace is connected. Raises: Failure."""
        self._said = said
        self._on_lost = on_lost
        self._next = 0
        self._cause: str | None = None
        self._http: http11.Reader | None = http11.Reader(lambda head: http11.response_framing(head, "GET"))
        self._reader = websocket.Reader()
        self._is_between = True

    @property
    def is_open(self) -> bool:
        """Whether anything can still be sent."""
        return not self._transport.is_closing()

    @property
    def is_full(self) -> bool:
        """Whether the server does not read what is sent."""
        return self._transport.get_write_buffer_size() > _MAX_UNSENT

    def emit(self, body: bytes) -> int:
        """Emit an event that is to be acknowledged, and give its id; `body` is its JSON."""
        self._next = number = self._next + 1
        self._transport.write(
            websocket.client_frame(Opcode.TEXT, b"%b%d%b" % (self._said.event_head, number, body))
        )
        return number

    def answered(self, packet: bytes) -> int | None:
        """Give the id of the event that a packet acknowledges; None where it does not."""
        head = self._said.ack_head
        if packet.startswith(head):
            digits = packet[len(head) : packet.find(b"[", len(head))]
            return int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else None
        if packet[1] != _BINARY_ACK:
            return None
        found = socketio.HEADER.match(packet[1:].decode("utf-8", "replace"))
        return int(found[3]) if found and 0 < len(found[3]) <= _MAX_DIGITS else None

    def fail(self, cause: str) -> None:
        """End it, for this reason."""
        self._cause = self._cause or cause
        self._transport.abort()

    def abandon(self) -> None:
        """End it, whatever it has come to; nobody waits for it any more."""
        self.ready.cancel()
        if hasattr(self, "_transport"):
            self.fail(_BY_US)

    def leave(self) -> None:
        """Close it in order."""
        self._cause = _BY_US
        self._transport.write(websocket.client_frame(Opcode.CLOSE, b"\x03\xe8"))
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._said.request)

    def get_buffer(self, _size: int) -> memoryview:
        """Lend the buffer."""
        return _BUFFER

    def buffer_updated(self, size: int) -> None:
        """Take what came."""
        data = bytes(_BUFFER[:size])
        if self._is_between and self._http is None and (start := websocket.whole_text(data)):
            self._packet(data[start:])
        elif self._http is not None:
            self._shake_hands(data)
        else:
            self._frames(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell why, whoever waits."""
        cause = self._cause or (cause_of(error) if error else "the server ended the connection")
        if not self.ready.done():
            self.ready.set_exception(Failure(cause))
        elif cause != _BY_US:
            self._on_lost(self, cause)

    def _shake_hands(self, data: bytes) -> None:
        assert self._http is not None
        for part in self._http.feed(data):
            if isinstance(part, http11.Head) and part.status != 101:
                self.fail(f"HTTP {part.status}")
                return
            if isinstance(part, http11.Opaque):
                self.fail("no HTTP") if part.reason else self._frames(part.raw)
        if self._http.is_opaque:
            self._http = None

    def _frames(self, data: bytes) -> None:
        try:
            for message in self._reader.feed(data):
                self._message(message)
        except ValueError as error:
            self.fail(f"no WebSocket: {error}"[:_MAX_CAUSE])
        self._is_between = self._reader.is_between

    def _message(self, message: websocket.Message) -> None:
        data = message.data
        if isinstance(data, str):
            self._packet(data.encode("utf-8", "surrogateescape"))
        elif message.opcode is Opcode.PING:
            self._transport.write(websocket.client_frame(Opcode.PONG, data))
        elif message.opcode is Opcode.CLOSE:
            code, _ = websocket.close_reason(data)
            self.fail(f"the server closed the connection ({code or 'no code'})")

    def _packet(self, packet: bytes) -> None:
        kind = packet[0] if packet else None
        if packet[:2] in _HEARD:  # nearly all that comes
            self.hear(self, packet)
        elif kind == _MESSAGE:
            self._socketio(packet)
        elif kind == _PING:
            self._transport.write(_PONG)
        elif kind == _OPEN:
            self._transport.write(self._said.connect)
        elif kind == _CLOSE:
            self.fail("the server closed the session")

    def _socketio(self, packet: bytes) -> None:
        kind = packet[1] if len(packet) > 1 else None
        if kind == _CONNECT and not self.ready.done():
            self.ready.set_result(None)
        elif kind == _REFUSED:
            self.fail(f"refused: {_reason(packet)}")
        elif kind == _DISCONNECT:
            self.fail("the server disconnected the client")


def cause_of(error: BaseException) -> str:
    """Say in a few words what the system, or TLS, failed with."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"[:_MAX_CAUSE]
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return (str(error) or type(error).__name__)[:_MAX_CAUSE]


def refusal(packet: bytes) -> str | None:
    """Give the code of an acknowledgement that is the server's error; None for any other."""
    if b'"error"' not in packet:
        return None
    arguments = _decoded(packet)
    first = arguments[0] if isinstance(arguments, list) and arguments else None
    return str(first["error"])[:_MAX_CAUSE] if isinstance(first, dict) and "error" in first else None


def _reason(packet: bytes) -> str:
    data = _decoded(packet)
    return str(data.get("message") if isinstance(data, dict) else data)[:_MAX_CAUSE]


def _decoded(packet: bytes) -> Json:
    try:
        return socketio.decode(packet[1:].decode("utf-8", "replace")).data
    except DecodeError:
        return None
