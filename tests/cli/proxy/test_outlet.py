"""Data sent at once, or after a delay."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from nsroom.proxy.relay import DelayedOutlet, Outlet
from tests.cli.relaying import WAIT, closing, raw_server

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
