"""What Redis keeps: as much as the limits say, and what becomes of the chat when it takes no more."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Config
from nsroom_server.settings.limits import Limits
from tests.peers.valkey_server import Valkey, valkey
from tests.server.member import Connect, Member

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def bus(stack: AsyncExitStack, tmp_path: Path) -> Valkey:
    """A Valkey that outlives the servers."""
    return await stack.enter_async_context(valkey(tmp_path))


@pytest.fixture
def serve(stack: AsyncExitStack, bus: Valkey) -> Start:
    """Start a server: `await serve(history_messages=3)`."""

    async def start(**limits: int) -> Running:
        config = Config(port=0, redis=bus.url, drain=1, limits=Limits(events_burst=100_000, **limits))
        return await stack.enter_async_context(serving(config))

    return start


async def say(member: Member, room: str, *texts: str) -> list[int]:
    """Say something in a room; give the ids."""
    await member.call("join", room)
    calls = [member.call("message", {"room": room, "text": text}) for text in texts]
    return [answer["id"] for answer in await asyncio.gather(*calls)]


async def kept(member: Member, room: str) -> list[int]:
    """Give the ids of what is kept."""
    answer = await member.call("history", {"room": room, "limit": 1000})
    return [entry["id"] for entry in answer["history"]]


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(15):
        while not await check():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.05)


async def test_only_so_many_messages_of_a_room_are_kept(serve: Start, connect: Connect) -> None:
    ann = await connect(await serve(history_messages=3))
    await say(ann, "lobby", *"abcde")
    await say(ann, "den", "a")
    assert await kept(ann, "lobby") == [3, 4, 5]
    assert await kept(ann, "den") == [1]


async def test_a_lower_bound_counts_from_the_next_messages_on(serve: Start, connect: Connect) -> None:
    ann = await connect(await serve(history_messages=50))
    await say(ann, "lobby", *["x"] * 50)
    bob = await connect(await serve(history_messages=3))
    await say(bob, "lobby", *["y"] * 10)
    assert await kept(ann, "lobby") == [58, 59, 60]


async def test_messages_are_kept_for_so_long(serve: Start, connect: Connect, redis: Redis) -> None:
    ann = await connect(await serve(history_age=1))
    await say(ann, "lobby", *"abc")
    assert await kept(ann, "lobby") == [1, 2, 3]

    async def is_forgotten() -> bool:
        return await kept(ann, "lobby") == []

    await until(is_forgotten)
    assert await say(ann, "lobby", "d") == [4]
    await until(is_forgotten)
    assert await redis.keys("nsroom:room:*") == []


async def test_what_is_kept_does_not_outgrow_its_bound(serve: Start, connect: Connect, redis: Redis) -> None:
    ann = await connect(await serve(history_size=20_000))
    for room in ("old", "new"):
        await say(ann, room, *["x" * 500] * 30)

    async def fits() -> bool:
        return int(await redis.get("nsroom:size") or 0) <= 20_000

    await until(fits)
    assert await kept(ann, "old") == []
    newest = await kept(ann, "new")
    assert newest == list(range(31 - len(newest), 31))
    assert 20 < len(newest) < 30
    # The name of a room in which nothing is kept is forgotten: it goes on behind what it may have had.
    assert await redis.hkeys("nsroom:ids") == ["/\nnew"]
    assert await say(ann, "old", "x") == [31]
    epoch = (await ann.call("join", "old"))["epoch"]
    answer = await ann.call("join", {"room": "old", "after": 12, "epoch": epoch})
    assert (answer["last"], answer["gap"]) == (31, "trimmed")


async def test_the_size_is_what_redis_takes(serve: Start, connect: Connect, redis: Redis) -> None:
    ann = await connect(await serve())
    for room in range(50):
        await say(ann, f"room {room}", *["x" * room] * 20)
    counted = int(await redis.get("nsroom:size"))
    names = await redis.keys("nsroom:room:*")
    taken = sum([await redis.memory_usage(name, samples=0) for name in names])
    assert 0.5 < counted / taken < 2


async def test_a_full_redis_takes_nothing_and_the_own_members_go_on(
    serve: Start, connect: Connect, redis: Redis
) -> None:
    ann = await connect(await serve())
    far = await connect(await serve())
    await say(ann, "lobby", "before")
    await far.call("join", "lobby")
    await redis.config_set("maxmemory", "1mb")
    calls = [ann.call("message", {"room": "lobby", "text": text}) for text in "abcdefghij"]
    answers = await asyncio.gather(*calls)
    assert {answer["error"] for answer in answers} == {"bus_unavailable"}
    assert (await ann.next("message"))["id"] == 1
    alone = [await ann.next("message") for _ in range(10)]
    assert [(message["id"], message["text"]) for message in alone] == [(None, text) for text in "abcdefghij"]
    assert await kept(ann, "lobby") == [1]

    await redis.config_set("maxmemory", "0")

    async def is_back() -> bool:
        return "ok" in await ann.call("message", {"room": "lobby", "text": "after"})

    await until(is_back)
    message = await far.next("message")
    assert (message["id"], message["text"]) == (2, "after")


async def test_a_full_redis_forgets_what_is_too_old(serve: Start, connect: Connect, redis: Redis) -> None:
    running = await serve(history_age=2)
    ann = await connect(running)
    await say(ann, "lobby", *["x" * 100_000] * 30)
    # Of what it takes now, the messages are the most.
    taken = (await redis.info("memory"))["used_memory"]
    await redis.config_set("maxmemory", taken - 100_000)

    async def is_back() -> bool:
        return "ok" in await ann.call("message", {"room": "lobby", "text": "after"})

    await until(is_back)


async def test_a_stopped_redis_holds_nobody_up(bus: Valkey, serve: Start, connect: Connect) -> None:
    ann = await connect(await serve())
    await say(ann, "lobby", "before")
    bus.pause()
    async with asyncio.timeout(8):
        for text in "abcdefghij":
            answer = await ann.call("message", {"room": "lobby", "text": text})
            assert answer["error"] == "bus_unavailable"
        assert (await ann.call("history", "lobby"))["error"] == "history_unavailable"
    assert [(await ann.next("message"))["text"] for _ in range(11)] == ["before", *"abcdefghij"]
    bus.resume()
