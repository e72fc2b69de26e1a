"""What is read from the bus: every entry once and in order, whether Redis has pushed it or not."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from nsroom_server.cluster.consumer import Consumer
from nsroom_server.cluster.entries import Entry, Op, ReceivedEntry, Snapshot
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.cluster.scripts import BUS, SEPARATOR
from tests.peers.valkey_server import Valkey, valkey

CHANNEL = "nsroom:bus:0"


class Recorder:
    """An audience that remembers what it hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.losses = 0
        self.turns = 0
        """Of the loop, counted by the test."""
        self.times: list[int] = []

    def apply(self, heard: ReceivedEntry) -> None:
        self.heard.put_nowait(heard.entry.data)
        self.times.append(self.turns)

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        pass

    def handle_missed_entries(self) -> None:
        self.losses += 1

    def handle_data_loss(self) -> None:
        self.losses += 1

    async def next(self, count: int) -> list[str]:
        async with asyncio.timeout(20):
            return [await self.heard.get() for _ in range(count)]


@pytest.fixture
async def bus(stack: AsyncExitStack, tmp_path: Path) -> Valkey:
    """A Valkey that has no patience with who does not read."""
    options = ("--client-output-buffer-limit", "pubsub 1mb 1mb 1")
    return await stack.enter_async_context(valkey(tmp_path, *options))


@pytest.fixture
async def publisher(stack: AsyncExitStack, redis: Redis) -> Publisher:
    """One that writes when it is told to."""
    publisher = Publisher(redis, lambda: None, room_length=0)
    stack.push_async_callback(publisher.disconnect)
    return publisher


@pytest.fixture
async def recorder(stack: AsyncExitStack, publisher: Publisher, redis: Redis) -> Recorder:
    """Whoever a consumer tells."""
    recorder = Recorder()
    consumer = Consumer(redis, recorder, publisher.figures, publisher.now)
    await consumer.start()
    task = asyncio.create_task(consumer.run())
    stack.push_async_callback(end, consumer, task)
    await until_subscribed(redis)
    return recorder


async def end(consumer: Consumer, task: "asyncio.Task[None]") -> None:
    # A cancellation that comes together with an answer is lost in redis-py.
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
    await consumer.disconnect()


async def until_subscribed(redis: Redis, count: int = 1) -> None:
    """Wait until a push would come."""
    async with asyncio.timeout(10):
        while (await redis.pubsub_numsub(CHANNEL))[0][1] != count:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.01)


async def subscribers(redis: Redis) -> list[str]:
    """Give the connections that have subscribed."""
    return [client["id"] for client in await redis.client_list(_type="pubsub")]


async def reads(redis: Redis) -> int:
    """Count how often the stream was read; where nothing is pushed, it is once a second."""
    commands: Any = await redis.info("commandstats")
    return int(commands["cmdstat_xread"]["calls"])


def row(sequence: int, text: str) -> str:
    """Write an entry as the script does."""
    return "\n".join((str(sequence), "other", str(sequence), "0", "e", "/", "", "", text))


async def write(redis: Redis, *texts: str) -> str:
    """Write entries as a server does that pushes nothing; give what it would have pushed."""
    rows = [row(await redis.incr("nsroom:seq"), text) for text in texts]
    positions = [await redis.xadd(BUS, {"row": each}) for each in rows]
    return SEPARATOR.join(f"{position}\n{each}" for position, each in zip(positions, rows, strict=True))


async def say(publisher: Publisher, *texts: str) -> None:
    """Write entries in one call."""
    for text in texts:
        publisher.publish(Entry(Op.EVENT, "/", data=text))
    assert await publisher.publish_batch()


async def test_what_is_pushed(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    await say(publisher, "one")
    await say(publisher, "two", "three")
    assert await recorder.next(3) == ["one", "two", "three"]
    assert await reads(redis) <= 2


async def test_what_is_too_long_to_be_pushed(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    texts = ["a", "b" * 100_000, "c", "d" * 9000, "e"]
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        for text in texts:
            await say(publisher, text)
        pushes: list[Any] = []
        async with asyncio.timeout(10):
            while len(pushes) < 5:
                pushes += filter(None, [await pubsub.get_message(True, timeout=1)])
    assert [len(push["data"]) < 200 for push in pushes] == [True] * 5
    assert await recorder.next(5) == texts


async def test_what_is_not_pushed(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    doubtful = await subscribers(redis)
    await write(redis, "one", "two")
    assert await recorder.next(2) == ["one", "two"]
    async with asyncio.timeout(10):
        while await subscribers(redis) in ([], doubtful):  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.01)
    await say(publisher, "three")
    assert await recorder.next(1) == ["three"]
    assert not recorder.losses


async def test_a_push_that_is_ahead_of_what_was_not_pushed(
    recorder: Recorder, publisher: Publisher, redis: Redis
) -> None:
    await write(redis, "one")
    await say(publisher, "two")
    await write(redis, "three")
    await say(publisher, "four", "five")
    assert await recorder.next(5) == ["one", "two", "three", "four", "five"]


async def test_a_push_that_comes_again_or_late(
    recorder: Recorder, publisher: Publisher, redis: Redis
) -> None:
    pushes = [await write(redis, "one", "two"), await write(redis, "three")]
    overlapping = pushes[0].partition(SEPARATOR)[2] + SEPARATOR + pushes[1]
    too_long = pushes[1].partition("\n")[0] + "\n"
    for push in (pushes[0], pushes[0], overlapping, pushes[1], too_long, pushes[0]):
        await redis.publish(CHANNEL, push)
    await say(publisher, "four")
    assert await recorder.next(4) == ["one", "two", "three", "four"]
    assert recorder.heard.empty()
    assert (publisher.figures.duplicates, recorder.losses) == (0, 0)
    assert await reads(redis) <= 2


@pytest.mark.parametrize("push", ["", "\n", "hello", "1-0", f"x{SEPARATOR}"])
async def test_a_push_of_somebody_else(
    recorder: Recorder, publisher: Publisher, redis: Redis, push: str
) -> None:
    await redis.publish(CHANNEL, push)
    await say(publisher, "one")
    assert await recorder.next(1) == ["one"]
    assert not recorder.losses


async def test_redis_without_its_data(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    await say(publisher, "one")
    await say(publisher, "two")
    await recorder.next(2)
    await redis.flushall()
    await write(redis, "three")
    await say(publisher, "four")
    assert await recorder.next(2) == ["three", "four"]
    assert recorder.losses == 1


async def cut(redis: Redis) -> None:
    await redis.client_kill_filter(_type="pubsub")


async def resubscribe(redis: Redis) -> None:
    await cut(redis)
    await until_subscribed(redis)


async def forget_scripts(redis: Redis) -> None:
    await redis.script_flush()


@pytest.mark.parametrize("what", [cut, resubscribe, forget_scripts])
async def test_nothing_is_lost_between(
    recorder: Recorder, publisher: Publisher, redis: Redis, what: Callable[[Redis], Awaitable[None]]
) -> None:
    texts = [f"{number}" for number in range(200)]
    for number, text in enumerate(texts):
        if number % 50 == 25:
            await what(redis)
        await say(publisher, text)
    assert await recorder.next(200) == texts
    assert recorder.heard.empty()


async def test_who_cannot_keep_up_reads_the_stream(
    stack: AsyncExitStack, publisher: Publisher, redis: Redis
) -> None:
    recorder = Recorder()
    consumer = Consumer(redis, recorder, publisher.figures, publisher.now)
    await consumer.start()
    for number in range(1000):
        await say(publisher, f"{number:06000}")
    await until_subscribed(redis, 0)
    task = asyncio.create_task(consumer.run())
    stack.push_async_callback(end, consumer, task)
    assert [int(text[-4:]) for text in await recorder.next(1000)] == list(range(1000))
    await until_subscribed(redis)
    await say(publisher, "on")
    assert await recorder.next(1) == ["on"]


async def test_a_flood_leaves_turns_to_others(recorder: Recorder, redis: Redis) -> None:
    async def count() -> None:
        while True:
            await asyncio.sleep(0)
            recorder.turns += 1

    counting = asyncio.create_task(count())
    pipeline = redis.pipeline(transaction=False)
    for number in range(1, 2001):
        pipeline.xadd(BUS, {"row": row(number, "x")}, id=f"1-{number}")
        pipeline.publish(CHANNEL, f"1-{number}\n{row(number, 'x')}")
    await pipeline.execute()
    await recorder.next(2000)
    counting.cancel()
    assert max(map(recorder.times.count, set(recorder.times))) <= 32


async def test_the_databases_of_a_redis_are_apart(
    stack: AsyncExitStack, recorder: Recorder, bus: Valkey, publisher: Publisher
) -> None:
    redis = Redis.from_url(bus.url.replace("/0", "/1"), decode_responses=True, protocol=2)
    stack.push_async_callback(redis.aclose)
    other = Publisher(redis, lambda: None, room_length=0)
    stack.push_async_callback(other.disconnect)
    await say(other, "elsewhere")
    await say(publisher, "here")
    assert await recorder.next(1) == ["here"]
