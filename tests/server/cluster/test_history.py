"""Reading the history from Redis."""

import asyncio
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from nsroom_server.chat.history import HistoryError
from nsroom_server.chat.requests import Page
from nsroom_server.cluster.history import SharedHistory
from nsroom_server.cluster.publisher import Publisher
from tests.peers.cuts import Relay
from tests.peers.valkey_server import Valkey
from tests.server.cluster.lobby import Servers, join_lobby, say
from tests.server.member import Connect

NEVER: Retry = Retry(NoBackoff(), 0)


async def test_pages(servers: Servers, connect: Connect) -> None:
    (running,) = await servers(1)
    ann = await connect(running)
    await ann.call("join", "lobby")
    await asyncio.gather(*(ann.call("message", {"room": "lobby", "text": "x" * 90}) for _ in range(250)))

    async def ids(**page: int) -> list[int]:
        answer = await ann.call("history", {"room": "lobby", **page})
        return [entry["id"] for entry in answer["history"]]

    assert await ids(limit=1000) == list(range(1, 251))
    assert await ids(limit=17) == list(range(234, 251))
    assert await ids(after=100, limit=100) == list(range(101, 201))
    assert await ids(after=250) == []


async def test_the_last_id_of_a_room(servers: Servers, connect: Connect, bus: Valkey, redis: Redis) -> None:
    ann, _ = await join_lobby(connect, await servers(2))
    for text in ("one", "two"):
        await ann.call("message", {"room": "lobby", "text": text})
    history = SharedHistory(redis, Publisher(redis, lambda: None, room_length=0))
    assert await history.last("/", "lobby") == 2
    assert await history.last("/", "other") == 0
    await bus.kill()
    with pytest.raises(HistoryError, match="Redis does not answer"):
        await history.last("/", "lobby")


async def test_a_stopped_redis_delays_only_the_first_request(
    bus: Valkey, servers: Servers, connect: Connect
) -> None:
    (running,) = await servers(1)
    ann = await connect(running)
    await say(ann, "lobby", "before")
    bus.pause()
    async with asyncio.timeout(8):
        for text in "abcdefghij":
            answer = await ann.call("message", {"room": "lobby", "text": text})
            assert answer["error"] == "bus_unavailable"
        assert (await ann.call("history", "lobby"))["error"] == "history_unavailable"
    assert [(await ann.next("message"))["text"] for _ in range(11)] == ["before", *"abcdefghij"]
    bus.resume()


async def test_a_damaged_message_is_left_out_and_reported(
    servers: Servers, connect: Connect, redis: Redis
) -> None:
    (running,) = await servers(1)
    ann = await connect(running)
    await say(ann, "lobby", *"abc")
    (key,) = await redis.keys("nsroom:room:*")
    rows = await redis.xrange(key)
    await redis.delete(key)
    for (position, fields), body in zip(
        rows, (rows[0][1]["body"], '{"text', rows[2][1]["body"]), strict=True
    ):
        await redis.xadd(key, {**fields, "body": body}, id=position)
    answer = await ann.call("history", "lobby")
    assert [entry["text"] for entry in answer["history"]] == ["a", "c"]
    assert answer["gap"] == "damaged"


async def test_reads_are_repeated_after_a_reset(
    stack: AsyncExitStack, bus: Valkey, publisher: Publisher
) -> None:
    relay = Relay(bus.port)
    address = urlsplit(await stack.enter_async_context(relay.listening()))
    redis = Redis(host=str(address.hostname), port=address.port or 0, retry=NEVER, decode_responses=True)
    history = SharedHistory(await stack.enter_async_context(redis), publisher)

    async def read() -> None:
        assert await history.last("/", "lobby") == 0
        assert await history.read("/", Page("lobby", None, 10), 1000) == []

    async with asyncio.TaskGroup() as group:
        bus.pause()
        for _ in range(6):
            group.create_task(read())
        await asyncio.sleep(0.2)
        relay.cut()
        bus.resume()
    # In the pool are connections that the server has closed, too.
    relay.cut()
    await asyncio.gather(*(read() for _ in range(6)))
