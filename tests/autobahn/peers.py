"""The two sides under test, each behind a wire of raw bytes that echoes messages."""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nsroom.client.transports.asyncio_websocket import WebSocket
from nsroom.protocol.websocket import accept
from tests.autobahn.cases import BINARY, TEXT, Event, Frame
from tests.frames import MASK, frame

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
WAIT = 20
"""Seconds; for one step of a case."""
MAX_PAYLOAD = 2**24 + 2**10
"""Bytes that the server under test accepts: the largest case, and what is around its text."""
LIFTED = ("events_per_second", "events_burst", "bytes_per_second", "bytes_burst", "queued_bytes")
"""The server's limits that large cases would meet."""
_ECHO, _BINARY_ECHO = b'42/lab,["echo","', b'451-/lab,["echo",{"_placeholder":true,"num":0}]'
_LARGE = 4096
"""Bytes above which a mask of zeros saves time."""


@dataclass
class Wire:
    """The end of a connection that writes the frames of a case."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    masks: bool = False
    wrap: Callable[[Frame], list[Frame]] = lambda frame: [frame]
    unwrap: Callable[[Event], Event | None] = lambda event: event

    def encode(self, written: Frame) -> bytes:
        """Return the bytes of a frame."""
        mask = b"" if not self.masks else bytes(4) if len(written.data) > _LARGE else MASK
        data = frame(written.opcode, written.data, written.final, mask)
        return bytes([data[0] | written.reserved << 4]) + data[1:]

    async def read(self) -> Event:
        """Return the next frame. Raises: IncompleteReadError at the end; ConnectionError."""
        first, size = await self.reader.readexactly(2)
        assert first & 0xF0 == 0x80, "a fragment, or a reserved bit"
        assert bool(size & 0x80) is not self.masks, "a client masks its frames, a server does not"
        length = size & 0x7F
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
        mask = await self.reader.readexactly(4) if size & 0x80 else b""
        data = await self.reader.readexactly(length)
        return Event(first & 0x0F, _unmasked(data, mask) if mask else data)


def _unmasked(data: bytes, mask: bytes) -> bytes:
    pad = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(data), "big")


@asynccontextmanager
async def client() -> AsyncIterator[Wire]:
    """Connect the client's WebSocket, which sends every message back, and yield the server's end."""
    opened: asyncio.Future[Wire] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(f"{head}Sec-WebSocket-Accept: {accept(KEY)}\r\n\r\n".encode())
        opened.set_result(Wire(reader, writer))

    def on_messages(messages: Sequence[str | bytes]) -> None:
        for message in messages:
            websocket.send(message)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    _, websocket = await loop.create_connection(
        lambda: WebSocket(on_messages, lambda _: None), "127.0.0.1", port
    )
    try:
        async with asyncio.timeout(WAIT):
            await websocket.handshake("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            wire = await opened
        yield wire
    finally:
        websocket.abort()
        server.close()
        if opened.done():
            await _drop(opened.result().writer)


@asynccontextmanager
async def server() -> AsyncIterator[tuple[str, int]]:
    """Run `nsroom serve`, and yield its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nsroom", "serve", "--port", "0", "--history", "none"),
        *("--max-payload", str(MAX_PAYLOAD), "--drain", "0"),
        *(part for limit in LIFTED for part in ("--limit", f"{limit}={2**30}")),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    logs = None
    try:
        async with asyncio.timeout(WAIT):
            while not (
                found := re.search(rb"listening on http://(.*):(\d+)", await process.stderr.readline())
            ):
                assert not process.stderr.at_eof(), "the server did not start"
        logs = asyncio.create_task(process.stderr.read())
        yield found[1].decode(), int(found[2])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        if logs is not None:
            await logs


@asynccontextmanager
async def session(host: str, port: int) -> AsyncIterator[Wire]:
    """Open a session with the server in /lab, where `echo` sends its arguments back."""
    reader, writer = await asyncio.open_connection(host, port)
    wire = Wire(reader, writer, True, _wrapped, _unwrapped)
    try:
        async with asyncio.timeout(WAIT):
            await _open(wire, f"{host}:{port}")
        yield wire
    finally:
        await _drop(writer)


async def _drop(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def _open(wire: Wire, host: str) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Version: 13"
    wire.writer.write(
        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\n{offer}\r\nSec-WebSocket-Key: {KEY}\r\n\r\n".encode()
    )
    head = (await wire.reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert head.startswith("http/1.1 101 ")
    assert "sec-websocket-extensions" not in head, "compression, which 12.x and 13.x would have to try"
    assert (await wire.read()).data.startswith(b"0{")
    wire.writer.write(wire.encode(Frame(TEXT, b"40/lab,")))
    while not (await wire.read()).data.startswith(b"40/lab,"):
        continue


def _wrapped(frame: Frame) -> list[Frame]:
    """Return the frames that make a message an event, which the server sends back."""
    if frame.of == BINARY and frame.first:
        return [Frame(TEXT, _BINARY_ECHO), frame]
    if frame.of != TEXT:
        return [frame]
    data = frame.data.replace(b"\0", b"\\u0000")
    return [frame._replace(data=_ECHO * frame.first + data + b'"]' * frame.last)]


def _unwrapped(event: Event) -> Event | None:
    """Return the message in an event of the server, or None for other packets."""
    if event.opcode != TEXT:
        return event
    if not event.data.startswith(_ECHO):
        return None
    return Event(TEXT, json.loads(event.data[event.data.index(b"[") :])[1].encode())
