"""What may stand between a client and its server, and what it does wrong: one context manager each.

They relay TCP and look at the head of the first request only: whoever asks twice connects twice.
"""

import asyncio
import base64
import contextlib
import itertools
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from tests.peers.bad import tcp

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Relay = Callable[[bytes, Streams], Awaitable[None]]
Proxy = AbstractAsyncContextManager[str]
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def _listening(relay: Relay) -> Proxy:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await relay(await reader.readuntil(b"\r\n\r\n"), (reader, writer))

    return tcp(converse)


async def _connect(url: str) -> Streams:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def _pass(head: bytes, client: Streams, url: str, hold: float = 0.0) -> None:
    """Relay until either side ends; with `hold` the answer comes so many seconds late."""
    server = await _connect(url)
    server[1].write(head)
    ways = [
        asyncio.create_task(_pump(client[0], server[1])),
        asyncio.create_task(_pump(server[0], client[1], hold)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server[1].close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, hold: float = 0.0) -> None:
    while data := await source.read(65536):
        await asyncio.sleep(hold)
        sink.write(data)
        await sink.drain()


def balances(*urls: str) -> Proxy:
    """Give each connection to the next server, and remember nothing."""
    turns = itertools.cycle(urls)
    return _listening(lambda head, client: _pass(head, client, next(turns)))


def balances_by_cookie(*urls: str) -> Proxy:
    """… and remember by a cookie: the server's number."""
    turns = itertools.cycle(range(len(urls)))

    async def relay(head: bytes, client: Streams) -> None:
        known = re.search(rb"node=(\d)", head)
        number = int(known[1]) if known else next(turns)
        server = await _connect(urls[number])
        server[1].write(head)
        pumping = asyncio.create_task(_pump(client[0], server[1]))
        try:
            answer = await server[0].readuntil(b"\r\n")
            client[1].write(answer + b"Set-Cookie: node=%d\r\n" % number)
            await _pump(server[0], client[1])
        finally:
            server[1].close()
            pumping.cancel()
            await asyncio.gather(pumping, return_exceptions=True)

    return _listening(relay)


def drops_upgrade(url: str) -> Proxy:
    """Pass requests on without the headers of a WebSocket, as nginx does unless told otherwise."""

    async def relay(head: bytes, client: Streams) -> None:
        plain = re.sub(rb"(?im)^(upgrade|connection):.*\r\n", b"", head)
        await _pass(plain.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), client, url)

    return _listening(relay)


def holds_polls(url: str, seconds: float) -> Proxy:
    """Hand on the answer to a poll only after a while."""

    async def relay(head: bytes, client: Streams) -> None:
        is_poll = head.startswith(b"GET") and b"sid=" in head and b"polling" in head
        await _pass(head, client, url, seconds if is_poll else 0.0)

    return _listening(relay)


def one_at_a_time(url: str) -> Proxy:
    """Handle a request only when the one before it is done."""
    turn = asyncio.Lock()

    async def relay(head: bytes, client: Streams) -> None:
        async with turn:
            await _pass(head, client, url)

    return _listening(relay)


def limits_bodies(url: str, size: int) -> Proxy:
    """Refuse larger bodies with 413."""

    async def relay(head: bytes, client: Streams) -> None:
        length = _LENGTH.search(head)
        if not length or int(length[1]) <= size:
            await _pass(head, client, url)
            return
        client[1].write(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while await client[0].read(65536):
            continue

    return _listening(relay)


def loses_bodies(url: str, size: int) -> Proxy:
    """Take larger bodies with 200, and lose them."""

    async def relay(head: bytes, client: Streams) -> None:
        length = _LENGTH.search(head)
        if not length or int(length[1]) <= size:
            await _pass(head, client, url)
            return
        await client[0].readexactly(int(length[1]))
        client[1].write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await client[1].drain()

    return _listening(relay)


def adds_header(url: str, header: bytes) -> Proxy:
    """Add a header to each answer."""

    async def relay(head: bytes, client: Streams) -> None:
        server = await _connect(url)
        server[1].write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        try:
            status = await server[0].readuntil(b"\r\n")
            client[1].write(status + header + b"\r\n")
            await _pump(server[0], client[1])
        finally:
            server[1].close()

    return _listening(relay)


def blocks_posts(url: str, answer: bytes) -> Proxy:
    """Answer each POST with this status line, or never if it is empty."""

    async def relay(head: bytes, client: Streams) -> None:
        if not head.startswith(b"POST"):
            await _pass(head, client, url)
            return
        if answer:
            client[1].write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while await client[0].read(65536):
            continue

    return _listening(relay)


def cuts(url: str, seconds: float) -> Proxy:
    """End every connection after a while."""

    async def relay(head: bytes, client: Streams) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await _pass(head, client, url)

    return _listening(relay)


def forwards(seen: list[str], password: str | None = None, allows_tunnels: bool = True) -> Proxy:
    """Forward HTTP and open tunnels, as the proxy of a company does; note what it was asked in `seen`."""
    wanted = f"proxy-authorization: basic {base64.b64encode((password or '').encode()).decode()}".lower()

    async def relay(head: bytes, client: Streams) -> None:
        method, place, _ = head.decode().split(" ", 2)
        seen.append(f"{method} {place.partition('?')[0]}")
        if password is not None and wanted not in head.decode().lower():
            await _answer(client, "407 Proxy Authentication Required")
        elif method != "CONNECT":
            url = urlsplit(place)
            rest = head.partition(b" HTTP/1.1\r\n")[2].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            await _pass(f"{method} {url.path}?{url.query} HTTP/1.1\r\n".encode() + rest, client, place)
        elif not allows_tunnels:
            await _answer(client, "403 Forbidden")
        else:
            client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _pass(b"", client, f"http://{place}")

    return _listening(relay)


async def _answer(client: Streams, status: str) -> None:
    client[1].write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    await client[1].drain()
