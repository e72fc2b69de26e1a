"""Relay bytes between a client and the server, optionally dropping or delaying packets.

Each connection ends as the other one does: closed, half-closed or reset.
"""

import asyncio
import contextlib
import socket
import struct

from nsroom.channel import Channel, now
from nsroom.proxy.addresses import Addresses, ForbiddenError
from nsroom.proxy.faults import Faults
from nsroom.proxy.holding import Holder
from nsroom.proxy.messages import Seen
from nsroom.proxy.sessions import Sessions
from nsroom.proxy.traffic import Conversation
from nsroom.proxy.upstream import Streams, Upstream
from nsroom.record import Direction, Kind, Record

IN, OUT = Direction.IN, Direction.OUT
_CHUNK = 65536
_LINGER = 2.0
"""Seconds to keep reading from a refused client: a reset would discard our response."""
_MAX_DELAYED = 2**20
"""Bytes that may be delayed at a time; then their sender must wait."""


class Outlet:
    """Sends data to one side at once."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._ended = False

    def put(self, data: bytes, _delay: float = 0.0) -> None:
        """Send data."""
        if data:
            self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the receiver has caught up. Raises: ConnectionError."""
        await self._writer.drain()

    @property
    def is_over(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._ended or self._writer.is_closing()

    def end(self) -> None:
        """Stop sending: half-close the connection, or close it if it uses TLS."""
        self._ended = True
        if self._writer.can_write_eof():
            self._writer.write_eof()
        else:
            self._writer.close()

    async def run(self) -> None:
        """Send delayed data until the end. Raises: ConnectionError."""


class DelayedOutlet(Outlet):
    """Sends data to one side in order, each piece after its delay."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer)
        self._queue: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._waiting = 0
        self._sent = asyncio.Event()
        self._now = asyncio.get_running_loop().time

    def put(self, data: bytes, delay: float = 0.0) -> None:
        """Send data after `delay` seconds, and after the data before it."""
        self._waiting += len(data)
        self._queue.put_nowait((self._now() + delay, data))

    async def drain(self) -> None:
        """Wait until less than the limit is delayed."""
        while self._waiting > _MAX_DELAYED:
            self._sent.clear()
            await self._sent.wait()

    def end(self) -> None:
        """Stop sending after the data before this."""
        self._ended = True
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Send delayed data until the end. Raises: ConnectionError."""
        while (item := await self._queue.get()) is not None:
            due, data = item
            await asyncio.sleep(due - self._now())
            super().put(data)
            await super().drain()
            self._waiting -= len(data)
            self._sent.set()
        super().end()


class Relay:
    """Passes data on in both directions, records its packets, and mirrors how each side ends."""

    def __init__(
        self,
        upstream: Upstream,
        addresses: Addresses,
        faults: Faults,
        sessions: Sessions,
        channel: Channel,
        holder: Holder | None = None,
    ) -> None:
        self._upstream = upstream
        self._faults = faults
        self._sessions = sessions
        self._channel = channel
        self._holder = holder
        self._conversation = Conversation(
            sessions, addresses, faults.drops if faults.drop else None, self._insert if holder else None
        )
        self._to_server: Outlet | None = None
        self._progress = asyncio.Event()
        """Set after data was passed on: an upgrade may be answered."""
        self._first_end: tuple[Direction, str] | None = None
        """The side that ended the connection first, and how it did."""

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay until both ends are done."""
        try:
            data = await reader.read(_CHUNK)
            if data:
                await self._relay((reader, writer), data)
            writer.close()
        except OSError:
            reset(writer)
        finally:
            # A connection that was closed normally still sends its last data; do not abort it.
            if not writer.is_closing():
                writer.transport.abort()

    async def _relay(self, client: Streams, data: bytes) -> None:
        try:
            server = await self._upstream.connect()
        except OSError as error:
            await self._refuse(client, "502 Bad Gateway", self._upstream.explain(error))
            return
        try:
            await self._mirror(client, server, data)
            server[1].close()
        except ForbiddenError as error:
            self._sessions.notices.report_forbidden(str(error))
            await self._refuse(client, "403 Forbidden", str(error))
        except OSError:
            reset(server[1])
            raise
        finally:
            if not server[1].is_closing():
                server[1].transport.abort()

    async def _refuse(self, client: Streams, status: str, reason: str) -> None:
        """Respond instead of the server, and close the connection."""
        self._show([self._sessions.note(Kind.CONNECT_ERROR, now(), message=reason)])
        reader, writer = client
        if self._conversation.is_idle:  # else this would be read as a part of another response
            body = f"nsroom proxy: {reason}\n".encode()
            writer.write(
                b"HTTP/1.1 %b\r\nContent-Type: text/plain; charset=utf-8\r\n"
                b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (status.encode(), len(body), body)
            )
        writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER):
                while await reader.read(_CHUNK):
                    continue

    async def _mirror(self, client: Streams, server: Streams, data: bytes) -> None:
        outlet = DelayedOutlet if self._faults.delay else Outlet
        self._to_server = to_server = outlet(server[1])
        to_client = outlet(client[1])
        coroutines = (
            self._pump(OUT, client[0], to_server, data),
            self._pump(IN, server[0], to_client),
            to_server.run(),
            to_client.run(),
        )
        tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._first_end is not None:
                self._show(self._conversation.close(*self._first_end, now()))

    async def _pump(
        self, direction: Direction, reader: asyncio.StreamReader, outlet: Outlet, data: bytes = b""
    ) -> None:
        """Pass one direction on until it ends."""
        data = data or await self._read(direction, reader)
        while data:
            await self._pass(direction, data, outlet)
            data = await self._read(direction, reader)
        seen = self._conversation.end(direction, now())
        self._show(seen.records)
        self._progress.set()
        outlet.put(seen.data)
        outlet.end()

    async def _read(self, direction: Direction, reader: asyncio.StreamReader) -> bytes:
        try:
            data = await reader.read(_CHUNK)
        except OSError:
            self._first_end = self._first_end or (direction, "reset the connection")
            raise
        if not data:
            self._first_end = self._first_end or (direction, "closed the connection")
        return data

    async def _pass(self, direction: Direction, data: bytes, outlet: Outlet) -> None:
        conversation = self._conversation
        while data:
            while direction is OUT and conversation.is_switching and not self._server_ended_first:
                self._progress.clear()
                await self._progress.wait()
            if not self._faults.delay and conversation.is_transparent(direction):
                # Send first, then parse: parsing does not delay the receiver.
                outlet.put(data)
                self._show(_records(conversation.feed(direction, data, now())), len(data))
            else:
                for seen in conversation.feed(direction, data, now()):
                    self._show(seen.records, len(seen.data))
                    if self._holder is not None and direction is OUT:
                        await self._holder.settle(conversation.posting)
                    outlet.put(seen.data, self._delay(seen.records))
            data = conversation.take_unread() if direction is OUT else b""
        self._progress.set()
        await outlet.drain()
        await self._channel.room()

    def _insert(self, data: bytes) -> None:
        """Send data to the server between the client's. Raises: ConnectionError."""
        if self._to_server is None or self._to_server.is_over:
            raise ConnectionResetError
        self._to_server.put(data)

    @property
    def _server_ended_first(self) -> bool:
        return self._first_end is not None and self._first_end[0] is IN

    def _delay(self, records: list[Record]) -> float:
        return self._faults.delay if any(map(self._faults.apply_to, records)) else 0.0

    def _show(self, records: list[Record], size: int = 0) -> None:
        if records:
            self._channel.put(records, size)


def _records(seen: list[Seen]) -> list[Record]:
    return seen[0].records if len(seen) == 1 else [record for each in seen for record in each.records]


def reset(writer: asyncio.StreamWriter) -> None:
    """Abort a connection so that the peer sees a reset."""
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # closed already
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
