"""TCP connections that send too little or are too many are dropped, and those in use are not."""

import asyncio
import logging
import os
import resource
import socket
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from nsroom_server import event_loop
from nsroom_server.app import Running
from nsroom_server.logs import TextFormatter
from nsroom_server.settings.limits import Limits
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import poll, tcp

SHORT = 0.3
"""Seconds for a head or a body: far less than the timeout of an idle connection."""
CERTIFICATE = Path(__file__).parents[2] / "cli" / "tls"
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


async def end(reader: asyncio.StreamReader) -> bytes:
    """Wait until the server drops the connection, and return everything it sent."""
    read = b""
    with suppress(ConnectionError):
        while chunk := await asyncio.wait_for(reader.read(65536), WAIT):
            read += chunk
    return read


async def trickle(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send one byte after the other."""
    with suppress(ConnectionError):
        for byte in data:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(SHORT / 10)


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT)
    size = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    await asyncio.wait_for(reader.readexactly(size), WAIT)
    return head.split()[1]


async def test_these_tests_run_on_each_loop(request: pytest.FixtureRequest) -> None:
    assert event_loop.name_of(asyncio.get_running_loop()) in request.node.name


async def test_a_connection_without_a_request_is_dropped(serve: Serve) -> None:
    running = await serve(limits=Limits(head_timeout=SHORT))
    async with tcp(running) as (reader, _):
        assert await end(reader) == b""
    assert running.engines[0].refusals["head too slow"] == 1


async def test_a_head_that_trickles_is_dropped(serve: Serve) -> None:
    async with tcp(await serve(limits=Limits(head_timeout=SHORT))) as (reader, writer):
        sending = asyncio.create_task(trickle(writer, GET * 100))
        assert await end(reader) == b""
        await sending


async def test_a_later_head_that_trickles_is_dropped(serve: Serve) -> None:
    async with tcp(await serve(limits=Limits(head_timeout=SHORT))) as (reader, writer):
        writer.write(GET + b"\r\n")
        assert await answer(reader) == b"200"
        sending = asyncio.create_task(trickle(writer, GET * 100))
        assert await end(reader) == b""
        await sending


async def test_an_unexpected_body_without_an_end(serve: Serve) -> None:
    limits = Limits(head_timeout=SHORT, body_timeout=SHORT)
    async with tcp(await serve(limits=limits)) as (reader, writer):
        writer.write(GET + b"Content-Length: 100\r\n\r\nhalf")
        assert (await end(reader)).startswith(b"HTTP/1.1 200")


async def test_a_connection_without_a_tls_handshake_is_dropped(serve: Serve) -> None:
    cert, key = CERTIFICATE / "cert.pem", CERTIFICATE / "key.pem"
    running = await serve(limits=Limits(head_timeout=SHORT), tls_cert=cert, tls_key=key)
    async with tcp(running) as (reader, _):
        assert await end(reader) == b""


async def test_connections_in_use_are_not_dropped(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(limits=Limits(head_timeout=SHORT))
    ann, session = await connect(running), await poll(http, running)
    async with tcp(running) as (reader, writer):
        writer.write(GET + b"\r\n")
        assert await answer(reader) == b"200"
        waiting = asyncio.create_task(session.get())
        await asyncio.sleep(SHORT * 3)
        assert not waiting.done()
        await ann.call("join", "lobby")
        assert "create-room" in (await waiting)[1]
        writer.write(GET + b"\r\n")
        assert await answer(reader) == b"200"
    assert running.engines[0].refusals["head too slow"] == 0


async def test_connections_of_an_address(serve: Serve) -> None:
    running = await serve(limits=Limits(tcp_connections_per_address=2))
    async with tcp(running):
        async with tcp(running) as (reader, writer), tcp(running) as (late, _):
            assert await end(late) == b""
            writer.write(GET + b"\r\n")
            assert await answer(reader) == b"200"
        await until_accepted(running)
    assert running.engines[0].refusals["too many connections"] >= 1


async def until_accepted(running: Running) -> None:
    async with asyncio.timeout(WAIT):
        while True:
            async with tcp(running) as (reader, writer):
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    writer.write(GET + b"\r\n")
                    assert await answer(reader) == b"200"
                    return


@pytest.mark.parametrize("packet", [b"\r\n\r\n", b"x" * 20_000, GET + b"x" * 9000, bytes(64)])
async def test_an_invalid_head_is_refused_and_the_connection_dropped(serve: Serve, packet: bytes) -> None:
    async with tcp(await serve(limits=Limits(head_timeout=SHORT))) as (reader, writer):
        writer.write(packet)
        assert b" 200 " not in await end(reader)


async def test_connections_are_counted_before_the_tls_handshake(serve: Serve) -> None:
    cert, key = CERTIFICATE / "cert.pem", CERTIFICATE / "key.pem"
    running = await serve(limits=Limits(tcp_connections_per_address=2), tls_cert=cert, tls_key=key)
    async with tcp(running), tcp(running) as (_, second):
        async with tcp(running) as (late, _):
            assert await end(late) == b""
        second.write(b"no handshake\r\n")
        await until_open(running)
    assert running.engines[0].refusals["too many connections"] >= 1
    assert running.engines[0].refusals["no handshake"] == 1


async def until_open(running: Running) -> None:
    """Wait until a connection is not dropped at once."""
    async with asyncio.timeout(WAIT):
        while True:
            async with tcp(running) as (reader, _):
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.1)
                    continue
                return


async def test_without_free_descriptors_connections_are_dropped_and_the_log_is_one_line(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    running = await serve()
    ann = await connect(running)
    clients = [socket.socket() for _ in range(100)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 3, limits[1]))
    try:
        for client in clients:
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(("127.0.0.1", running.port))
        async with asyncio.timeout(WAIT):
            while running.engines[0].refusals["no free descriptor"] < 90:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await ann.call("rooms"))["ok"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for client in clients:
            client.close()
    assert [record.message for record in caplog.records] == ["cannot accept connections"]
    await until_accepted(running)


MALFORMED = [
    b"Cookie: session=secret\x01\r\n",
    b"Authorization: Bearer secret" + b"x" * 9000 + b"\r\n",
    b"Content-Length: " + b"1" * 40 + b"\r\nX-Key: secret\r\n",
    b"X-Key: secret\r\n" * 200,
    b"Transfer-Encoding: chunked\r\n\r\nsecret\r\n",
    b"secret\r\n",
]


async def test_malformed_requests_are_few_short_lines_without_the_request(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not the count of earlier tests.
    monkeypatch.setattr(logging.getLogger("nsroom_server.http"), "filters", [])
    running = await serve(limits=Limits(head_timeout=SHORT, body_timeout=SHORT))
    for number in range(60):
        async with tcp(running) as (reader, writer):
            writer.write(
                b"POST /socket.io/?EIO=4&transport=polling&key=secret HTTP/1.1\r\nHost: localhost\r\n"
            )
            writer.write(MALFORMED[number % len(MALFORMED)] + b"\r\n")
            assert b" 400 " in await end(reader)
    lines = [TextFormatter().format(record) for record in caplog.records if record.levelno >= logging.WARNING]
    assert 1 <= len(lines) < 40
    assert all(len(line) <= 200 and "secret" not in line for line in lines)
