"""The limits on the history in Redis."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Config
from nsroom_server.settings.limits import Limits
from tests.peers.valkey_server import Valkey
from tests.server.cluster.lobby import accepts_messages, say, stored_ids, until
from tests.server.member import Connect

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
def serve(stack: AsyncExitStack, bus: Valkey) -> Start:
    """Start a server: `await serve(history_messages=3)`."""

    async def start(**limits: int) -> Running:
        config = Config(port=0, redis=bus.url, drain=1, limits=Limits(events_burst=100_000, **limits))
        return await stack.enter_async_context(serving(config))

    return start


async def test_the_limit_on_the_messages_of_a_room(serve: Start, connect: Connect) -> None:
    ann = await connect(await serve(history_messages=3))
    await say(ann, "lobby", *"abcde")
    await say(ann, "den", "a")
    assert await stored_ids(ann, "lobby") == [3, 4, 5]
    assert await stored_ids(ann, "den") == [1]


async def test_a_lower_limit_applies_to_the_next_messages(serve: Start, connect: Connect) -> None:
    ann = await connect(await serve(history_messages=50))
    await say(ann, "lobby", *["x"] * 50)
    bob = await connect(await serve(history_messages=3))
    await say(bob, "lobby", *["y"] * 10)
    assert await stored_ids(ann, "lobby") == [58, 59, 60]


async def test_the_limit_on_age(serve: Start, connect: Connect, redis: Redis) -> None:
    ann = await connect(await serve(history_age=1))
    await say(ann, "lobby", *"abc")
    assert await stored_ids(ann, "lobby") == [1, 2, 3]

    async def is_trimmed() -> bool:
        return await stored_ids(ann, "lobby") == []

    await until(is_trimmed, seconds=15)
    assert await say(ann, "lobby", "d") == [4]
    await until(is_trimmed, seconds=15)
    assert await redis.keys("nsroom:room:*") == []


async def test_a_clock_of_redis_that_jumps_deletes_nothing(
    serve: Start, connect: Connect, redis: Redis
) -> None:
    ann = await connect(await serve(history_age=90 * 86_400))
    await say(ann, "lobby", *"abc")

    async def is_aged() -> bool:
        return await redis.exists("nsroom:age-clock") == 1

    await until(is_aged)
    # As if the clock had stood 100 days earlier until now.
    behind = int(await redis.get("nsroom:age-clock")) - 100 * 86_400_000
    await redis.set("nsroom:age-clock", behind)
    await asyncio.sleep(3)
    moved = int(await redis.get("nsroom:age-clock")) - behind
    assert 60_000 < moved < 5 * 60_000
    await say(ann, "lobby", "d")
    assert await stored_ids(ann, "lobby") == [1, 2, 3, 4]


async def test_the_limit_on_size(serve: Start, connect: Connect, redis: Redis) -> None:
    ann = await connect(await serve(history_size=20_000))
    for room in ("old", "new"):
        await say(ann, room, *["x" * 500] * 30)

    async def fits() -> bool:
        return int(await redis.get("nsroom:size") or 0) <= 20_000

    await until(fits, seconds=15)
    assert await stored_ids(ann, "old") == []
    newest = await stored_ids(ann, "new")
    assert newest == list(range(31 - len(newest), 31))
    assert 20 < len(newest) < 30
    # A room without stored messages is deleted; if it is used again, its ids start after all that it had.
    assert await redis.hkeys("nsroom:ids") == ["/\nnew"]
    assert await say(ann, "old", "x") == [31]
    epoch = (await ann.call("join", "old"))["epoch"]
    answer = await ann.call("join", {"room": "old", "after": 12, "epoch": epoch})
    assert (answer["last"], answer["gap"]) == (31, "trimmed")


async def test_the_counted_size_is_about_what_redis_uses(
    serve: Start, connect: Connect, redis: Redis
) -> None:
    ann = await connect(await serve())
    for room in range(50):
        await say(ann, f"room {room}", *["x" * room] * 20)
    counted = int(await redis.get("nsroom:size"))
    names = await redis.keys("nsroom:room:*")
    used = sum([await redis.memory_usage(name, samples=0) for name in names])
    assert 0.5 < counted / used < 2


async def test_a_full_redis_still_deletes_old_messages(serve: Start, connect: Connect, redis: Redis) -> None:
    running = await serve(history_age=2)
    ann = await connect(running)
    await say(ann, "lobby", *["x" * 100_000] * 30)
    # Most of the memory in use is the messages.
    used = (await redis.info("memory"))["used_memory"]
    await redis.config_set("maxmemory", used - 100_000)

    await until(accepts_messages(ann, "after"), seconds=15)
