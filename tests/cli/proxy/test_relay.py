"""Two TCP connections that mirror each other: bytes, closes, resets, pauses; and delayed data."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest

from nsroom.proxy.relay import DelayedOutlet, Outlet
from tests.cli.relaying import (
    SWITCHED,
    UPGRADE,
    WAIT,
    closing,
    drained,
    is_reset,
    raw_server,
    relaying,
    reset,
)
from tests.frames import MASK, frame

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
GET = b"GET /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: %b\r\n\r\n"


def noise(chance: random.Random) -> bytes:
    """Return the bytes of valid and malformed WebSocket frames."""
    return b"".join(
        chance.choice(
            [
                lambda: chance.randbytes(chance.randrange(200)),
                lambda: frame(chance.choice([1, 2, 8, 9, 10]), chance.randbytes(100), mask=MASK),
                lambda: frame(1, b'42["x"]', final=chance.random() < 0.5),
                lambda: frame(2, chance.randbytes(70000)),
            ]
        )()
        for _ in range(chance.randrange(1, 8))
    )


async def send(writer: Writer, data: bytes, chance: random.Random) -> None:
    """Send in pieces of any size, then half-close."""
    while data:
        size = chance.choice([1, 7, 1000, 100_000])
        writer.write(data[:size])
        await writer.drain()
        data = data[size:]
        await asyncio.sleep(0)
    writer.write_eof()


@pytest.mark.parametrize("seed", range(8))
async def test_every_byte_after_an_upgrade_is_relayed(seed: int) -> None:
    chance = random.Random(seed)
    up, down = noise(chance), SWITCHED + noise(chance)
    got: list[bytes] = []

    async def talk(reader: Reader, writer: Writer) -> None:
        got.append(await reader.readuntil(b"\r\n\r\n"))
        sending = asyncio.create_task(send(writer, down, chance))
        got.append(await drained(reader))
        await sending

    async with raw_server(talk) as url, relaying(url) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(UPGRADE % b"localhost")
            await send(writer, up, chance)
            assert await drained(reader) == down
    assert got == [UPGRADE % url.removeprefix("http://").encode(), up]


def body(chance: random.Random) -> tuple[bytes, bytes]:
    """Return a body, and the header with its framing."""
    data = chance.randbytes(chance.randrange(3000))
    if chance.random() < 0.5:
        return b"Content-Length: %d\r\n" % len(data), data
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(3))
    parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    chunks = b"".join(b"%X;a=b\r\n%b\r\n" % (len(part), part) for part in parts if part)
    return b"tRansfer-encoding:chunked\r\n", chunks + b"000\r\nTrailer: 1\r\n\r\n"


@pytest.mark.parametrize("seed", range(8))
async def test_every_byte_of_bodies_is_relayed(seed: int) -> None:
    chance = random.Random(seed)
    answered, rest = b"", []
    for _ in range(chance.randrange(1, 6)):
        header, data = body(chance)
        rest.append(header + b"\r\n" + data)
        header, data = body(chance)
        encoding = chance.choice([b"", b"Content-Encoding: gzip\r\n"])
        answered += b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\n" + encoding + header + b"\r\n" + data

    def asked(host: str) -> bytes:
        head = f"POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost:  {host}\r\n".encode()
        return b"".join(head + each for each in rest)

    got: list[bytes] = []

    async def talk(reader: Reader, writer: Writer) -> None:
        sending = asyncio.create_task(send(writer, answered, chance))
        got.append(await drained(reader))
        await sending

    async with raw_server(talk) as url, relaying(url) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            await send(writer, asked("localhost"), chance)
            assert await drained(reader) == answered
    assert got == [asked(url.removeprefix("http://"))]


async def test_data_that_is_not_http_passes_in_both_directions() -> None:
    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(b"\0\1" + await reader.readexactly(3))
        await drained(reader)

    async with raw_server(talk) as url, relaying(url) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(b"\x16\x03\x01")
            assert await reader.readexactly(5) == b"\0\1\x16\x03\x01"
            assert "cannot be read from here on: not HTTP/1.1" in str(
                (await proxy.seen(kind="protocol_error")).message
            )


async def test_data_after_an_upgrade_request_waits_for_the_response() -> None:
    """Only the response tells whether that data is HTTP, with a Host to rewrite."""
    refuse = asyncio.Event()

    async def talk(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await refuse.wait()
        writer.write(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
        assert b"Host: 127.0.0.1" in await reader.readuntil(b"\r\n\r\n")
        await drained(reader)

    async with raw_server(talk) as url, relaying(url) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(UPGRADE % b"localhost")
            await asyncio.sleep(0.05)
            writer.write(GET % b"localhost")
            refuse.set()
            assert b"400 No" in await reader.readuntil(b"\r\n\r\n")


async def test_a_half_closed_client_gets_its_response() -> None:
    async def talk(reader: Reader, writer: Writer) -> None:
        await drained(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n42["a"]')

    async with raw_server(talk) as url, relaying(url) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(GET % b"localhost")
            writer.write_eof()
            assert (await drained(reader)).endswith(b'42["a"]')
            await proxy.seen(event="a", sid="x")


@pytest.mark.parametrize("who", ["client", "server"])
async def test_resets_are_mirrored(who: str) -> None:
    ended = asyncio.get_running_loop().create_future()

    async def talk(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHED)
        if who == "server":
            await reader.readexactly(1)
            reset(writer)
        else:
            ended.set_result(await is_reset(reader))

    async with raw_server(talk) as url, relaying(url) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(UPGRADE % b"localhost")
            await reader.readuntil(b"\r\n\r\n")
            if who == "client":
                reset(writer)
                assert await ended
            else:
                writer.write(b"!")
                assert await is_reset(reader)
        assert "reset the connection" in str((await proxy.seen(kind="close")).reason)


async def test_a_server_that_does_not_read_stops_the_client() -> None:
    size, resume, done = 64 * 2**20, asyncio.Event(), asyncio.Event()
    got = 0

    async def talk(reader: Reader, _writer: Writer) -> None:
        nonlocal got
        await reader.readuntil(b"\r\n\r\n")
        await resume.wait()
        while data := await reader.read(2**20):
            got += len(data)
        done.set()

    async def upload(writer: Writer) -> None:
        nonlocal sent
        block = bytes(2**16)
        while sent < size:
            writer.write(block)
            await writer.drain()
            sent += len(block)
        writer.write_eof()

    sent = 0
    async with raw_server(talk) as url, relaying(url) as proxy:
        _, writer = await proxy.connect()
        async with closing(writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
            uploading = asyncio.create_task(upload(writer))
            before = -1
            while sent != before:
                before = sent
                await asyncio.sleep(0.2)
            assert sent < size
            resume.set()
            await uploading
            await done.wait()
    assert got == size


async def test_many_connections_at_once() -> None:
    async def talk(reader: Reader, writer: Writer) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(head), head))
            if b"last" in head:
                return

    async def ask(number: int) -> None:
        reader, writer = await proxy.connect()
        async with closing(writer):
            for round in (b"first", b"last"):
                request = b"GET /%d/%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (number, round, host)
                writer.write(request)
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(len(request)) == request

    async with raw_server(talk) as url, relaying(url) as proxy:
        host = url.removeprefix("http://").encode()
        await asyncio.gather(*map(ask, range(200)))


async def test_closing_the_proxy_drops_connections_at_once() -> None:
    async def talk(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHED)
        await is_reset(reader)

    async with raw_server(talk) as url:
        async with relaying(url) as proxy:
            reader, writer = await proxy.connect()
            writer.write(UPGRADE % b"localhost")
            await reader.readuntil(b"\r\n\r\n")
            before = time.monotonic()
        assert time.monotonic() - before < WAIT
        await is_reset(reader)
        async with closing(writer):
            pass


# Outlets

Ends = tuple[asyncio.StreamWriter, asyncio.Queue[bytes]]


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    """Yield a writer, and a queue of the data that its peer receives."""
    data_received: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        data = b"-"
        while data:
            data = await reader.read(65536)
            data_received.put_nowait(data)

    async with raw_server(talk) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        async with closing(writer):
            yield writer, data_received


async def received(data_received: asyncio.Queue[bytes]) -> bytes:
    data = b""
    async with asyncio.timeout(WAIT):
        while chunk := await data_received.get():
            data += chunk
    return data


async def test_data_is_sent_at_once(ends: Ends) -> None:
    outlet = Outlet(ends[0])
    outlet.put(b"a", 60)
    outlet.put(b"")
    outlet.put(b"b")
    await outlet.drain()
    outlet.end()
    await outlet.run()
    assert await received(ends[1]) == b"ab"


async def test_delayed_data_keeps_its_order(ends: Ends) -> None:
    outlet, loop = DelayedOutlet(ends[0]), asyncio.get_running_loop()
    running = asyncio.create_task(outlet.run())
    before = loop.time()
    for data, delay in ((b"a", 0.0), (b"b", 0.1), (b"c", 0.0)):
        outlet.put(data, delay)
    assert await ends[1].get() == b"a"
    outlet.end()
    assert await received(ends[1]) == b"bc"
    assert loop.time() - before >= 0.1
    await running


async def test_delayed_data_is_limited(ends: Ends) -> None:
    outlet = DelayedOutlet(ends[0])
    running = asyncio.create_task(outlet.run())
    outlet.put(bytes(2**20), 0.05)
    await outlet.drain()
    outlet.put(bytes(2**20), 0.05)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await outlet.drain()
    async with asyncio.timeout(WAIT):
        await outlet.drain()
    outlet.end()
    assert len(await received(ends[1])) == 2**21
    await running
