"""What goes into Redis: each entry once, whatever becomes of the answer."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from nsroom_server.cluster.entries import Entry, Op, ReceivedEntry
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.cluster.scripts import BUS
from nsroom_server.errors import Refusal
from tests.peers.valkey_server import Valkey, valkey


@pytest.fixture
async def bus(stack: AsyncExitStack, tmp_path: Path) -> Valkey:
    """A Valkey of the test's own."""
    return await stack.enter_async_context(valkey(tmp_path))


@pytest.fixture
async def losses() -> list[str]:
    """Grows when Redis has lost something."""
    return []


@pytest.fixture
async def publisher(stack: AsyncExitStack, redis: Redis, losses: list[str]) -> Publisher:
    """One that writes when it is told to."""
    publisher = Publisher(redis, lambda: losses.append("renewed"), room_length=10)
    stack.push_async_callback(publisher.disconnect)
    return publisher


def message(text: str) -> Entry:
    return Entry(Op.MESSAGE, "/", "lobby", data=f'{{"text":"{text}"}}')


async def heard(redis: Redis) -> list[ReceivedEntry]:
    entries: Any = await redis.xrange(BUS)
    return [ReceivedEntry.parse(fields["row"]) for _, fields in entries]


async def test_a_call_whose_answer_is_lost_is_made_again(publisher: Publisher, redis: Redis) -> None:
    for text in ("one", "two"):
        publisher.submit(message(text))
    first = await publisher.run_script(publisher._batch())
    publisher.submit(message("three"))
    assert await publisher.publish_batch()
    assert first == ["1", "2"]
    assert [(entry.number, entry.id) for entry in await heard(redis)] == [(1, 1), (2, 2), (3, 3)]


async def test_an_entry_is_answered_when_it_comes_back(publisher: Publisher) -> None:
    future = publisher.submit(message("one"))
    assert await publisher.publish_batch()
    await asyncio.sleep(0)
    assert not future.done()
    publisher.confirm(1, 7)
    assert await future == 7


async def test_what_comes_too_late_is_not_done(publisher: Publisher, redis: Redis) -> None:
    await publisher.run_script()
    future = publisher.submit(message("one"))
    publisher.publish(Entry(Op.LEAVE, "/", "lobby", "sid"), persistent=True)
    publisher.unanswered_since = asyncio.get_running_loop().time() - 60
    assert not publisher.available
    assert await publisher.publish_batch()
    with pytest.raises(Refusal, match="only members on this server received it"):
        await future
    assert [entry.entry.op for entry in await heard(redis)] == [Op.LEAVE]


async def test_many_that_are_refused_at_once_hold_nobody_up(publisher: Publisher) -> None:
    refused: list[int] = []

    def refuse(number: int, future: asyncio.Future[int]) -> None:
        assert future.exception()
        refused.append(number)

    for number in range(1000):
        publisher.submit(message("x")).add_done_callback(partial(refuse, number))
    publisher.unanswered_since = asyncio.get_running_loop().time() - 60
    publisher._refuse_waiting()
    publisher.submit(message("x")).add_done_callback(partial(refuse, 1000))
    turns = 0
    while len(refused) < 1001:
        await asyncio.sleep(0)
        turns += 1
    assert refused == list(range(1001))
    assert turns > 10


async def test_data_that_is_gone_is_noticed(publisher: Publisher, redis: Redis, losses: list[str]) -> None:
    publisher.submit(message("one"))
    assert await publisher.publish_batch()
    epoch = publisher.epoch
    await redis.flushall()
    publisher.submit(message("two"))
    assert await publisher.publish_batch()
    assert await publisher.publish_batch()
    assert losses == ["renewed"]
    assert publisher.epoch != epoch
    assert [(entry.number, entry.id) for entry in await heard(redis)] == [(2, 1)]


async def test_a_room_is_trimmed_and_its_ids_go_on(publisher: Publisher, redis: Redis) -> None:
    for number in range(300):
        publisher.submit(message(str(number)))
    while publisher._waiting:
        assert await publisher.publish_batch()
    assert [id for id, _ in await redis.xrange("nsroom:room:/\nlobby")] == [
        f"{id}-0" for id in range(291, 301)
    ]


async def test_the_bus_is_bounded_in_bytes(publisher: Publisher, redis: Redis) -> None:
    for _ in range(100):
        publisher.submit(Entry(Op.EVENT, "/", data="x" * 900_000))
        assert await publisher.publish_batch()
    entries = await heard(redis)
    assert 70 < len(entries) < 80
    assert entries[-1].sequence == 100


async def test_one_that_leaves_leaves_nothing(publisher: Publisher, redis: Redis) -> None:
    publisher.publish(Entry(Op.JOIN, "/", "lobby", "sid", "null"))
    await publisher.close()
    assert [entry.entry.op for entry in await heard(redis)] == [Op.JOIN, Op.SERVER_DOWN]
    left = ("beat", "bus", "epoch", "seq", "written")
    assert sorted(await redis.keys()) == [f"nsroom:{name}" for name in left]
