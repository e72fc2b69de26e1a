"""A dedicated connection to a real Valkey, which may be stopped or forget its scripts."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from nsroom_server.cluster.connection import RedisConnection, channel_name
from tests.peers.valkey_server import Valkey


@pytest.fixture
async def connection(stack: AsyncExitStack, redis: Redis) -> RedisConnection:
    connection = RedisConnection(redis)
    stack.push_async_callback(connection.disconnect)
    return connection


async def test_commands(connection: RedisConnection) -> None:
    assert await connection.execute("SET", "key", "é") == "OK"
    assert await connection.execute("GET", "key") == "é"
    await connection.disconnect()
    assert await connection.execute("GET", "key") == "é"


async def test_a_script_that_redis_does_not_have(connection: RedisConnection, redis: Redis) -> None:
    script = redis.register_script("return ARGV[1]")
    for argument in ("one", "two"):
        assert await connection.run_script(script, [argument]) == argument
    await redis.script_flush()
    assert await connection.run_script(script, ["three"]) == "three"


async def test_a_script_that_fails(connection: RedisConnection, redis: Redis) -> None:
    with pytest.raises(ResponseError, match="no such thing"):
        await connection.run_script(redis.register_script("return redis.error_reply('no such thing')"), [])
    assert await connection.execute("PING") == "PONG"


async def test_redis_does_not_answer(connection: RedisConnection, bus: Valkey) -> None:
    await connection.execute("PING")
    bus.pause()
    with pytest.raises(TimeoutError):
        await connection.execute("ECHO", "late")
    bus.resume()
    assert await connection.execute("ECHO", "in time") == "in time"


async def test_a_cancelled_read_loses_no_push(connection: RedisConnection, redis: Redis) -> None:
    await connection.execute("SUBSCRIBE", "news")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await connection.read_push()
    await redis.publish("news", "one")
    assert await connection.read_push() == ["message", "news", "one"]


@pytest.mark.parametrize(("url", "channel"), [("redis://h", "nsroom:bus:0"), ("redis://h/3", "nsroom:bus:3")])
async def test_each_database_has_its_channel(url: str, channel: str) -> None:
    assert channel_name(Redis.from_url(url)) == channel
