"""One client's TCP connection and the one to the server that mirrors it."""

import asyncio
import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass
from errno import ECONNREFUSED, EHOSTUNREACH, ENETUNREACH

from nsroom.channel import Channel, now
from nsroom.proxy.faults import Faults
from nsroom.proxy.sessions import Sessions
from nsroom.proxy.traffic import Conversation, Edit, Seen
from nsroom.record import Direction, Kind, Record

IN, OUT = Direction.IN, Direction.OUT
_CHUNK = 65536
_LINGER = 2.0
"""Seconds that a refused client may go on sending: a reset would take our answer from it."""
_MAX_DELAYED = 2**20
"""Bytes that may wait for their time; then their sender waits too."""


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Upstream:
    """The server."""

    url: str
    host: str
    port: int
    tls: ssl.SSLContext | None
    timeout: float
    """Seconds for the connection, TLS included."""

    async def connect(self) -> Streams:
        """Open a connection. Raises: OSError, also its TimeoutError and ssl.SSLError."""
        name = self.host if self.tls else None
        async with asyncio.timeout(self.timeout):
            return await asyncio.open_connection(self.host, self.port, ssl=self.tls, server_hostname=name)

    def explain(self, error: OSError) -> str:
        """Say why there is no connection."""
        return f"cannot reach {self.url}: {self._cause(error)}"

    def _cause(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"no connection within {self.timeout:g} s: a firewall, or the wrong address?"
        if isinstance(error, ssl.SSLCertVerificationError):
            told = error.verify_message
            return (
                f"its certificate is not trusted ({told}): give its authority with --cacert, or -k to go on"
            )
        if isinstance(error, ssl.SSLError):
            return f"TLS failed ({error.reason or error}): is it http:// instead of https://?"
        if isinstance(error, socket.gaierror):
            return f"no such host: {self.host}"
        # Where a name has several addresses, asyncio joins their errors to one without a number.
        if error.errno == ECONNREFUSED or f"[Errno {ECONNREFUSED}]" in str(error):
            return f"nothing listens on {self.host} port {self.port}: start the server"
        if error.errno in (EHOSTUNREACH, ENETUNREACH):
            return f"no route to {self.host}: is the network, or a VPN, up?"
        return (error.strerror or str(error) or type(error).__name__).lower()


class Outlet:
    """Sends at once."""

    def __init__(self, sink: asyncio.StreamWriter) -> None:
        self._sink = sink

    def put(self, data: bytes, _delay: float = 0.0) -> None:
        """Send these."""
        if data:
            self._sink.write(data)

    async def drain(self) -> None:
        """Wait while the other side takes nothing. Raises: ConnectionError."""
        await self._sink.drain()

    def end(self) -> None:
        """Send no more: half-close, where the connection can be (TLS cannot)."""
        if self._sink.can_write_eof():
            self._sink.write_eof()
        else:
            self._sink.close()

    async def run(self) -> None:
        """Do what is to be done beside. Raises: ConnectionError."""


class DelayedOutlet(Outlet):
    """Sends everything in its order, and nothing before its time."""

    def __init__(self, sink: asyncio.StreamWriter) -> None:
        super().__init__(sink)
        self._queue: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._waiting = 0
        self._room = asyncio.Event()
        self._now = asyncio.get_running_loop().time

    def put(self, data: bytes, delay: float = 0.0) -> None:
        """Send these after so many seconds, and after what is before them."""
        self._waiting += len(data)
        self._queue.put_nowait((self._now() + delay, data))

    async def drain(self) -> None:
        """Wait while too much waits."""
        while self._waiting > _MAX_DELAYED:
            self._room.clear()
            await self._room.wait()

    def end(self) -> None:
        """Send no more after this."""
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Send what is due. Raises: ConnectionError."""
        while (item := await self._queue.get()) is not None:
            due, data = item
            await asyncio.sleep(due - self._now())
            super().put(data)
            await super().drain()
            self._waiting -= len(data)
            self._room.set()
        super().end()


class Relay:
    """Passes on what both ends say, looks at it, and ends one as the other ends."""

    def __init__(
        self, upstream: Upstream, edit: Edit, faults: Faults, sessions: Sessions, channel: Channel
    ) -> None:
        self._upstream = upstream
        self._faults = faults
        self._sessions = sessions
        self._channel = channel
        self._conversation = Conversation(sessions, edit, faults.drops if faults.drop else None)
        self._answered = asyncio.Event()
        self._first: tuple[Direction, str] | None = None
        """Who ended the connection, and how."""

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
            # Of what was closed in order nothing is left to abort.
            if not writer.is_closing():
                writer.transport.abort()

    async def _relay(self, client: Streams, data: bytes) -> None:
        try:
            server = await self._upstream.connect()
        except OSError as error:
            await self._refuse(client, self._upstream.explain(error))
            return
        try:
            await self._mirror(client, server, data)
            server[1].close()
        except OSError:
            reset(server[1])
            raise
        finally:
            if not server[1].is_closing():
                server[1].transport.abort()

    async def _refuse(self, client: Streams, why: str) -> None:
        """Answer for a server that cannot be reached."""
        self._show([self._sessions.note(Kind.CONNECT_ERROR, now(), message=why)])
        reader, writer = client
        body = f"nsroom proxy: {why}\n".encode()
        writer.write(
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
        )
        writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER):
                while await reader.read(_CHUNK):
                    continue

    async def _mirror(self, client: Streams, server: Streams, data: bytes) -> None:
        kind = DelayedOutlet if self._faults.delay else Outlet
        to_server, to_client = kind(server[1]), kind(client[1])
        work = (
            self._pump(OUT, client[0], to_server, data),
            self._pump(IN, server[0], to_client),
            to_server.run(),
            to_client.run(),
        )
        tasks = [asyncio.create_task(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._first is not None:
                self._show(self._conversation.close(*self._first, now()))

    async def _pump(
        self, way: Direction, source: asyncio.StreamReader, outlet: Outlet, data: bytes = b""
    ) -> None:
        """Pass one direction on, to its end."""
        data = data or await self._read(way, source)
        while data:
            await self._pass(way, data, outlet)
            data = await self._read(way, source)
        seen = self._conversation.end(way, now())
        self._show(seen.records)
        self._answered.set()
        outlet.put(seen.data)
        outlet.end()

    async def _read(self, way: Direction, source: asyncio.StreamReader) -> bytes:
        try:
            data = await source.read(_CHUNK)
        except OSError:
            self._first = self._first or (way, "reset the connection")
            raise
        if not data:
            self._first = self._first or (way, "closed the connection")
        return data

    async def _pass(self, way: Direction, data: bytes, outlet: Outlet) -> None:
        conversation = self._conversation
        while way is OUT and conversation.is_switching and not self._ended(IN):
            self._answered.clear()
            await self._answered.wait()
        if not self._faults.delay and conversation.is_transparent(way):
            # First on the way, then looked at: so it costs the other side no time.
            outlet.put(data)
            self._show(_records(conversation.feed(way, data, now())), len(data))
        else:
            for seen in conversation.feed(way, data, now()):
                self._show(seen.records, len(seen.data))
                outlet.put(seen.data, self._delay(seen.records))
        self._answered.set()
        await outlet.drain()
        await self._channel.room()

    def _ended(self, way: Direction) -> bool:
        return self._first is not None and self._first[0] is way

    def _delay(self, records: list[Record]) -> float:
        return self._faults.delay if any(map(self._faults.apply_to, records)) else 0.0

    def _show(self, records: list[Record], size: int = 0) -> None:
        if records:
            self._channel.put(records, size)


def _records(seen: list[Seen]) -> list[Record]:
    return seen[0].records if len(seen) == 1 else [record for each in seen for record in each.records]


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection so that the other side sees a reset, as we did."""
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # it is closed already
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
