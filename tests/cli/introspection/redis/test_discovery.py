"""Which adapters there are on a real Valkey."""

from typing import Any

from redis.asyncio import Redis

from nsroom.introspection.redis.adapter import Adapter
from nsroom.introspection.redis.classic import ClassicAdapter
from nsroom.introspection.redis.client import RedisClient
from nsroom.introspection.redis.clustered import ShardedAdapter, ShardedStreamsAdapter, StreamsAdapter
from nsroom.introspection.redis.discovery import find_adapters
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


async def test_all_at_once(bus: Valkey, redis: Redis) -> None:
    assert await found(bus.url) == []
    await redis.xadd("other-3", {"a": "b"})
    plain = (
        "socket.io-request#/#",
        "socket.io#/#",
        f"socket.io#/#{SERVER}#",
        "other#/#",
        f"other#/#{SERVER}#",
    )
    first = await listen(redis, "subscribe", *plain)
    second = await listen(
        redis, "ssubscribe", "socket.io#/chat#", f"socket.io#/chat#{SERVER}#", "socket.io#/chat#x#"
    )
    try:
        adapters = await found(bus.url)
        assert adapters == [
            ClassicAdapter("socket.io", "/", "u"),
            StreamsAdapter("other", "/", "u"),
            StreamsAdapter("socket.io", "/", "u"),
            ShardedAdapter("socket.io", "/chat", "u"),
        ]
        assert [each.streams for each in adapters if isinstance(each, StreamsAdapter)] == [("other-3",), ()]
        assert [each.rooms for each in adapters if isinstance(each, ShardedAdapter)] == [
            ("socket.io#/chat#x#",)
        ]
        await redis.xadd("socket.io", {"a": "b"})
        assert (await found(bus.url))[-1] == ShardedStreamsAdapter("socket.io", "/chat", "u")
    finally:
        await first.aclose()
        await second.aclose()
