"""Long polling of intercepted sessions: the proxy answers the client's requests, and makes its own.

So a packet of ours reaches a client that polls at once, while the server's answer is still awaited: the next
request of the client then waits for that answer. And packets that are forwarded later, or our own, are posted
in a request of their own. Servers refuse two POSTs of a session at a time, so they take turns.

A request of which every packet waits carries a heartbeat instead, and such a response a NOOP.
"""

import asyncio
import contextlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from nsroom.channel import Channel, now
from nsroom.protocol import http11
from nsroom.protocol.dialect import NOOP
from nsroom.protocol.http11 import Body, End, Head
from nsroom.proxy.bodies import Collected
from nsroom.proxy.intercepting import IN, OUT, Interception, Session
from nsroom.proxy.rewriting import plain, polling_body
from nsroom.proxy.sessions import MAX_SESSIONS, Link
from nsroom.proxy.traffic import Exchange, read_frames, refusal
from nsroom.proxy.upstream import Upstream
from nsroom.record import Direction, Frame, Kind, Record

_CHUNK = 65536
_ONCE = (
    "Accept-Encoding",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Expect",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Transfer-Encoding",
)
"""Headers that are about one connection or one body."""
_TEXT = {"Content-Type": "text/plain; charset=UTF-8"}
_METHOD = re.compile(rb"\A[^ ]+")


class NoAnswerError(Exception):
    """The server cannot be reached, or its response cannot be read."""


class Response(NamedTuple):
    """A response of the server."""

    head: Head
    body: bytes


class Request(NamedTuple):
    """A polling request of a client, and its session."""

    head: bytes
    """As the server receives it."""
    exchange: Exchange
    link: Link
    body: Collected
    change: Callable[[Head], bytes]
    """Returns a response's head as the client receives it."""


class Outbox:
    """The frames for one side until a request or a response takes them."""

    def __init__(self, ready: Callable[[], object]) -> None:
        """`ready` is called when there are frames."""
        self._ready = ready
        self._frames: list[Frame] = []

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frames: list[Frame]) -> None:
        """Add frames."""
        self._frames += frames
        self._ready()

    def take(self) -> list[Frame]:
        """Return all frames, which are sent now."""
        frames, self._frames = self._frames, []
        return frames


class Poll:
    """The polling transport of one session."""

    def __init__(self, session: Session, post: Callable[["Poll"], None]) -> None:
        """`post` posts soon what is in the outbox for the server."""
        self.session = session
        self.request = b""
        """The head of the last request, as the server receives it."""
        self.response = b"HTTP/1.1 200 OK\r\n\r\n"
        """The head of the last response with packets, as the client receives it."""
        self.upstream: asyncio.Task[Response] | None = None
        """The poll that the server has not answered yet."""
        self.turn = asyncio.Lock()
        """Held while a POST is under way."""
        self.filled, self.taken = asyncio.Event(), asyncio.Event()
        """Whether there are packets for the client, or not."""
        self.to_server = Outbox(partial(post, self))
        self.to_client = Outbox(self._handle_filled)
        if not session.ports or isinstance(session.ports[OUT], Outbox):  # else it has upgraded
            session.use({OUT: self.to_server, IN: self.to_client})

    def take_for_client(self) -> list[Frame]:
        """Return the frames for the client's next response."""
        self.filled.clear()
        self.taken.set()
        return self.to_client.take()

    def _handle_filled(self) -> None:
        self.filled.set()
        self.taken.clear()


class Polling:
    """The polling sessions of a proxy."""

    def __init__(
        self, upstream: Upstream, interception: Interception, channel: Channel, say: Callable[[str], None]
    ) -> None:
        self._upstream = upstream
        self._interception = interception
        self._channel = channel
        self._say = say
        self._polls: OrderedDict[str, Poll] = OrderedDict()
        self._posts: set[asyncio.Task[None]] = set()

    async def sent(self) -> None:
        """Wait until every packet is in a response to a client, or posted to the server."""
        for poll in list(self._polls.values()):
            while poll.to_client:
                await poll.taken.wait()
        if self._posts:
            await asyncio.wait(self._posts)

    async def close(self) -> None:
        """Cancel the requests under way."""
        polls = [poll.upstream for poll in self._polls.values() if poll.upstream is not None]
        tasks = [*self._posts, *polls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def session(self, link: Link) -> Session:
        """Return the session of a request."""
        return self._find(link).session

    async def answer(self, request: Request) -> bytes:
        """Return the response to a client's request.

        Raises: NoAnswerError.
        """
        poll = self._find(request.link)
        poll.request = request.head
        if request.exchange.method == "POST":
            return await self._post(poll, request)
        return await self._get(poll, request)

    def _find(self, link: Link) -> Poll:
        poll = self._polls.get(link.sid) if link.sid else None
        if poll is None:
            poll = Poll(self._interception.open(link), self._start_post)
            self._keep(link.sid, poll)
        poll.session.link = link
        return poll

    def _keep(self, sid: str | None, poll: Poll) -> None:
        """Store the polling transport of a session, once its handshake has assigned a sid."""
        if sid is not None and sid not in self._polls:
            self._interception.register(poll.session)
            self._polls[sid] = poll
            if len(self._polls) > MAX_SESSIONS:
                self._polls.popitem(last=False)

    async def _get(self, poll: Poll, request: Request) -> bytes:
        while not poll.to_client:
            if poll.upstream is None:
                head = _with_body(request.head, b"")
                poll.upstream = asyncio.create_task(self._ask(head, "GET"))
            upstream = poll.upstream
            await self._answered_or_filled(poll, upstream)
            # Another request of the client may have taken this response, or have cancelled the poll.
            if poll.upstream is upstream and upstream.done():
                poll.upstream = None
                return self._received(poll, request, upstream.result())
        return _with_body(poll.response, _body(poll, poll.take_for_client(), IN), _TEXT)

    async def _answered_or_filled(self, poll: Poll, upstream: "asyncio.Task[Response]") -> None:
        """Wait until the server answers, or there is a packet for the client."""
        filled = asyncio.create_task(poll.filled.wait())
        try:
            await asyncio.wait({upstream, filled}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the client is gone, and the server must see that
            upstream.cancel()
            poll.upstream = None
            raise
        finally:
            filled.cancel()

    def _received(self, poll: Poll, request: Request, response: Response) -> bytes:
        """Return the response for the client to one of the server."""
        head, body = request.change(response.head), response.body
        if response.head.status != 200:
            self._refused(poll, request, response)
            return _with_body(head, body)
        collected = Collected(len(body), len(body), bytearray(body))
        frames, records = read_frames(request.link, IN, collected, None, now())
        before = self._pass(poll, request.link, IN, frames, records)
        self._keep(request.link.sid, poll)
        poll.response = head
        after = poll.take_for_client()
        if after == before:
            return _with_body(head, body)
        return _with_body(head, _body(poll, after or [NOOP], IN), _TEXT)

    async def _post(self, poll: Poll, request: Request) -> bytes:
        frames, records = read_frames(request.link, OUT, request.body, None, now())
        before = self._pass(poll, request.link, OUT, frames, records)
        async with poll.turn:
            after = poll.to_server.take()
            if after == before:
                sent = _with_body(request.head, bytes(request.body.data))
            else:
                beat = "2" if request.link.is_old else "3"
                sent = _with_body(request.head, _body(poll, after or [beat], OUT), _TEXT)
            response = await self._deliver(poll, sent, after, before)
        if response.head.status != 200:
            self._refused(poll, request, response)
        return _with_body(request.change(response.head), response.body)

    def _pass(
        self, poll: Poll, link: Link, direction: Direction, frames: list[Frame], records: list[Record]
    ) -> list[Frame]:
        """Pass frames through the session and show their records; return the frames as they arrived."""
        at, port = now(), poll.to_server if direction is OUT else poll.to_client
        arrived = []
        for frame in frames:
            arrived.append(plain(frame, link.is_old))
            seen = link.feed(direction, frame, at)
            records += poll.session.handle(direction, arrived[-1], seen, port, at)
        if any(record.kind is Kind.CLOSE for record in records):
            records += self._end(poll, at)
        self._show(records)
        return arrived

    def _end(self, poll: Poll, at: int) -> list[Record]:
        """Handle the end of a session that did not upgrade; return the records of its lost packets."""
        if poll.session.ports.get(OUT) is not poll.to_server:
            return []
        self._polls.pop(poll.session.link.sid or "", None)
        return poll.session.end(at)

    def _refused(self, poll: Poll, request: Request, response: Response) -> None:
        """Handle an error response: the handshake was refused, or the session has ended."""
        at, exchange = now(), request.exchange
        exchange.response_body.add(response.body)
        record = refusal(request.link, exchange, response.head, at)
        self._show([*self._end(poll, at), record])

    def _start_post(self, poll: Poll) -> None:
        task = asyncio.create_task(self._post_own(poll))
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def _post_own(self, poll: Poll) -> None:
        """Post the packets that no request of the client has taken before."""
        async with poll.turn:
            frames = poll.to_server.take()
            if not frames:
                return
            head = _METHOD.sub(b"POST", poll.request)
            with contextlib.suppress(NoAnswerError):  # reported
                await self._deliver(poll, _with_body(head, _body(poll, frames, OUT), _TEXT), frames, [])

    async def _deliver(self, poll: Poll, request: bytes, sent: list[Frame], asked: list[Frame]) -> Response:
        """Make a POST, and report if it fails; `sent` are its packets. Raises: NoAnswerError."""
        try:
            response = await self._ask(request, "POST")
        except NoAnswerError as error:
            self._report_lost(poll, sent, asked, str(error))
            raise
        if response.head.status != 200:
            self._report_lost(poll, sent, asked, f"the server answered {response.head.start[9:60]}")
        return response

    def _report_lost(self, poll: Poll, sent: list[Frame], asked: list[Frame], why: str) -> None:
        """Report that a POST failed, if it had other packets than those that the client asks to send."""
        if not sent or sent == asked:
            return
        text = f"packets to the server were not delivered: {why}"
        self._show([poll.session.link.note(Kind.GAP, now(), message=text)])
        self._say(text)

    async def _ask(self, request: bytes, method: str) -> Response:
        """Send a request on a connection of its own. Raises: NoAnswerError."""
        try:
            reader, writer = await self._upstream.connect()
        except OSError as error:
            raise NoAnswerError(self._upstream.explain(error)) from None
        try:
            writer.write(request)
            await writer.drain()
            return await _read_response(reader, method)
        except (OSError, ValueError) as error:
            raise NoAnswerError(f"no response of {self._upstream.url} can be read: {error}") from None
        finally:
            writer.transport.abort()

    def _show(self, records: list[Record]) -> None:
        if records:
            self._channel.put(records)


async def _read_response(reader: asyncio.StreamReader, method: str) -> Response:
    """Return a whole response. Raises: OSError, ValueError with the reason."""
    parser = http11.Reader(lambda head: http11.response_framing(head, method), b"HTTP/1.")
    head: Head | None = None
    body = Collected()
    while data := await reader.read(_CHUNK):
        for part in parser.feed(data):
            if isinstance(part, Head):
                head = part if part.status >= 200 else None
            elif isinstance(part, Body):
                body.add(part.data)
            elif not isinstance(part, End):
                raise ValueError(part.reason)
            elif head is not None:
                return Response(head, body.decoded(head.get("content-encoding")))
    if head is None or not parser.is_unbounded:
        raise ValueError("the connection was closed before its end")
    return Response(head, body.decoded(head.get("content-encoding")))


def _body(poll: Poll, frames: list[Frame], direction: Direction) -> bytes:
    return polling_body(frames, direction, poll.session.dialect)


def _with_body(head: bytes, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a message with this body, for a connection that carries only this one."""
    for name in _ONCE:
        head = http11.drop_header(head, name)
    own = {"Content-Length": str(len(body))} if body or not head.startswith(b"GET") else {}
    return http11.replace_headers(head, {**(headers or {}), **own, "Connection": "close"}) + body
