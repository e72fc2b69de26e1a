"""Find out which adapters connect servers through a Redis."""

from typing import Any

from nsroom.introspection.redis import classic
from nsroom.introspection.redis.adapter import Adapter
from nsroom.introspection.redis.client import RedisClient

LOOKED_FOR = "channel such as socket.io-request#*"
"""What shows that there are servers, for a message."""
_MAX_CHANNELS = 100_000
_MAX_LENGTH = 1000
"""Characters of a channel's name."""


async def find_adapters(client: RedisClient, uid: str) -> list[Adapter]:
    """Return the adapters of the servers that are subscribed. Raises: as `RedisClient.execute`."""
    return [*classic.find(await _channels(client, "CHANNELS", classic.PATTERN), uid)]


async def _channels(client: RedisClient, command: str, pattern: str) -> list[str]:
    answer: Any = await client.execute(f"PUBSUB {command}", pattern)
    names = answer[:_MAX_CHANNELS] if isinstance(answer, list) else []
    decoded = (name.decode("utf-8", "replace") for name in names if isinstance(name, bytes))
    return [name for name in decoded if len(name) <= _MAX_LENGTH]
