"""A proxy in the test's event loop with its records, and raw peers on both sides."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from nsroom.proxy.interceptor import Interceptor
from nsroom.proxy.server import Plan, Proxy
from nsroom.record import Frame, Record

WAIT = 30.0
"""Seconds for something that should happen at once."""
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %b\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


class Sink:
    """A port that keeps what it sent."""

    def __init__(self) -> None:
        self.sent: list[Frame] = []

    def put(self, frames: list[Frame]) -> None:
        self.sent += frames

    def take(self) -> list[Frame]:
        return []


@dataclass(slots=True)
class Relayed:
    """A listening proxy and its records."""

    url: str
    proxy: Proxy
    said: list[str]
    """The lines for the user."""
    records: list[Record] = field(default_factory=list)
    _added: asyncio.Event = field(default_factory=asyncio.Event)

    async def told(self, text: str) -> None:
        """Wait for a line for the user that contains a text."""
        async with asyncio.timeout(WAIT):
            while not any(text in line for line in self.said):
                self._added.clear()
                await self._added.wait()

    @property
    def interceptor(self) -> Interceptor:
        assert self.proxy.interceptor
        return self.proxy.interceptor

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def seen(self, **fields: Any) -> Record:
        """Wait for a record with these fields, and return it."""
        async with asyncio.timeout(WAIT):
            while True:
                for record in self.records:
                    if all(getattr(record, key) == value for key, value in fields.items()):
                        return record
                self._added.clear()
                await self._added.wait()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def collect(self, proxy: Proxy) -> None:
        async for records in proxy.records():
            self.records += records
            self._added.set()


@asynccontextmanager
async def relaying(url: str, **options: Any) -> AsyncIterator[Relayed]:
    """Relay to a server; the options are those of a Plan."""
    said: list[str] = []
    added = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        added.set()

    proxy = Proxy(Plan(url, **options), say)
    async with proxy.listening("127.0.0.1", 0) as listening:
        relayed = Relayed(listening, proxy, said, _added=added)
        collecting = asyncio.create_task(relayed.collect(proxy))
        failing = asyncio.create_task(proxy.failed())
        try:
            yield relayed
        finally:
            assert not failing.done()
            for task in (collecting, failing):
                task.cancel()
            await asyncio.gather(collecting, failing, return_exceptions=True)


@asynccontextmanager
async def raw_server(talk: Peer) -> AsyncIterator[str]:
    """Serve TCP with `talk` and yield the URL; at exit, wait until every connection has ended."""
    conversations: list[asyncio.Task[None]] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.append(asyncio.create_task(converse(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        async with asyncio.timeout(WAIT):
            await asyncio.gather(*conversations)


def reset(writer: asyncio.StreamWriter) -> None:
    """Reset a connection."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def drained(reader: asyncio.StreamReader) -> bytes:
    """Read until the end."""
    async with asyncio.timeout(WAIT):
        return await reader.read()


async def is_reset(reader: asyncio.StreamReader) -> bool:
    """Wait for the end, and return whether it was a reset."""
    try:
        await drained(reader)
    except ConnectionResetError:
        return True
    return False


@contextlib.asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close the writer at exit."""
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
