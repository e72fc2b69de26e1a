"""Engine.IO by hand, over aiohttp: one packet at a time, valid or not."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from nsroom_server.app import Running
from tests.frames import masked
from tests.server.member import WAIT, Json

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLOSED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)


def endpoint(running: Running, transport: str, sid: str | None = None) -> str:
    return f"{running.url}/socket.io/?EIO=4&transport={transport}" + (f"&sid={sid}" if sid else "")


class Polling:
    """One polling session."""

    def __init__(self, http: aiohttp.ClientSession, running: Running, sid: str) -> None:
        self.http, self.url, self.sid = http, endpoint(running, "polling", sid), sid

    async def get(self) -> tuple[int, str]:
        async with self.http.get(self.url) as response:
            return response.status, await response.text()

    async def post(self, body: str | bytes) -> int:
        async with self.http.post(self.url, data=body) as response:
            return response.status


async def handshake(http: aiohttp.ClientSession, running: Running) -> Json:
    async with http.get(endpoint(running, "polling")) as response:
        return json.loads((await response.text())[1:])


async def poll(http: aiohttp.ClientSession, running: Running) -> Polling:
    """Open a polling session and connect it to the root namespace."""
    session = Polling(http, running, (await handshake(http, running))["sid"])
    assert await session.post("40") == 200
    answer = (await session.get())[1]
    assert answer.startswith("40{")
    if "hi" not in answer:
        assert "hi" in (await session.get())[1]
    return session


@asynccontextmanager
async def websocket(
    http: aiohttp.ClientSession, running: Running
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a WebSocket and connect it to the root namespace."""
    async with http.ws_connect(endpoint(running, "websocket")) as ws:
        assert (await ws.receive_str(timeout=WAIT))[0] == "0"
        await ws.send_str("40")
        assert (await ws.receive_str(timeout=WAIT)).startswith("40{")
        assert await ws.receive_str(timeout=WAIT) == '42["hi","everyone!"]'
        yield ws


async def closing(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    """Wait until the server closes, and return the code."""
    while (await ws.receive(timeout=WAIT)).type not in CLOSED:
        continue
    return ws.close_code


@asynccontextmanager
async def tcp(running: Running) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _connect_reading_little(port: int) -> Streams:
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return await asyncio.open_connection(sock=sock)
    except BaseException:
        sock.close()
        raise


@asynccontextmanager
async def raw_websocket(running: Running, namespace: str = "/") -> AsyncIterator[Streams]:
    """Open a WebSocket that answers nothing by itself and buffers little, and connect it to a namespace."""
    reader, writer = await _connect_reading_little(running.port)
    writer.write(HANDSHAKE)
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked("40" if namespace == "/" else f"40{namespace},"))
        await reader.readuntil(b"everyone!")
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def raw_closing(reader: asyncio.StreamReader) -> int | None:
    """Wait for a CLOSE frame on a raw WebSocket, and return its code, or None if it ends without one."""
    read = b""
    async with asyncio.timeout(WAIT):
        while read[-4:-2] != b"\x88\x02":
            chunk = await reader.read(65536)
            if not chunk:
                return None
            read = (read + chunk)[-16:]
    return int.from_bytes(read[-2:])
