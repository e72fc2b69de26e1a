"""Cuts under load: `join --save` loses and doubles nothing that was acknowledged."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.peers.cuts import Trial
from tests.peers.program import Spawner

STOP = 4.0
"""Seconds: longer than both sides wait for a heartbeat."""


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_nothing_is_lost_and_nothing_doubled(
    spawn: Spawner, serve: StartServer, tmp_path: Path, transport: str
) -> None:
    trial, chance = Trial(spawn, serve, tmp_path, transport), random.Random(7)
    async with trial.going_on():
        await trial.kill()
        await trial.stop(STOP)
        for cut in chance.choices([trial.reset, trial.kill], [3, 1], k=8):
            await asyncio.sleep(chance.uniform(0.1, 0.9))
            await cut()
    trial.check_stored()
    outcome = trial.outcome
    assert (outcome.lost, outcome.doubled, outcome.unordered) == (set(), set(), False)
    assert outcome.unknown == {None}
    assert outcome.replayed > 0
