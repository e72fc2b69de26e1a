"""Relay one client's connection while packets wait: its WebSocket is rewritten, its polls are answered."""

import asyncio
from typing import NamedTuple

from nsroom.channel import Channel
from nsroom.protocol import http11
from nsroom.protocol.http11 import Body, End, Head
from nsroom.proxy.addresses import Addresses, ForbiddenError
from nsroom.proxy.bodies import Collected
from nsroom.proxy.faults import Faults
from nsroom.proxy.intercepted_socket import InterceptedSocket
from nsroom.proxy.interceptor import Interceptor
from nsroom.proxy.polling import NoAnswerError, Request
from nsroom.proxy.relay import IN, OUT, Outlet, Relay
from nsroom.proxy.sessions import Link, Sessions
from nsroom.proxy.traffic import Conversation, is_poll, read_exchange
from nsroom.proxy.upstream import Streams, Upstream
from nsroom.record import Direction

_CHUNK = 65536


class _Poll(NamedTuple):
    """A polling request as the client sent it."""

    head: Head
    body: Collected


class InterceptingRelay(Relay):
    """Relays a connection whose packets may wait."""

    def __init__(
        self,
        upstream: Upstream,
        addresses: Addresses,
        sessions: Sessions,
        channel: Channel,
        interceptor: Interceptor,
    ) -> None:
        super().__init__(upstream, addresses, Faults(), sessions, channel)
        self._addresses = addresses
        self._interceptor = interceptor
        self._socket: InterceptedSocket | None = None
        self._writers: dict[Direction, asyncio.StreamWriter] = {}
        self._conversation = Conversation(sessions, addresses, intercept=self._open_socket)

    def _open_socket(self, link: Link) -> InterceptedSocket:
        self._socket = InterceptedSocket(link, self._interceptor.interception, self._write)
        return self._socket

    def _write(self, direction: Direction, data: bytes) -> None:
        writer = self._writers[direction]
        if data and not writer.is_closing():
            writer.write(data)

    async def _mirror(self, client: Streams, server: Streams, data: bytes) -> None:
        self._writers = {IN: client[1], OUT: server[1]}
        self._interceptor.writers |= {client[1], server[1]}
        try:
            await super()._mirror(client, server, data)
        finally:
            self._interceptor.writers -= {client[1], server[1]}

    async def _pass(self, direction: Direction, data: bytes, outlet: Outlet) -> None:
        await super()._pass(direction, data, outlet)
        if self._socket is not None:
            socket = self._socket
            await self._interceptor.room(lambda: socket.is_waiting(direction))

    async def _relay(self, client: Streams, data: bytes) -> None:
        request = await _read_poll(client[0], data)
        if not request:
            return
        if isinstance(request, bytes):
            await super()._relay(client, request)
            return
        try:
            await self._answer(client, request)
        except ForbiddenError as error:
            self._sessions.notices.report_forbidden(str(error))
            await self._refuse(client, "403 Forbidden", str(error))
        except NoAnswerError as error:
            await self._refuse(client, "502 Bad Gateway", str(error))

    async def _answer(self, client: Streams, poll: _Poll) -> None:
        """Answer a polling request, unless the client closes the connection before."""
        raw, page = self._addresses.request(poll.head)
        exchange = read_exchange(poll.head, self._sessions, page)
        assert exchange.link is not None  # as `is_poll` has checked
        request = Request(
            raw, exchange, exchange.link, poll.body, lambda head: self._addresses.response(head, page)
        )
        answering = asyncio.create_task(self._respond(client[1], request))
        closed = asyncio.create_task(client[0].read(1))
        try:
            await asyncio.wait({answering, closed}, return_when=asyncio.FIRST_COMPLETED)
            if closed.done() and not closed.result():
                return
            await answering
        finally:
            self._interceptor.writers.discard(client[1])
            for task in (answering, closed):
                task.cancel()
            await asyncio.gather(answering, closed, return_exceptions=True)

    async def _respond(self, writer: asyncio.StreamWriter, request: Request) -> None:
        self._interceptor.writers.add(writer)
        writer.write(await self._interceptor.answer(request))
        await writer.drain()


async def _read_poll(reader: asyncio.StreamReader, data: bytes) -> _Poll | bytes:
    """Return the polling request that a connection starts with, or else the bytes that were read.

    Nothing if the connection ends within such a request.
    """
    parser = http11.Reader(http11.request_framing)
    head: Head | None = None
    body, read = Collected(), b""
    while data:
        read += data if head is None else b""
        for part in parser.feed(data):
            if isinstance(part, Head) and is_poll(part):
                head = part
            elif isinstance(part, Body):
                body.add(part.data)
            elif isinstance(part, End) and head is not None:
                return _Poll(head, body)
            else:
                return read
        data = await reader.read(_CHUNK)
    return read if head is None else b""
