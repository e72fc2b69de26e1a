"""Round trips of events and acknowledgements."""

import asyncio
import time

from nsroom.bench.scenarios.acks import Acks
from tests.cli.bench.conftest import Connected
from tests.cli.clients import Reference
from tests.peers import bad


async def test_at_a_rate(connected: Connected, reference: Reference) -> None:
    fleet = await connected((await reference()).url, rate=100, duration=0.3)
    await Acks(fleet).run()
    tally = fleet.tally
    assert 20 <= tally.sent == tally.answered == tally.histogram.total <= 40
    assert not tally.errors
    assert tally.seconds > 0.2


async def test_saturated(connected: Connected, reference: Reference) -> None:
    fleet = await connected((await reference()).url, in_flight=2, duration=0.2)
    await Acks(fleet).run()
    assert fleet.tally.answered == fleet.tally.sent >= 8
    assert all(not connection.pending for connection in fleet.connections)


async def test_refusals_are_errors(connected: Connected, reference: Reference) -> None:
    fleet = await connected((await reference()).url, namespace="/lab", ack="nonsense", rate=100, duration=0.1)
    await Acks(fleet).run()
    assert fleet.tally.answered == 0
    assert list(fleet.tally.errors) == ["refused: unknown_event"]


async def test_a_silent_server_ends_the_scenario_early(connected: Connected) -> None:
    async with bad.sends() as url:
        fleet = await connected(url, namespace="/", duration=60, timeout=0.3)
        start = time.monotonic()
        await Acks(fleet).run()
        assert time.monotonic() - start < 10
        assert fleet.tally.answered == 0
        assert set(fleet.tally.errors) <= {"no acknowledgement within 0.3 s"}


async def test_stopping_ends_the_scenario(connected: Connected, reference: Reference) -> None:
    fleet = await connected((await reference()).url, rate=50, duration=60)
    running = asyncio.create_task(Acks(fleet).run())
    await asyncio.sleep(0.2)
    fleet.stop.set()
    await asyncio.wait_for(running, 5)
    assert fleet.tally.answered > 0
