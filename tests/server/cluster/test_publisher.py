"""Each entry is written once, or refused, even if the answer of Redis is lost."""

import asyncio
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from nsroom_server.cluster.entries import Entry, Op, ReceivedEntry
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.cluster.scripts import BUS
from nsroom_server.errors import Refusal


def message(text: str) -> Entry:
    return Entry(Op.MESSAGE, "/", "lobby", data=f'{{"text":"{text}"}}')


async def entries_of(redis: Redis) -> list[ReceivedEntry]:
    stream: Any = await redis.xrange(BUS)
    return [ReceivedEntry.parse(fields["row"]) for _, fields in stream]


async def test_repeating_a_call_whose_answer_was_lost(publisher: Publisher, redis: Redis) -> None:
    for text in ("one", "two"):
        publisher.submit(message(text))
    first = await publisher.run_script(publisher._batch())
    publisher.submit(message("three"))
    assert await publisher.publish_batch()
    assert first == ["1", "2"]
    assert [(entry.number, entry.id) for entry in await entries_of(redis)] == [(1, 1), (2, 2), (3, 3)]


async def test_an_entry_is_confirmed_when_it_is_read_back(publisher: Publisher) -> None:
    future = publisher.submit(message("one"))
    assert await publisher.publish_batch()
    await asyncio.sleep(0)
    assert not future.done()
    publisher.confirm(1, 7)
    assert await future == 7


async def test_late_entries_are_refused_unless_persistent(publisher: Publisher, redis: Redis) -> None:
    await publisher.run_script()
    future = publisher.submit(message("one"))
    publisher.publish(Entry(Op.LEAVE, "/", "lobby", "sid"), persistent=True)
    publisher.unanswered_since = asyncio.get_running_loop().time() - 60
    assert not publisher.available
    assert await publisher.publish_batch()
    with pytest.raises(Refusal, match="only members on this server received it"):
        await future
    assert [entry.entry.op for entry in await entries_of(redis)] == [Op.LEAVE]


async def test_many_refusals_leave_turns_to_other_tasks(publisher: Publisher) -> None:
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


async def test_a_loss_of_data_is_reported(publisher: Publisher, redis: Redis, losses: list[str]) -> None:
    publisher.submit(message("one"))
    assert await publisher.publish_batch()
    epoch = publisher.epoch
    await redis.flushall()
    publisher.submit(message("two"))
    assert await publisher.publish_batch()
    assert await publisher.publish_batch()
    assert losses == ["loss"]
    assert publisher.epoch != epoch
    assert [(entry.number, entry.id) for entry in await entries_of(redis)] == [(2, 1)]


async def test_a_refused_entry_that_is_read_back_is_reported(publisher: Publisher) -> None:
    refused = [publisher.submit(message(text)) for text in ("one", "two", "three")]
    publisher._refuse_waiting()
    assert [publisher.pop_refusal(number) for number in (2, 1, 2, 3)] == [True, False, False, True]
    for each in refused:
        with pytest.raises(Refusal):
            await each


async def test_published_entries_are_confirmed_without_being_read_back(publisher: Publisher) -> None:
    published = [publisher.submit(message(text)) for text in ("one", "two")]
    assert await publisher.publish_batch()
    waiting = publisher.submit(message("three"))
    publisher.confirm_published()
    assert await asyncio.gather(*published) == [1, 2]
    assert not waiting.done()
