"""Find out which adapters connect servers through a Redis."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from nsroom.errors import RefusedError
from nsroom.introspection.inventory import Key, Socket
from nsroom.introspection.redis import bus, classic, clustered, python_manager
from nsroom.introspection.redis.adapter import Adapter
from nsroom.introspection.redis.client import RedisClient

LOOKED_FOR = "channel such as socket.io-request#/#, socket.io#/# or socketio, and no key nsroom:servers"
"""What shows that there are servers, for a message."""
_MAX_CHANNELS = 100_000
_MAX_SERVERS = 1000
_MAX_LENGTH = 1000
"""Characters of a channel's name."""


async def find_adapters(client: RedisClient, uid: str) -> list[Adapter]:
    """Return the adapters of the servers that are subscribed. Raises: as `RedisClient.execute`."""
    channels = await _channels(client, "CHANNELS")
    sharded: list[str] = []
    with suppress(RefusedError):  # before version 7
        sharded = await _channels(client, "SHARDCHANNELS")
    keys = clustered.keys(channels) | clustered.keys(sharded)
    streams = {key: await _streams(client, key) for key in keys}
    managers = await client.execute("PUBSUB NUMSUB", *python_manager.CHANNELS)
    own = [bus.Bus("nsroom", "", uid)] if await client.execute("EXISTS", bus.SERVERS) else []
    return [
        *own,
        *python_manager.find(_numbers(managers), uid),
        *classic.find(channels, uid),
        *clustered.find_streams(channels, uid, streams),
        *clustered.find_sharded(sharded, uid, streams),
    ]


def _numbers(answer: Any) -> dict[str, int]:
    return {channel.decode("utf-8", "replace"): number for channel, number in answer}


async def stored_sockets(client: RedisClient) -> dict[Key, Socket]:
    """Return the sockets that servers of `nsroom serve` keep in Redis. Raises: as `RedisClient.execute`."""
    found: dict[Key, Socket] = {}
    for name in await client.execute("ZRANGE", bus.SERVERS, "0", str(_MAX_SERVERS - 1)):
        server = name.decode("utf-8", "replace")
        found |= bus.sockets(server, await client.fields(f"{bus.MEMBERS}{server}"))
    return found


async def _channels(client: RedisClient, command: str) -> list[str]:
    answer: Any = await client.execute(f"PUBSUB {command}", clustered.PATTERN)
    names: Iterable[Any] = answer[:_MAX_CHANNELS] if isinstance(answer, list) else []
    decoded = (name.decode("utf-8", "replace") for name in names if isinstance(name, bytes))
    return [name for name in decoded if len(name) <= _MAX_LENGTH]


async def _streams(client: RedisClient, key: str) -> list[str]:
    """Return the streams that there are of those that servers with a key may use."""
    names = clustered.stream_names(key)
    if await client.execute("TYPE", key) == b"stream":
        return [key]
    if client.is_cluster or not await client.execute("EXISTS", *names):
        return []
    return [name for name in names if await client.execute("TYPE", name) == b"stream"]
