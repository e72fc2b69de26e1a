"""Fixtures: a Valkey that outlives the servers, and servers that form a cluster over it."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from nsroom_server.app import Running, serving
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.settings.config import Config
from tests.peers.valkey_server import Valkey, valkey
from tests.server.cluster.lobby import Servers


@pytest.fixture
def valkey_options() -> tuple[str, ...]:
    """Options of the `bus`, for a test module to override."""
    return ()


@pytest.fixture
async def bus(stack: AsyncExitStack, tmp_path: Path, valkey_options: tuple[str, ...]) -> Valkey:
    """A Valkey that outlives the servers."""
    return await stack.enter_async_context(valkey(tmp_path, *valkey_options))


@pytest.fixture
async def redis(stack: AsyncExitStack, bus: Valkey) -> Redis:
    """A connection to the `bus`, to inspect it."""
    return await stack.enter_async_context(Redis.from_url(bus.url, decode_responses=True, protocol=2))


@pytest.fixture
def servers(stack: AsyncExitStack, bus: Valkey) -> Servers:
    """Start a cluster: `await servers(3)`."""

    async def start(count: int) -> list[Running]:
        config = Config(port=0, redis=bus.url, drain=1)
        return [await stack.enter_async_context(serving(config)) for _ in range(count)]

    return start


@pytest.fixture
async def losses() -> list[str]:
    """Filled when the publisher reports a loss of data."""
    return []


@pytest.fixture
async def publisher(stack: AsyncExitStack, redis: Redis, losses: list[str]) -> Publisher:
    """A publisher whose `publish_batch` is called by the test."""
    publisher = Publisher(redis, lambda: losses.append("loss"), room_length=10)
    stack.push_async_callback(publisher.disconnect)
    return publisher
