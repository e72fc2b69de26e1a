"""Connections whose packets may wait: which requests the proxy answers itself, and back-pressure."""

import asyncio

import pytest

from nsroom.filters import parse
from nsroom.protocol.websocket import Reader
from nsroom.proxy.intercepting import MAX_WAITING, Action, Decision
from tests.cli.relaying import SWITCHED, UPGRADE, WAIT, closing, drained, raw_server, relaying
from tests.frames import frame, masked

HANDSHAKE = b'0{"sid":"eio","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'
WAITS = parse("event=wait")


@pytest.mark.parametrize(
    "target",
    [
        "/page",
        "/socket.io/?EIO=&transport=polling",
        "/socket.io/?EIO&transport=polling",
        "/?EIO=4&transport=poll",
        "//[?EIO=4&transport=polling",
    ],
)
async def test_other_requests_are_relayed_one_on_each_connection(target: str) -> None:
    heads = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    async with raw_server(talk) as url, relaying(url, intercept=WAITS) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
            writer.write(head.encode())
            assert (await drained(reader)).endswith(b"\r\n\r\nok")
    assert b"\r\nConnection: close\r\n" in heads[0]
    assert b"keep-alive" not in heads[0]


async def test_a_websocket_is_not_compressed_and_its_packets_wait() -> None:
    done = asyncio.Event()
    heads = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(SWITCHED + frame(1, HANDSHAKE) + frame(1, b'42["wait"]') + frame(1, b"2"))
        await done.wait()

    async with raw_server(talk) as url, relaying(url, intercept=WAITS) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            deflate = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
            writer.write((UPGRADE % b"localhost").removesuffix(b"\r\n") + deflate)
            assert await reader.readuntil(b"\r\n\r\n") == SWITCHED
            first = frame(1, HANDSHAKE) + frame(1, b"2")
            assert await reader.readexactly(len(first)) == first
            proxy.interceptor.decide(1, Decision(Action.FORWARD))
            assert await reader.readexactly(12) == frame(1, b'42["wait"]')
            done.set()
    assert b"Extensions" not in heads[0]


async def test_a_connection_with_too_many_waiting_packets_is_not_read() -> None:
    got = bytearray()
    done = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHED + frame(1, HANDSHAKE))
        while data := await reader.read(65536):
            got.extend(data)
        done.set()

    async with raw_server(talk) as url, relaying(url, intercept=WAITS) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(UPGRADE % b"localhost")
            await reader.readuntil(HANDSHAKE)
            packet = masked('42["wait"]')
            writer.write(packet * MAX_WAITING)
            await proxy.seen(data={"intercept": {"id": MAX_WAITING, "state": "waiting"}})
            writer.write(packet)
            assert "are not read, heartbeats included" in proxy.said[-1]
            proxy.interceptor.stop("enough")
            assert "packets that waited were forwarded" in proxy.said[-1]
        async with asyncio.timeout(WAIT):
            await done.wait()
    assert len(list(Reader().feed(bytes(got)))) > MAX_WAITING


async def test_requests_of_other_names_are_refused() -> None:
    async with raw_server(nothing) as url, relaying(url, intercept=WAITS) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            assert b"403 Forbidden" in await drained(reader)


async def nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Serve nothing."""


async def test_a_request_that_ends_before_its_body_is_not_relayed() -> None:
    async with raw_server(nothing) as url, relaying(url, intercept=WAITS) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            head = b"POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: localhost\r\n"
            writer.write(head + b"Content-Length: 9\r\n\r\n4")
            writer.write_eof()
            assert await drained(reader) == b""
