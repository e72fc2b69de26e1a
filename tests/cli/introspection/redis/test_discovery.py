"""Which adapters there are on a real Valkey."""

from typing import Any

from redis.asyncio import Redis

from nsroom.introspection.redis.adapter import Adapter
from nsroom.introspection.redis.bus import Bus
from nsroom.introspection.redis.classic import ClassicAdapter
from nsroom.introspection.redis.client import RedisClient
from nsroom.introspection.redis.clustered import ShardedAdapter, StreamsAdapter
from nsroom.introspection.redis.discovery import find_adapters, stored_sockets
from tests.peers.valkey_server import Valkey

SERVER = "0123456789abcdef"


async def found(url: str) -> list[Adapter]:
    client = RedisClient(url, 20)
    await client.open()
    try:
        return await find_adapters(client, "u")
    finally:
        await client.close()


async def listen(redis: Redis, kind: str, *channels: str) -> Any:
    pubsub = redis.pubsub()
    await getattr(pubsub, kind)(*channels)
    for _ in channels:
        await pubsub.get_message(timeout=10)
    return pubsub


async def test_the_sockets_of_our_own_servers(bus: Valkey, redis: Redis) -> None:
    await redis.zadd("nsroom:servers", {"one": 1, "two": 2})
    await redis.hset("nsroom:members:one", "/\nlobby\ns1", "null")
    await redis.hset("nsroom:members:two", "/\nlobby\ns2", '"ann"')
    assert await found(bus.url) == [Bus("nsroom", "", "u")]
    client = RedisClient(bus.url, 20)
    await client.open()
    try:
        sockets = await stored_sockets(client)
    finally:
        await client.close()
    assert {key: each.server for key, each in sockets.items()} == {("/", "s1"): "one", ("/", "s2"): "two"}


async def test_all_at_once(bus: Valkey, redis: Redis) -> None:
    assert await found(bus.url) == []
    await redis.xadd("other-3", {"a": "b"})
    streams = ("socket.io#/#", f"socket.io#/#{SERVER}#", "other#/#", f"other#/#{SERVER}#")
    chat = ("socket.io#/chat#", f"socket.io#/chat#{SERVER}#", "socket.io#/chat#x#")
    first = await listen(redis, "subscribe", "socket.io-request#/#", *streams)
    second = await listen(redis, "ssubscribe", *chat)
    try:
        adapters = await found(bus.url)
        assert adapters == [
            ClassicAdapter("socket.io", "/", "u"),
            StreamsAdapter("other", "/", "u"),
            StreamsAdapter("socket.io", "/", "u"),
            ShardedAdapter("socket.io", "/chat", "u"),
        ]
        assert [each.streams for each in adapters if isinstance(each, StreamsAdapter)] == [("other-3",), ()]
        assert [each.rooms for each in adapters if isinstance(each, ShardedAdapter)] == [chat[2:]]
    finally:
        await first.aclose()
        await second.aclose()
