"""Each entry is applied once and in order, whether or not Redis has pushed it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

from nsroom_server.cluster.consumer import Consumer
from nsroom_server.cluster.entries import Entry, Op, ReceivedEntry, Snapshot
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.cluster.scripts import BUS, SEPARATOR
from tests.peers.valkey_server import Valkey

CHANNEL = "nsroom:bus:0"


class Recorder:
    """A replica that records the entries."""

    def __init__(self) -> None:
        self.applied: asyncio.Queue[str] = asyncio.Queue()
        self.losses = 0
        self.turns = 0
        """The loop's turns, counted by the test."""
        self.turns_of_entries: list[int] = []

    def apply(self, received: ReceivedEntry) -> None:
        self.applied.put_nowait(received.entry.data)
        self.turns_of_entries.append(self.turns)

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        pass

    def handle_missed_entries(self) -> None:
        self.losses += 1

    def handle_data_loss(self) -> None:
        self.losses += 1

    async def next(self, count: int) -> list[str]:
        async with asyncio.timeout(20):
            return [await self.applied.get() for _ in range(count)]


@pytest.fixture
def valkey_options() -> tuple[str, ...]:
    """A small buffer for pushes, so that Valkey disconnects a server that does not read."""
    return ("--client-output-buffer-limit", "pubsub 1mb 1mb 1")


@pytest.fixture
async def recorder(stack: AsyncExitStack, publisher: Publisher, redis: Redis) -> Recorder:
    """The replica of a running consumer."""
    recorder = Recorder()
    consumer = Consumer(redis, recorder, publisher.figures, publisher.now)
    await consumer.start()
    task = asyncio.create_task(consumer.run())
    stack.push_async_callback(end, consumer, task)
    await until_subscribed(redis)
    return recorder


async def end(consumer: Consumer, task: "asyncio.Task[None]") -> None:
    # redis-py loses a cancellation that arrives together with an answer.
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
    await consumer.disconnect()


async def until_subscribed(redis: Redis, count: int = 1) -> None:
    """Wait until the consumers have subscribed to the channel."""
    async with asyncio.timeout(10):
        while (await redis.pubsub_numsub(CHANNEL))[0][1] != count:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def subscribers(redis: Redis) -> list[str]:
    """Return the ids of the connections that have subscribed."""
    return [client["id"] for client in await redis.client_list(_type="pubsub")]


async def reads(redis: Redis) -> int:
    """Return how often the stream was read: once a second if nothing is pushed."""
    commands: Any = await redis.info("commandstats")
    return int(commands["cmdstat_xread"]["calls"])


def row(sequence: int, text: str) -> str:
    """Return the row of an entry, as the script writes it."""
    return "\n".join((str(sequence), "other", str(sequence), "0", "e", "/", "", "", text))


async def write(redis: Redis, *texts: str) -> str:
    """Write entries without a push; return what the push would have been."""
    rows = [row(await redis.incr("nsroom:seq"), text) for text in texts]
    positions = [await redis.xadd(BUS, {"row": each}) for each in rows]
    return SEPARATOR.join(f"{position}\n{each}" for position, each in zip(positions, rows, strict=True))


async def publish(publisher: Publisher, *texts: str) -> None:
    """Publish entries in one call."""
    for text in texts:
        publisher.publish(Entry(Op.EVENT, "/", data=text))
    assert await publisher.publish_batch()


async def test_pushed_entries(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    await publish(publisher, "one")
    await publish(publisher, "two", "three")
    assert await recorder.next(3) == ["one", "two", "three"]
    assert await reads(redis) <= 2


async def test_large_entries_are_not_pushed(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    texts = ["a", "b" * 100_000, "c", "d" * 9000, "e"]
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        for text in texts:
            await publish(publisher, text)
        pushes: list[Any] = []
        async with asyncio.timeout(10):
            while len(pushes) < 5:
                pushes += filter(None, [await pubsub.get_message(True, timeout=1)])
    assert [len(push["data"]) < 200 for push in pushes] == [True] * 5
    assert await recorder.next(5) == texts


async def test_entries_without_a_push(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    before = await subscribers(redis)
    await write(redis, "one", "two")
    assert await recorder.next(2) == ["one", "two"]
    async with asyncio.timeout(10):
        while await subscribers(redis) in ([], before):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    await publish(publisher, "three")
    assert await recorder.next(1) == ["three"]
    assert not recorder.losses


async def test_a_push_after_entries_without_one(
    recorder: Recorder, publisher: Publisher, redis: Redis
) -> None:
    await write(redis, "one")
    await publish(publisher, "two")
    await write(redis, "three")
    await publish(publisher, "four", "five")
    assert await recorder.next(5) == ["one", "two", "three", "four", "five"]


async def test_duplicate_and_late_pushes(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    pushes = [await write(redis, "one", "two"), await write(redis, "three")]
    overlapping = pushes[0].partition(SEPARATOR)[2] + SEPARATOR + pushes[1]
    large = pushes[1].partition("\n")[0] + "\n"
    for push in (pushes[0], pushes[0], overlapping, pushes[1], large, pushes[0]):
        await redis.publish(CHANNEL, push)
    await publish(publisher, "four")
    assert await recorder.next(4) == ["one", "two", "three", "four"]
    assert recorder.applied.empty()
    assert (publisher.figures.duplicates, recorder.losses) == (0, 0)
    assert await reads(redis) <= 2


@pytest.mark.parametrize("push", ["", "\n", "hello", "1-0", f"x{SEPARATOR}"])
async def test_a_push_by_another_program(
    recorder: Recorder, publisher: Publisher, redis: Redis, push: str
) -> None:
    await redis.publish(CHANNEL, push)
    await publish(publisher, "one")
    assert await recorder.next(1) == ["one"]
    assert not recorder.losses


async def test_a_redis_that_has_lost_its_data(recorder: Recorder, publisher: Publisher, redis: Redis) -> None:
    await publish(publisher, "one")
    await publish(publisher, "two")
    await recorder.next(2)
    await redis.flushall()
    await write(redis, "three")
    await publish(publisher, "four")
    assert await recorder.next(2) == ["three", "four"]
    assert recorder.losses == 1


async def disconnect(redis: Redis) -> None:
    await redis.client_kill_filter(_type="pubsub")


async def resubscribe(redis: Redis) -> None:
    await disconnect(redis)
    await until_subscribed(redis)


async def forget_scripts(redis: Redis) -> None:
    await redis.script_flush()


@pytest.mark.parametrize("interrupt", [disconnect, resubscribe, forget_scripts])
async def test_interruptions_lose_nothing(
    recorder: Recorder, publisher: Publisher, redis: Redis, interrupt: Callable[[Redis], Awaitable[None]]
) -> None:
    texts = [f"{number}" for number in range(200)]
    for number, text in enumerate(texts):
        if number % 50 == 25:
            await interrupt(redis)
        await publish(publisher, text)
    assert await recorder.next(200) == texts
    assert recorder.applied.empty()


async def test_a_slow_consumer_reads_the_stream(
    stack: AsyncExitStack, publisher: Publisher, redis: Redis
) -> None:
    recorder = Recorder()
    consumer = Consumer(redis, recorder, publisher.figures, publisher.now)
    await consumer.start()
    for number in range(1000):
        await publish(publisher, f"{number:06000}")
    await until_subscribed(redis, 0)
    task = asyncio.create_task(consumer.run())
    stack.push_async_callback(end, consumer, task)
    assert [int(text[-4:]) for text in await recorder.next(1000)] == list(range(1000))
    await until_subscribed(redis)
    await publish(publisher, "on")
    assert await recorder.next(1) == ["on"]


async def test_a_flood_leaves_turns_to_other_tasks(recorder: Recorder, redis: Redis) -> None:
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
    assert max(map(recorder.turns_of_entries.count, set(recorder.turns_of_entries))) <= 32


async def test_the_databases_of_one_redis_are_separate(
    stack: AsyncExitStack, recorder: Recorder, bus: Valkey, publisher: Publisher
) -> None:
    redis = Redis.from_url(bus.url.replace("/0", "/1"), decode_responses=True, protocol=2)
    stack.push_async_callback(redis.aclose)
    other = Publisher(redis, lambda: None, room_length=0)
    stack.push_async_callback(other.disconnect)
    await publish(other, "elsewhere")
    await publish(publisher, "here")
    assert await recorder.next(1) == ["here"]


UNREADABLE = {
    "no row": lambda _: "garbage",
    "an empty row": lambda _: "",
    "an unknown kind": lambda next_: row(next_, "x").replace("\ne\n", "\nx\n"),
    "a number that is not the next": lambda next_: row(next_ + 1000, "x").replace("\ne\n", "\nx\n"),
}


@pytest.mark.parametrize("forge", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_entry_that_cannot_be_read_is_skipped(
    recorder: Recorder,
    publisher: Publisher,
    redis: Redis,
    forge: Callable[[int], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await publish(publisher, "one")
    forged = forge(2)
    if forged.startswith("2\n"):  # a server of a newer version has counted it
        await redis.incr("nsroom:seq")
    for _ in range(1 if forged.startswith("2\n") else 50):
        await redis.xadd(BUS, {"row": forged})
    await redis.publish(CHANNEL, f"nonsense\n{row(3, 'x')}")
    await redis.publish(CHANNEL, f"nonsense\n{row(2, 'x')}")
    await redis.xadd(BUS, {"other": "field"})
    await publish(publisher, "two", "three")
    assert await recorder.next(3) == ["one", "two", "three"]
    assert not recorder.losses
    lines = [line for line in caplog.records if line.getMessage() == "skipped an entry of the bus"]
    assert 1 <= len(lines) <= 12
    assert not any(line.exc_info for line in caplog.records)


async def test_a_forged_entry_that_fails_is_one_line(
    recorder: Recorder, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(received: ReceivedEntry) -> None:
        raise KeyError(received.entry.data)

    apply, recorder.apply = recorder.apply, fail  # type: ignore[method-assign]
    await publish(publisher, *["x"] * 50)
    async with asyncio.timeout(5):
        while not caplog.records:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    recorder.apply = apply  # type: ignore[method-assign]
    await publish(publisher, "on")
    assert await recorder.next(1) == ["on"]
    assert len(caplog.records) <= 12
    assert not any(line.exc_info for line in caplog.records)


FORGED = {
    "far ahead": lambda next_: row(next_ + 1000, "forged"),
    "the next number": lambda next_: row(next_, "forged"),
    "a number that was": lambda next_: row(next_ - 1, "forged"),
    "below all numbers": lambda next_: row(-next_, "forged"),
    "a publisher's number far ahead": lambda next_: row(next_, "forged").replace("\n3\n", "\n99999\n", 1),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("pushed", [True, False])
async def test_a_forged_entry_closes_no_client(
    recorder: Recorder,
    publisher: Publisher,
    redis: Redis,
    forge: Callable[[int], str],
    pushed: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await publish(publisher, "one", "two")
    await recorder.next(2)
    for number in range(20):
        forged = forge(3).replace("other", publisher.origin if number % 2 else "other")
        position = await redis.xadd(BUS, {"row": forged})
        if pushed:
            await redis.publish(CHANNEL, f"{position}\n{forged}")
    await publish(publisher, "three", "four")
    await publish(publisher, "five")
    genuine: list[str] = []
    while "five" not in genuine:
        genuine += [text for text in await recorder.next(1) if text != "forged"]
    assert genuine == ["three", "four", "five"]
    assert recorder.losses == 0
    assert len(caplog.records) <= 22


async def test_entries_that_were_trimmed_unread(
    stack: AsyncExitStack, publisher: Publisher, redis: Redis
) -> None:
    recorder = Recorder()
    consumer = Consumer(redis, recorder, publisher.figures, publisher.now)
    await publish(publisher, "before")
    await consumer.start()
    await publish(publisher, *(str(number) for number in range(10)))
    await redis.xtrim(BUS, maxlen=3, approximate=False)
    task = asyncio.create_task(consumer.run())
    stack.push_async_callback(end, consumer, task)
    assert await recorder.next(3) == ["7", "8", "9"]
    assert recorder.losses == 1
    assert publisher.figures.missed == 7
