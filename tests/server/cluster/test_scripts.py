"""The scripts, run by a real Valkey: what they write, and what they remove."""

import asyncio
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from nsroom_server.cluster.entries import Entry, Op, Snapshot
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.cluster.scripts import BUS, SNAPSHOT, SUBMIT
from tests.peers.clock import COMPILER, WallClock
from tests.peers.valkey_server import valkey
from tests.server.cluster.test_publisher import entries_of, message

JOIN = ("1", "", "j", "/\nlobby", "sid", "null")
EVENT = ("", "e", "/\n", "", "{}")


async def submit(
    redis: Redis, server: str, *cells: str, lease: int = 5000, grace: int = 5000, deadline: int = 0
) -> list[str]:
    """Run SUBMIT for a server with one submission, or none; return its results."""
    limits = (deadline, lease, grace, 1000, 64, 10)
    arguments = (server, "epoch", 0, "", *limits, "channel", *cells)
    answer: str = await redis.eval(SUBMIT, 0, *map(str, arguments))
    return answer.split()[4:]


async def servers_down(redis: Redis) -> list[str]:
    """Return the servers that were removed."""
    return [each.origin for each in await entries_of(redis) if each.entry.op is Op.SERVER_DOWN]


async def test_an_expired_lease(redis: Redis) -> None:
    await submit(redis, "dead", *JOIN, lease=20)
    await asyncio.sleep(0.05)
    await submit(redis, "alive")
    assert await servers_down(redis) == ["dead"]
    assert await redis.zrange("nsroom:servers", 0, -1) == ["alive"]
    assert await redis.keys("nsroom:members:*") == []


async def test_no_lease_expires_while_redis_is_away(redis: Redis) -> None:
    await submit(redis, "one", *JOIN, lease=20)
    await asyncio.sleep(0.1)
    await submit(redis, "two", grace=50)
    assert await servers_down(redis) == []


async def test_late_submissions(redis: Redis) -> None:
    assert await submit(redis, "one", "1", *EVENT, deadline=1) == ["late"]
    assert await submit(redis, "one", "2", "1", *EVENT[1:], deadline=1) == ["0"]
    # Numbers that are no longer remembered were refused, or published by an earlier call.
    assert await submit(redis, "one", "1", *EVENT) == ["late"]
    assert [each.number for each in await entries_of(redis)] == [2]


async def test_a_snapshot(redis: Redis) -> None:
    await submit(redis, "one", *JOIN)
    snapshot = Snapshot.parse(await redis.eval(SNAPSHOT, 0))
    ((position, _),) = await redis.xrange(BUS)
    assert (snapshot.position, snapshot.sequence) == (position, 1)
    assert [(each.server, each.room, each.sid) for each in snapshot.nicks] == [("one", "lobby", "sid")]


async def test_a_snapshot_of_an_empty_redis(redis: Redis) -> None:
    assert Snapshot.parse(await redis.eval(SNAPSHOT, 0)) == Snapshot("0-0", 0, {})


async def test_a_room_keeps_its_last_messages(publisher: Publisher, redis: Redis) -> None:
    for number in range(300):
        publisher.submit(message(str(number)))
    while publisher._waiting:
        assert await publisher.publish_batch()
    assert [id for id, _ in await redis.xrange("nsroom:room:/\nlobby")] == [
        f"{id}-0" for id in range(291, 301)
    ]


async def test_the_bus_is_bounded_in_bytes(publisher: Publisher, redis: Redis) -> None:
    for _ in range(100):
        publisher.submit(Entry(Op.EVENT, "/", data="x" * 900_000))
        assert await publisher.publish_batch()
    entries = await entries_of(redis)
    assert 70 < len(entries) < 80
    assert entries[-1].sequence == 100


async def test_leaving_removes_the_keys_of_a_server(publisher: Publisher, redis: Redis) -> None:
    publisher.publish(Entry(Op.JOIN, "/", "lobby", "sid", "null"))
    await publisher.close()
    assert [entry.entry.op for entry in await entries_of(redis)] == [Op.JOIN, Op.SERVER_DOWN]
    left = ("beat", "bus", "epoch", "seq", "written")
    assert sorted(await redis.keys()) == [f"nsroom:{name}" for name in left]


async def jump(clock: WallClock, redis: Redis, days: int) -> None:
    """Move the clock, and wait until scripts see it: they are given the time of the loop's last turn."""
    clock.jump(days * 86_400)
    while abs(int(await redis.eval("return redis.call('TIME')[1]", 0)) - time.time() - days * 86_400) > 60:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)


@pytest.mark.skipif(not COMPILER, reason="needs a C compiler")
@pytest.mark.parametrize("days", [100, -100])
async def test_a_clock_that_jumps_takes_nothing_from_a_server(tmp_path: Path, days: int) -> None:
    clock = WallClock(tmp_path)
    async with (
        valkey(tmp_path, env=clock.variables) as bus,
        Redis.from_url(bus.url, decode_responses=True, protocol=2) as redis,
    ):
        for server in ("one", "two"):
            await submit(redis, server, *JOIN)
        await jump(clock, redis, days)
        # Its submission again, whose answer was lost: it is still known.
        assert await submit(redis, "one", *JOIN) == ["0"]
        assert len(await entries_of(redis)) == 2
        await jump(clock, redis, 0)
        await submit(redis, "one", lease=20)
        await asyncio.sleep(0.05)
        # Leases that were renewed in the future do not last until then.
        await submit(redis, "three", *JOIN)
        assert await servers_down(redis) == ["one", "two"]
        assert 0 < await redis.ttl("nsroom:server:one") <= 86_400
        assert await redis.ttl("nsroom:server:three") == -1
