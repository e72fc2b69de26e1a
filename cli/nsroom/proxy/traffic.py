"""Turn the bytes of one relayed TCP connection into Records: HTTP, and after an upgrade a WebSocket.

Pure: `feed` returns the bytes to pass on, and the relay sends them. Every Record has the Engine.IO sid.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from nsroom.errors import DecodeError
from nsroom.protocol import http11, strict_json
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.http11 import Body, End, Head, Opaque
from nsroom.proxy import bodies
from nsroom.proxy.addresses import Addresses, Page
from nsroom.proxy.dropping import Drops
from nsroom.proxy.messages import SENDER, Insert, Seen, Socket, unreadable
from nsroom.proxy.ping_timeout import FirstResponse
from nsroom.proxy.sessions import LIMITS, Link, Sessions
from nsroom.record import Direction, Frame, Json, Kind, Record

IN, OUT = Direction.IN, Direction.OUT
_MAX_PAGE = 2 * 2**20
"""Bytes of a page or script that are searched for the server's address."""
_PAGES = ("text/html", "application/xhtml+xml", "text/javascript", "application/javascript")
_EXCHANGE = 1500
"""Bytes of a request that waits for its response."""
_MAX_TEXT = 2000
"""Characters of a refusal's body that are recorded."""


OpenSocket = Callable[[Link], Socket]
"""Returns what handles the WebSocket of an intercepted session."""


@dataclass(slots=True)
class Exchange:
    """A request and its response; `link` is None if they do not belong to Engine.IO."""

    method: str
    path: str
    """Of the request, without the query."""
    polling: bool
    upgrade: bool
    link: Link | None
    page: Page
    request_body: bodies.Collected = field(default_factory=bodies.Collected)
    head: Head | None = None
    """The response's."""
    response_body: bodies.Collected = field(default_factory=bodies.Collected)
    is_page: bool = False
    """Whether the response is a page or script, to be searched for the server's address."""
    first_response: FirstResponse | None = None
    """Changes the response, if it is a polling handshake whose session will be held."""

    @property
    def held(self) -> int:
        """Roughly the bytes that the exchange takes."""
        return _EXCHANGE + len(self.request_body.data) + len(self.response_body.data)

    def find_page(self, head: Head) -> None:
        """Set `is_page` from the response's head."""
        kind = head.get("content-type").partition(";")[0].strip().lower()
        if self.link is None and head.status == 200 and kind in _PAGES:
            self.is_page = True
            self.response_body.limit = _MAX_PAGE


class Conversation:
    """The traffic of one TCP connection, fed in the order in which the relay reads it."""

    def __init__(
        self,
        sessions: Sessions,
        addresses: Addresses,
        drops: Drops | None = None,
        insert: Insert | None = None,
        intercept: OpenSocket | None = None,
    ) -> None:
        """With `insert`, sessions are held; with `intercept`, their packets may wait."""
        self._insert = insert
        self.socket: Socket | None = None
        """The WebSocket, or another protocol, after an upgrade."""
        self.link: Link | None = None
        """Of the last request that belongs to Engine.IO."""
        self._unread = b""
        self._sessions = sessions
        self._addresses = addresses
        self._drops = drops
        self._intercept = intercept
        self._exchanges: deque[Exchange] = deque()
        self._current: Exchange | None = None
        """The exchange whose request is being read."""
        self._readers = {
            OUT: http11.Reader(http11.request_framing),
            IN: http11.Reader(self._framing, b"HTTP/1."),
        }

    @property
    def is_switching(self) -> bool:
        """Whether an upgrade request waits for its response: only that tells how to read the next bytes."""
        return self.socket is None and bool(self._exchanges) and self._exchanges[-1].upgrade

    def is_transparent(self, direction: Direction) -> bool:
        """Return whether the bytes of this direction pass unchanged, whatever they contain."""
        if self.socket is not None:
            return self.socket.is_transparent(direction)
        return self._drops is None and self._intercept is None and self._readers[direction].is_opaque

    @property
    def posting(self) -> str | None:
        """The sid of the session to which the last request posts, or None."""
        exchange = self._current
        return exchange.link.sid if exchange and exchange.link and exchange.method == "POST" else None

    @property
    def held(self) -> int:
        """Roughly the bytes that wait for more."""
        if self.socket is not None:
            return self.socket.held
        bodies = sum(each.held for each in self._exchanges)
        return bodies + sum(reader.held for reader in self._readers.values())

    @property
    def is_idle(self) -> bool:
        """Whether every request is answered."""
        return not self._exchanges

    def feed(self, direction: Direction, data: bytes, at: int) -> list[Seen]:
        """Return the bytes to pass on for those received in a direction at `at`, with their Records.

        Raises: ForbiddenError for a request that must not be passed on.
        """
        if self.socket is not None:
            return self.socket.feed(direction, data, at)
        passed: list[bytes] = []
        records: list[Record] = []
        for part in self._readers[direction].feed(data):
            if isinstance(part, Opaque) and self.socket is not None:
                return [Seen(b"".join(passed), records), *self.socket.feed(direction, part.raw, at)]
            raw, new = self._part(direction, part, at)
            passed.append(raw)
            records += new
            if direction is OUT and isinstance(part, End) and self.is_switching:
                self._unread = self._readers[OUT].end()
                break
        # In one piece, because the bytes of a body become records only at its end.
        return [Seen(b"".join(passed), records)]

    def take_unread(self) -> bytes:
        """Return the bytes after an upgrade request, to be fed again once it is answered."""
        unread, self._unread = self._unread, b""
        return unread

    def end(self, direction: Direction, at: int) -> Seen:
        """Handle the end of a direction; return the bytes held back."""
        if self.socket is not None:
            return self.socket.end(direction, at)
        seen = Seen(b"", [])
        if direction is IN and self._readers[IN].is_unbounded:
            seen = self._part(IN, End(), at)
        elif direction is IN and self._first_response is not None:
            seen = Seen(self._first_response.end(), [])
        return Seen(seen.data + self._readers[direction].end(), seen.records)

    def close(self, first: Direction, how: str, at: int) -> list[Record]:
        """Return the Records of the end of the connection: the side that ended it first, and how it did."""
        reason = f"the {SENDER[first]} {how}"
        if self.socket is not None:
            return self.socket.close(reason, at)
        links = [exchange.link for exchange in self._exchanges if exchange.link is not None]
        return [link.note(Kind.CLOSE, at, reason=f"{reason} before a request was answered") for link in links]

    def _part(self, direction: Direction, part: http11.Part, at: int) -> Seen:
        if direction is OUT and not isinstance(part, Opaque):
            return self._request(part, at)
        raw, first = part.raw, self._first_response
        if isinstance(part, Head) and self._exchanges:
            raw = self._addresses.response(part, self._exchanges[0].page)
        if first is not None and direction is IN:
            raw = first.feed(part, raw)
        if isinstance(part, Opaque):
            return Seen(raw, self._not_http(direction, part.reason, at))
        return Seen(raw, self._response(part, at))

    @property
    def _first_response(self) -> FirstResponse | None:
        return self._exchanges[0].first_response if self._exchanges else None

    def _not_http(self, direction: Direction, reason: str, at: int) -> list[Record]:
        if not reason:
            return []
        return [self._sessions.note(Kind.PROTOCOL_ERROR, at, message=unreadable(direction, reason))]

    def _framing(self, head: Head) -> http11.Framing | int:
        return http11.response_framing(head, self._exchanges[0].method if self._exchanges else "GET")

    def _request(self, part: http11.Part, at: int) -> Seen:
        if isinstance(part, Head):
            raw, page = self._addresses.request(part)
            self._current = read_exchange(part, self._sessions, page)
            self._exchanges.append(self._current)
            self.link = self._current.link or self.link
            return Seen(self._prepared(raw, self._current, at), [])
        return Seen(part.raw, self._posted(part, at))

    def _prepared(self, head: bytes, exchange: Exchange, at: int) -> bytes:
        """Return the head of a request so that packets can be dropped and changed."""
        if self._intercept and not exchange.upgrade:
            # A polling request must not follow on this connection: `InterceptingRelay` answers those.
            head = http11.replace_headers(head, {"Connection": "close"})
        if self._drops or self._insert or self._intercept:
            # Changing a message in a compressed stream would corrupt the messages after it.
            head = http11.drop_header(head, "Sec-WebSocket-Extensions")
        if self._insert and exchange.link and exchange.polling:
            if exchange.link.sid is None:
                head = http11.drop_header(head, "Accept-Encoding")
                report = self._sessions.notices.report_unheld
                exchange.first_response = FirstResponse(exchange.link.is_old, report)
            exchange.link.ask(head, exchange.method == "POST", at)
        return head

    def _posted(self, part: http11.Part, at: int) -> list[Record]:
        exchange = self._current
        if exchange is None or exchange.link is None or exchange.method != "POST":
            return []
        if isinstance(part, Body):
            exchange.request_body.add(part.data)
        elif isinstance(part, End):
            return _frames(exchange.link, OUT, exchange.request_body, exchange.head, at)
        return []

    def _response(self, part: http11.Part, at: int) -> list[Record]:
        if not self._exchanges:
            return []
        exchange = self._exchanges[0]
        if isinstance(part, Head):
            if part.status >= 200 or part.status == 101:
                exchange.head = part
            if part.status == 101:
                self._upgrade(exchange, part)
            else:
                self._check_redirect(exchange, part)
                exchange.find_page(part)
            return []
        if exchange.head is None:  # an interim response, 100 or 103
            return []
        if isinstance(part, Body):
            exchange.response_body.add(part.data if exchange.link or exchange.is_page else b"")
            return []
        self._exchanges.popleft()
        if exchange.link is not None:
            exchange.link.answer()
        if exchange.is_page:
            self._search_page(exchange, exchange.head)
        return _answered(exchange, exchange.head, at)

    def _check_redirect(self, exchange: Exchange, head: Head) -> None:
        url = head.get("location")
        if self._addresses.is_elsewhere(url):
            self._sessions.notices.report_leaving(f"a redirect of {exchange.path}", _origin(url))

    def _search_page(self, exchange: Exchange, head: Head) -> None:
        """Warn if a page or script names the server, and so does not use the proxy."""
        try:
            text = exchange.response_body.decoded(head.get("content-encoding")).decode("latin-1")
        except ValueError:  # compressed in another way, or too large
            return
        if url := self._addresses.server_url_in(text):
            self._sessions.notices.report_leaving(exchange.path, url)

    def _upgrade(self, exchange: Exchange, head: Head) -> None:
        self._exchanges.clear()
        link = exchange.link if head.get("upgrade").lower() == "websocket" else None
        deflate = "permessage-deflate" in head.get("sec-websocket-extensions")
        if link is not None and self._intercept is not None:
            self.socket = self._intercept(link)
        else:
            self.socket = Socket(link, deflate, self._drops)
        if link is not None and self._insert is not None:
            self.socket.hold(link, self._insert, self._sessions.notices.report_unheld)


def is_poll(head: Head) -> bool:
    """Return whether a request belongs to Engine.IO's polling transport."""
    query = _parts(head.target)[1]
    return _is_engine(head.method, query) and query["transport"] == "polling"


def _is_engine(method: str, query: Mapping[str, str]) -> bool:
    is_known = query.get("transport") in ("polling", "websocket")
    return "EIO" in query and is_known and method in ("GET", "POST")


def read_exchange(head: Head, sessions: Sessions, page: Page) -> Exchange:
    """Return the exchange that a request begins; `page` has its translated addresses."""
    path, query = _parts(head.target)
    transport = query.get("transport", "")
    link = None
    if _is_engine(head.method, query):
        link = Link(sessions, query.get("sid"), query["EIO"] == "3", path, transport)
    return Exchange(
        head.method, path, transport == "polling", "upgrade" in head.get("connection").lower(), link, page
    )


def _parts(target: str) -> tuple[str, dict[str, str]]:
    """Return path and query of a request's target."""
    try:
        parts = urlsplit(target)
        return parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()}
    except ValueError:
        return target.partition("?")[0], {}


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _answered(exchange: Exchange, head: Head, at: int) -> list[Record]:
    link = exchange.link
    if link is None:
        return []
    if head.status >= 300:
        return [refusal(link, exchange, head, at)]
    if not exchange.polling or exchange.method != "GET":
        return []
    return _frames(link, IN, exchange.response_body, head, at)


def _frames(
    link: Link, direction: Direction, body: bodies.Collected, head: Head | None, at: int
) -> list[Record]:
    frames, faults = read_frames(link, direction, body, head, at)
    return faults or [record for frame in frames for record in link.feed(direction, frame, at)]


def read_frames(
    link: Link, direction: Direction, body: bodies.Collected, head: Head | None, at: int
) -> tuple[list[Frame], list[Record]]:
    """Return the frames of a polling body, or the record of why they cannot be read."""
    try:
        data = body.decoded(head.get("content-encoding") if head else "")
        return Dialect(3 if link.is_old else 4).split_body(data, LIMITS), []
    except DecodeError as error:
        message = f"a polling body of the {SENDER[direction]}: {error}"
        return [], [link.note(Kind.PROTOCOL_ERROR, at, message=message)]
    except ValueError as error:
        message = f"a polling body of the {SENDER[direction]} is not shown: {error}"
        missing = {"direction": str(direction), "bytes": body.size}
        return [], [link.note(Kind.GAP, at, message=message, data=missing)]


def refusal(link: Link, exchange: Exchange, head: Head, at: int) -> Record:
    """Return the Record of an error response: the handshake was refused, or the session has ended."""
    body = _refusal_body(exchange, head)
    message = body.get("message") if isinstance(body, dict) else body
    if not isinstance(message, str) or message[:1] in ("", "<"):
        message = head.start[13:]
    if link.sid is None:
        why = f"HTTP {head.status}{message and f' {message!r}'}"
        link.report_refusal(why, exchange.page.sent_origin)
    return link.note(
        Kind.CLOSE if link.sid else Kind.CONNECT_ERROR,
        at,
        reason=f"HTTP {head.status}",
        message=message or None,
        data=body or None,
    )


def _refusal_body(exchange: Exchange, head: Head) -> Json:
    """Return the body of an error response: an object, or the start of a text."""
    try:
        text = exchange.response_body.decoded(head.get("content-encoding")).decode("utf-8", "replace")
    except ValueError:
        return None
    if len(text) > _MAX_TEXT:
        return text[:_MAX_TEXT]
    try:
        value = strict_json.load(text)
    except ValueError:
        return text
    return value if isinstance(value, (dict, str)) else text
