"""Readiness and measurements of the bus."""

import aiohttp
import pytest
from redis.asyncio import Redis

from nsroom_server.app import Running
from tests.peers.valkey_server import Valkey
from tests.server.cluster.lobby import Servers, until
from tests.server.member import Connect
from tests.server.operations.test_endpoints import Samples, get, metrics


@pytest.fixture
async def pair(servers: Servers) -> list[Running]:
    """A cluster of two servers."""
    return await servers(2)


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

    def growth(after: Samples, name: str, label: str = "") -> float:
        return after[name, label] - before[name, label]

    async def has_read() -> bool:
        return growth(await metrics(http, pair[0]), "nsroom_bus_entries_total", "in") == 6

    await until(has_read)
    after = await metrics(http, pair[0])
    assert growth(after, "nsroom_bus_entries_total", "out") == 3
    assert growth(after, "nsroom_bus_lag_seconds_count") == 6
    assert growth(after, "nsroom_history_seconds_count") == 3
    unchanged = ("doubles_total", "missed_total", "outages_total", "queue", "behind")
    assert {name: after[f"nsroom_bus_{name}", ""] for name in unchanged} == dict.fromkeys(unchanged, 0)

    async def knows_both() -> bool:
        samples = [await metrics(http, running) for running in pair]
        return all(each["nsroom_bus_servers", ""] == 2 for each in samples)

    await until(knows_both)


async def test_entries_that_are_not_read_yet(
    redis: Redis, pair: list[Running], http: aiohttp.ClientSession
) -> None:
    await redis.incrby("nsroom:seq", 5)

    async def is_behind() -> bool:
        return (await metrics(http, pair[0]))["nsroom_bus_behind", ""] == 5

    await until(is_behind)
