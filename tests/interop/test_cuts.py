"""Faults under load: the promise of `tests.peers.history_model` holds, and `join --save` loses nothing."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.peers.clock import COMPILER, WallClock
from tests.peers.cuts import Trial
from tests.peers.history_model import Gap, broken
from tests.peers.program import Spawner
from tests.peers.valkey_server import valkey

STOP = 4.0
"""Seconds: longer than both sides wait for a heartbeat."""


async def require_whole(trial: Trial) -> None:
    """Find no promise broken, and nothing missing: all that was missed was fetched."""
    assert broken(await trial.history()) == []
    assert [item for item in trial.recorded if isinstance(item, Gap)] == []
    assert trial.acknowledged > 0


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_cuts_and_kills(spawn: Spawner, tmp_path: Path, transport: str) -> None:
    trial, chance = Trial(spawn, tmp_path, transport), random.Random(7)
    async with trial.going_on():
        await trial.kill()
        await trial.stop(STOP)
        for cut in chance.choices([trial.reset, trial.kill], [3, 1], k=8):
            await asyncio.sleep(chance.uniform(0.1, 0.9))
            await cut()
    await require_whole(trial)
    assert trial.replayed > 0


@pytest.mark.skipif(not COMPILER, reason="needs a C compiler")
async def test_the_wall_clock_jumps(spawn: Spawner, tmp_path: Path) -> None:
    trial = Trial(spawn, tmp_path, clock=WallClock(tmp_path))
    async with trial.going_on():
        await trial.jump(100)
        await trial.reset()
        await trial.jump(-100)
        await trial.kill()
    await require_whole(trial)


@pytest.mark.parametrize("other", [None, b"", b"another file"])
async def test_the_file_is_removed_or_replaced(spawn: Spawner, tmp_path: Path, other: bytes | None) -> None:
    trial = Trial(spawn, tmp_path)
    async with trial.going_on():
        await trial.remove_file(other)
        await trial.reset()
        await trial.kill()
    await require_whole(trial)


async def test_faults_of_a_cluster(spawn: Spawner, tmp_path: Path) -> None:
    clock = WallClock(tmp_path) if COMPILER else None
    (tmp_path / "valkey").mkdir()
    async with valkey(tmp_path / "valkey", env=clock.variables if clock else None) as redis:
        trial = Trial(spawn, tmp_path, redis=redis, variables=({}, {}), clock=clock)
        async with trial.going_on():
            await trial.kill(1)
            await trial.command_redis("SCRIPT", "FLUSH")
            await trial.command_redis("CLIENT", "KILL", "SKIPME", "yes")
            await trial.command_redis("CLIENT", "PAUSE", "1000", "ALL")
            await trial.reset()
            if clock:
                await trial.jump(100)
            await trial.kill_redis()
            await trial.stop(STOP, 1)
            await trial.pause_redis(STOP)
            await trial.kill()
        await require_whole(trial)


async def test_a_room_is_joined_again_after_an_outage_of_redis(spawn: Spawner, tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    async with valkey(tmp_path / "valkey") as redis:
        trial = Trial(spawn, tmp_path, redis=redis, variables=({}, {}))
        async with trial.going_on():
            redis.pause()
            await trial.reset()
            await asyncio.sleep(STOP)
            redis.resume()
        await require_whole(trial)
    assert "the server refuses to join lobby (bus_unavailable" in trial.watcher.stderr.text
