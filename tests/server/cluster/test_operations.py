"""What operators see of the bus: whether it works, and its measurements."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Config
from tests.peers.valkey_server import Valkey, valkey
from tests.server.member import Connect
from tests.server.operations.test_endpoints import Samples, get, metrics


@pytest.fixture
async def bus(stack: AsyncExitStack, tmp_path: Path) -> Valkey:
    """A Valkey that outlives the servers."""
    return await stack.enter_async_context(valkey(tmp_path))


@pytest.fixture
async def pair(stack: AsyncExitStack, bus: Valkey) -> list[Running]:
    """Two servers that are one."""
    config = Config(port=0, redis=bus.url, drain=1)
    return [await stack.enter_async_context(serving(config)) for _ in range(2)]


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(10):
        while not await check():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.05)


async def test_a_server_without_the_bus_is_degraded(
    bus: Valkey, pair: list[Running], http: aiohttp.ClientSession
) -> None:
    assert await get(http, pair[0], "/readyz") == (200, {"status": "ready"})
    bus.pause()
    degraded = {"status": "degraded", "failing": ["history", "bus"]}

    async def is_degraded() -> bool:
        return await get(http, pair[0], "/readyz") == (200, degraded)

    await until(is_degraded)
    assert (await metrics(http, pair[0]))["nsroom_part_ok", "bus"] == 0
    bus.resume()

    async def is_back() -> bool:
        return await get(http, pair[0], "/readyz") == (200, {"status": "ready"})

    await until(is_back)
    assert (await metrics(http, pair[0]))["nsroom_bus_outages_total", ""] == 1


async def test_measurements(pair: list[Running], connect: Connect, http: aiohttp.ClientSession) -> None:
    ann, bob = [await connect(running) for running in pair]
    await ann.call("join", "lobby")
    await bob.call("join", "lobby")
    before = await metrics(http, pair[0])
    for text in "abc":
        await ann.call("message", {"room": "lobby", "text": text})
        await bob.call("message", {"room": "lobby", "text": text})

    def grown(after: Samples, name: str, label: str = "") -> float:
        return after[name, label] - before[name, label]

    async def has_read() -> bool:
        return grown(await metrics(http, pair[0]), "nsroom_bus_entries_total", "in") == 6

    await until(has_read)
    after = await metrics(http, pair[0])
    assert grown(after, "nsroom_bus_entries_total", "out") == 3
    assert grown(after, "nsroom_bus_lag_seconds_count") == 6
    assert grown(after, "nsroom_history_seconds_count") == 3
    still = ("doubles_total", "missed_total", "outages_total", "queue", "behind")
    assert {name: after[f"nsroom_bus_{name}", ""] for name in still} == dict.fromkeys(still, 0)

    async def knows_both() -> bool:
        samples = [await metrics(http, running) for running in pair]
        return all(each["nsroom_bus_servers", ""] == 2 for each in samples)

    await until(knows_both)


async def test_what_is_written_and_not_read_is_seen(
    bus: Valkey, pair: list[Running], http: aiohttp.ClientSession
) -> None:
    async with Redis.from_url(bus.url) as redis:
        await redis.incrby("nsroom:seq", 5)

    async def is_behind() -> bool:
        return (await metrics(http, pair[0]))["nsroom_bus_behind", ""] == 5

    await until(is_behind)
