"""The heartbeats of held sessions: when each client's next one is late, and how to send it instead.

Engine.IO 4: the server pings `pingInterval` after the last pong, and closes the session `pingTimeout` later
unless a pong has arrived. Engine.IO 3: the client pings, and the server closes the session after both times
without a ping. So in both, a heartbeat is late `pingInterval` and half a `pingTimeout` after the last one.
The proxy need not have seen a ping: a client that is stopped does not poll for it, or its full socket keeps
the proxy from reading it.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from nsroom.protocol.dialect import Dialect
from nsroom.protocol.engineio import Handshake
from nsroom.protocol.websocket import Message, Opcode
from nsroom.record import Direction, Kind, Record

MAX_SESSIONS = 10_000
"""As many as the proxy remembers; the oldest are not held any longer."""
MAX_ABSENCE = 3600 * 1_000_000
"""Microseconds without a request of a polling client, which may be stopped, or have ended without a word."""
HELD = "sent by the proxy: --hold"
"""The reason in the record of a heartbeat that did not come from the client."""
_MAX_HEAD = 64 * 1024
"""Bytes of a request's head that are kept; servers accept 8 to 64 KiB."""
_MAX_WAIT = 5_000_000
"""Microseconds that a WebSocket ping waits for the client; Uvicorn closes the connection after 20 s."""
_RETRY = 1_000_000
"""Microseconds after which a heartbeat is late again that could not be sent."""
_OWN = (
    b"accept-encoding",
    b"connection",
    b"content-length",
    b"content-type",
    b"expect",
    b"if-match",
    b"if-none-match",
    b"keep-alive",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
)
"""Headers that belong to one request only, in lower case."""
Send = Callable[[Opcode, bytes], bool]
"""Sends a message through a WebSocket and returns whether it could: not within a message of the client."""


@dataclass(slots=True)
class Held:
    """A session that is held."""

    sid: str
    is_old: bool
    """Whether it speaks Engine.IO 3."""
    period: int
    """Microseconds after a heartbeat when the next one is late."""
    last: int
    """The time of the last heartbeat, in microseconds."""
    requested: int
    """The time of the client's last request."""
    request: bytes = b""
    """The head of the client's last polling request, as the server received it."""
    posts: int = 0
    """The client's POSTs that are not answered yet: a second one at a time would end the session."""
    send: Send | None = None
    """Sends through the session's WebSocket; None while it uses polling."""
    ping: bytes = b""
    """The payload of the server's last WebSocket ping."""
    pinged: int | None = None
    """The time of that ping, or None after the client's pong."""

    @property
    def kind(self) -> Kind:
        """The kind of the heartbeats that the server waits for."""
        return Kind.PING if self.is_old else Kind.PONG

    @property
    def packet(self) -> bytes:
        """The heartbeat."""
        return b"2" if self.is_old else b"3"

    @property
    def due(self) -> int:
        """When the next heartbeat is late, in microseconds."""
        return self.last + self.period

    @property
    def pong_due(self) -> int:
        """When the pong for a WebSocket ping is late, in microseconds; far away without a ping."""
        return sys.maxsize if self.pinged is None else self.pinged + min(self.period, _MAX_WAIT)

    def post(self) -> bytes:
        """Return the polling request that sends the heartbeat, with the headers of the client's requests."""
        body = Dialect(3 if self.is_old else 4).join_body([self.packet.decode()]).encode()
        first, *lines = self.request.strip(b"\r\n").split(b"\n")
        target = first.split(b" ")[1]
        if "sid" not in parse_qs(urlsplit(target.decode("latin-1")).query):
            target += b"&sid=" + quote(self.sid, safe="").encode()
        kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in _OWN]
        own = (
            b"Content-Type: text/plain;charset=UTF-8",
            b"Content-Length: %d" % len(body),
            b"Connection: close",
        )
        head = (b"POST %b HTTP/1.1" % target, *(line.rstrip(b"\r") for line in kept), *own)
        return b"\r\n".join((*head, b"", body))


class Heartbeats:
    """The sessions that are held, by sid."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()

    def open(self, handshake: Handshake, is_old: bool, at: int, request: bytes, send: Send | None) -> None:
        """Hold a session from its handshake on."""
        period = handshake.ping_interval + handshake.ping_timeout // 2
        self._held[handshake.sid] = Held(handshake.sid, is_old, period * 1000, at, at, request, send=send)
        if len(self._held) > MAX_SESSIONS:
            self._held.popitem(last=False)

    def find(self, sid: str | None) -> Held | None:
        """Return the session with this sid, or None if it is not held."""
        return self._held.get(sid) if sid else None

    def see(self, record: Record, send: Send | None) -> None:
        """Handle a packet other than an event, which came over the WebSocket of `send`, or by polling."""
        held = self.find(record.sid)
        if held is None:
            return
        if record.kind is Kind.CLOSE:
            self.forget(held.sid, held.send)
        elif record.kind is Kind.UPGRADE:
            held.send = send
        elif record.direction is Direction.OUT and record.kind is held.kind and not record.data:
            held.last = record.time

    def request(self, sid: str | None, head: bytes, is_post: bool, at: int) -> None:
        """Handle the head of a client's polling request."""
        held = self.find(sid)
        if held is not None:
            held.requested = at
            held.request = head if len(head) <= _MAX_HEAD else held.request
            held.posts += is_post

    def response(self, sid: str | None) -> None:
        """Handle the end of the response to a POST."""
        held = self.find(sid)
        if held is not None:
            held.posts -= 1

    def control(self, sid: str | None, direction: Direction, message: Message, at: int) -> None:
        """Handle a control frame of a WebSocket."""
        held = self.find(sid)
        if held is not None and direction is Direction.IN and message.opcode is Opcode.PING:
            assert isinstance(message.data, bytes)
            held.ping, held.pinged = message.data, at
        elif held is not None and message.opcode is Opcode.PONG:
            held.pinged = None

    def forget(self, sid: str | None, send: Send | None = None) -> None:
        """Handle the end of a session's transport: polling, or the WebSocket that `send` belongs to."""
        held = self.find(sid)
        if held is not None and held.send is send:
            del self._held[held.sid]

    def late(self, at: int) -> Iterator[Held]:
        """Yield the sessions whose heartbeat is late; forget those of clients absent for too long."""
        for held in list(self._held.values()):
            if held.send is None and at - held.requested > MAX_ABSENCE:
                del self._held[held.sid]
            elif held.due <= at and not held.posts:
                held.last = at - held.period + _RETRY
                yield held

    def unanswered(self, at: int) -> Iterator[Held]:
        """Yield the sessions whose pong for a WebSocket ping is late."""
        return (held for held in self._held.values() if held.pong_due <= at)

    def next_due(self, at: int) -> int:
        """Return the microseconds until the first heartbeat or pong is late, or a second."""
        return min((min(held.due, held.pong_due) - at for held in self._held.values()), default=1_000_000)
