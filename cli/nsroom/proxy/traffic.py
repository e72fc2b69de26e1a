"""What the two ends of one TCP connection say to each other: HTTP, then perhaps a WebSocket, as Records.

It only looks on; what is passed on is the relay's to do. Every Record has the Engine.IO sid as its `sid`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3, http11, strict_json, websocket
from nsroom.protocol.http11 import Body, End, Head, Opaque
from nsroom.protocol.websocket import Message, Opcode
from nsroom.proxy import bodies
from nsroom.proxy.dropping import Cutter, Drops
from nsroom.proxy.sessions import Link, Sessions
from nsroom.record import Direction, Json, Kind, Record

IN, OUT = Direction.IN, Direction.OUT
_TEXT, _BINARY = Opcode.TEXT, Opcode.BINARY
WHO = {IN: "server", OUT: "client"}
"""Who speaks in a direction."""
Edit = Callable[[bytes], bytes]


class Seen(NamedTuple):
    """Bytes to pass on, and what they were."""

    data: bytes
    records: list[Record]


@dataclass(slots=True)
class _Exchange:
    """A request and its answer; `link` is None where they do not belong to Engine.IO."""

    method: str
    polling: bool
    upgrade: bool
    link: Link | None
    sent: bodies.Collected = field(default_factory=bodies.Collected)
    head: Head | None = None
    got: bodies.Collected = field(default_factory=bodies.Collected)


class Conversation:
    """One TCP connection's traffic, fed in the order in which it passes."""

    def __init__(self, sessions: Sessions, edit: Edit, drops: Drops | None = None) -> None:
        self.socket: Socket | None = None
        """What the connection has become after an upgrade."""
        self._sessions = sessions
        self._edit = edit
        self._drops = drops
        self._exchanges: deque[_Exchange] = deque()
        self._asking: _Exchange | None = None
        self._readers = {OUT: http11.Reader(http11.request_framing), IN: http11.Reader(self._plan_answer)}

    @property
    def is_switching(self) -> bool:
        """Whether a request to upgrade waits for its answer: what comes behind it may be HTTP or not."""
        return self.socket is None and bool(self._exchanges) and self._exchanges[-1].upgrade

    def is_transparent(self, direction: Direction) -> bool:
        """Tell whether what comes from here passes as it is, whatever it turns out to be."""
        if self._drops is not None:
            return False
        return direction is IN or self.socket is not None or self._readers[OUT].is_opaque

    def feed(self, direction: Direction, data: bytes, at: int) -> list[Seen]:
        """Look at what came in a direction at `at`; give it as it is to be passed on."""
        if self.socket is not None:
            return self.socket.feed(direction, data, at)
        passed: list[bytes] = []
        records: list[Record] = []
        for part in self._readers[direction].feed(data):
            if isinstance(part, Opaque) and self.socket is not None:
                return [Seen(b"".join(passed), records), *self.socket.feed(direction, part.raw, at)]
            raw, told = self._part(direction, part, at)
            passed.append(raw)
            records += told
        # Together: a body's bytes mean nothing before its end, where they become records.
        return [Seen(b"".join(passed), records)]

    def end(self, direction: Direction, at: int) -> Seen:
        """Take note that a side sends no more; give what was held back of what it sent."""
        if self.socket is not None:
            return Seen(self.socket.end(direction), [])
        if direction is OUT:
            return Seen(self._readers[OUT].end(), [])
        return Seen(b"", self._answer(End(), at) if self._readers[IN].is_unbounded else [])

    def over(self, first: Direction, how: str, at: int) -> list[Record]:
        """Take note that the connection is over, and who ended it."""
        why = f"the {WHO[first]} {how}"
        if self.socket is not None:
            return self.socket.over(why, at)
        links = [exchange.link for exchange in self._exchanges if exchange.link is not None]
        return [link.note(Kind.CLOSE, at, reason=f"{why} before a request was answered") for link in links]

    def _part(self, direction: Direction, part: http11.Part, at: int) -> Seen:
        if isinstance(part, Opaque):
            return Seen(part.raw, self._unread(direction, part.why, at))
        if direction is OUT:
            return Seen(self._ask(part), self._asked(part, at))
        return Seen(part.raw, self._answer(part, at))

    def _unread(self, direction: Direction, why: str, at: int) -> list[Record]:
        if not why:
            return []
        told = f"what the {WHO[direction]} sends is passed on unread: {why}"
        return [self._sessions.note(Kind.PROTOCOL_ERROR, at, message=told)]

    def _plan_answer(self, head: Head) -> http11.Framing | int:
        return http11.response_framing(head, self._exchanges[0].method if self._exchanges else "GET")

    def _ask(self, part: http11.Part) -> bytes:
        if not isinstance(part, Head):
            return part.raw
        self._asking = _exchange(part, self._sessions)
        self._exchanges.append(self._asking)
        return self._edit(part.raw)

    def _asked(self, part: http11.Part, at: int) -> list[Record]:
        exchange = self._asking
        if exchange is None or exchange.link is None or exchange.method != "POST":
            return []
        if isinstance(part, Body):
            exchange.sent.add(part.data)
        elif isinstance(part, End):
            return _frames(exchange.link, OUT, exchange.sent, exchange.head, at)
        return []

    def _answer(self, part: http11.Part, at: int) -> list[Record]:
        if not self._exchanges:
            return []
        exchange = self._exchanges[0]
        if isinstance(part, Head):
            if part.status >= 200 or part.status == 101:
                exchange.head = part
            if part.status == 101:
                self._upgrade(exchange, part)
            return []
        if exchange.head is None:  # an interim answer, 100 or 103
            return []
        if isinstance(part, Body):
            exchange.got.add(part.data if exchange.link else b"")
            return []
        self._exchanges.popleft()
        return _answered(exchange, exchange.head, at)

    def _upgrade(self, exchange: _Exchange, head: Head) -> None:
        self._exchanges.clear()
        if head.get("upgrade").lower() == "websocket":
            deflate = "permessage-deflate" in head.get("sec-websocket-extensions")
            self.socket = Socket(exchange.link, deflate, self._drops)


def _exchange(head: Head, sessions: Sessions) -> _Exchange:
    query = _query(head.target)
    transport = query.get("transport", "")
    link = None
    if "EIO" in query and transport in ("polling", "websocket") and head.method in ("GET", "POST"):
        link = Link(sessions, query.get("sid"), query["EIO"] == "3")
    return _Exchange(head.method, transport == "polling", "upgrade" in head.get("connection").lower(), link)


def _query(target: str) -> dict[str, str]:
    try:
        return {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
    except ValueError:
        return {}


def _answered(exchange: _Exchange, head: Head, at: int) -> list[Record]:
    link = exchange.link
    if link is None:
        return []
    if head.status >= 300:
        return [_refusal(link, exchange, head, at)]
    return _frames(link, IN, exchange.got, head, at) if exchange.polling and exchange.method == "GET" else []


def _frames(
    link: Link, direction: Direction, body: bodies.Collected, head: Head | None, at: int
) -> list[Record]:
    try:
        data = body.decoded(head.get("content-encoding") if head else "")
        frames = _split(link, data)
    except DecodeError as error:
        return [
            link.note(Kind.PROTOCOL_ERROR, at, message=f"a polling body of the {WHO[direction]}: {error}")
        ]
    except ValueError as error:
        return [
            link.note(Kind.GAP, at, message=f"a polling body of the {WHO[direction]} is not shown: {error}")
        ]
    return [record for frame in frames for record in link.feed(direction, frame, at)]


def _split(link: Link, data: bytes) -> list[str | bytes]:
    if link.is_old:
        return engineio3.split_payload(data)
    return [*engineio.split_payload(data.decode("utf-8", "surrogateescape"))]


def _refusal(link: Link, exchange: _Exchange, head: Head, at: int) -> Record:
    """Show an answer that is no packet: of the handshake a refusal, later the end of the session."""
    data: Json = None
    try:
        data = strict_json.load(exchange.got.decoded(head.get("content-encoding")).decode())
    except ValueError:
        data = None
    said = data.get("message") if isinstance(data, dict) else None
    kind = Kind.CLOSE if link.sid else Kind.CONNECT_ERROR
    return link.note(
        kind,
        at,
        reason=f"HTTP {head.status}",
        message=said if isinstance(said, str) else head.start[13:] or None,
        data=data if isinstance(data, dict) else None,
    )


class Socket:
    """The messages of a WebSocket, both ways; without a link they are no Engine.IO, and pass unseen."""

    def __init__(self, link: Link | None, deflate: bool, drops: Drops | None) -> None:
        self._link = link
        self._readers = {way: websocket.Reader(deflate) for way in (IN, OUT)} if link else {}
        self._cutters = {way: Cutter(drops) for way in (IN, OUT)} if drops else {}
        self._closed = False

    def feed(self, direction: Direction, data: bytes, at: int) -> list[Seen]:
        """Look at what came; where packets are to be dropped, keep back what is not complete."""
        if self._link is None:
            return [Seen(data, [])]
        messages = self._messages(self._link, direction, data, at)
        if direction in self._cutters:
            cut = self._cutters[direction].cut(data, messages, lambda: self._is_incomplete(direction))
            return [Seen(*piece) for piece in cut]
        seen: list[Record] = []
        for _, records in messages:
            seen += records
        return [Seen(data, seen)]

    def end(self, direction: Direction) -> bytes:
        """Give what was kept back of what a side sent."""
        return self._cutters[direction].end() if direction in self._cutters else b""

    def over(self, why: str, at: int) -> list[Record]:
        """Take note that the connection is over."""
        if self._link is None:
            return []
        self._link.close()
        if self._closed:
            return []
        return [self._link.note(Kind.CLOSE, at, reason=f"{why} without closing the WebSocket")]

    def _is_incomplete(self, direction: Direction) -> bool:
        return self._link is not None and self._link.is_incomplete(direction)

    def _messages(
        self, link: Link, direction: Direction, data: bytes, at: int
    ) -> Iterator[tuple[Message | None, list[Record]]]:
        """Give each message that is complete with this, with what it completes."""
        reader = self._readers.get(direction)
        if reader is None:
            yield None, []
            return
        try:
            for message in reader.feed(data):
                if message.opcode is _TEXT or message.opcode is _BINARY:
                    yield message, link.feed(direction, message.data, at)
                else:
                    yield message, self._control(link, direction, message, at)
        except ValueError as error:
            del self._readers[direction]
            told = f"what the {WHO[direction]} sends is passed on unread: {error}"
            yield None, [link.note(Kind.PROTOCOL_ERROR, at, message=told)]

    def _control(self, link: Link, direction: Direction, message: Message, at: int) -> list[Record]:
        if message.opcode is not Opcode.CLOSE or self._closed:
            return []
        self._closed = True
        assert isinstance(message.data, bytes)
        code, text = websocket.close_reason(message.data)
        told = ": ".join(filter(None, ["no code" if code is None else f"code {code}", text]))
        return [link.note(Kind.CLOSE, at, reason=f"the {WHO[direction]} closed the WebSocket", message=told)]
