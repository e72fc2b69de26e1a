"""The channel loses no records, and stays bounded if its reader is slow."""

import asyncio

import pytest

from nsroom.channel import Channel, now
from nsroom.record import Direction, Kind, Record
from tests.cli.clients import WAIT


def record(number: int) -> Record:
    return Record(0, number, Direction.IN, Kind.EVENT)


async def test_a_batch_has_all_waiting_records() -> None:
    channel = Channel()
    channel.put([record(1)])
    channel.put([record(2), record(3)])
    batches = aiter(channel)
    assert await anext(batches) == [record(1), record(2), record(3)]
    asyncio.get_running_loop().call_soon(channel.put, [record(4)])
    assert await anext(batches) == [record(4)]


async def test_a_closed_channel_yields_the_rest_and_ends() -> None:
    channel = Channel()
    channel.put([record(1)])
    channel.close()
    channel.put([record(2)])
    assert [batch async for batch in channel] == [[record(1)]]
    assert [batch async for batch in channel] == []


async def test_a_channel_that_is_closed_while_waiting_ends() -> None:
    channel = Channel()
    asyncio.get_running_loop().call_later(0.01, channel.close)
    async with asyncio.timeout(WAIT):
        assert [batch async for batch in channel] == []


@pytest.mark.parametrize(("count", "size"), [(3, 0), (1, 2**23)])
async def test_a_channel_is_full_by_number_or_by_size(count: int, size: int) -> None:
    channel = Channel(bound=3)
    batches = aiter(channel)
    channel.put([record(0)])
    await anext(batches)
    channel.put([record(0)] * (count - 1), size - 1)
    assert not channel.full
    channel.put([record(0)], 1)
    assert channel.full
    waiting = asyncio.ensure_future(channel.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert len(await anext(batches)) == count
    async with asyncio.timeout(WAIT):
        await waiting
    assert not channel.full


async def test_a_channel_without_a_reader_is_never_full() -> None:
    channel = Channel(bound=3)
    channel.put([record(0)] * 10)
    assert not channel.full


async def test_closing_a_channel_ends_waiting_for_room() -> None:
    channel = Channel(bound=1)
    batches = aiter(channel)
    channel.put([record(0)])
    await anext(batches)
    channel.put([record(0)])
    assert channel.full
    channel.close()
    async with asyncio.timeout(WAIT):
        await channel.room()


def test_the_clock_never_runs_backwards() -> None:
    times = [now() for _ in range(1000)]
    assert times == sorted(times)
