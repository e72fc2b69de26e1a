"""Fan-out from a sender to the members of its room."""

import asyncio
import dataclasses

from nsroom.bench.fleet import Fleet
from nsroom.bench.scenarios.fanout import Fanout
from nsroom.bench.scenarios.joining import Joining
from nsroom.bench.tally import Tally, merge, missing_deliveries
from tests.cli.bench.conftest import Connected
from tests.cli.clients import Reference


async def joined(fleet: Fleet) -> Fanout:
    await Joining(fleet).run()
    fanout = Fanout(fleet)
    fleet.tally = fanout.tally
    return fanout


async def test_every_member_but_the_sender_gets_each_message(
    connected: Connected, reference: Reference
) -> None:
    fanout = await joined(await connected((await reference()).url, clients=6, rooms=2, rate=50))
    await fanout.run()
    tally = fanout.tally
    assert tally.sent > 5
    assert tally.answered == 2 * tally.sent
    assert sorted((room.members, room.received // room.sent) for room in tally.rooms.values()) == [(3, 2)] * 2
    assert missing_deliveries(tally.rooms) == 0
    assert not tally.errors


async def test_saturated(connected: Connected, reference: Reference) -> None:
    fanout = await joined(await connected((await reference()).url, in_flight=2, duration=0.2))
    await fanout.run()
    assert fanout.tally.answered == 3 * fanout.tally.sent > 0


async def test_a_room_in_two_workers(connected: Connected, reference: Reference) -> None:
    url = (await reference()).url
    first = await connected(url, workers=2, rate=50)
    second = await connected(url, workers=2, rate=50)
    second.close()
    plan = dataclasses.replace(second.plan, worker=1)
    second = Fleet(plan)
    await second.connect()
    second.tally = Tally()
    one, two = await joined(first), await joined(second)
    await asyncio.gather(one.run(), two.run())
    sent = one.tally.sent
    assert (sent > 0, two.tally.sent) == (True, 0)
    await asyncio.gather(one.collect(sent), two.collect(sent))
    both = merge([one.tally, two.tally])
    assert both.answered == 3 * sent
    assert missing_deliveries(both.rooms) == 0
    second.close()


async def test_another_member_replaces_a_sender_that_disconnects(
    connected: Connected, reference: Reference
) -> None:
    fleet = await connected((await reference()).url, rate=50, duration=0.6)
    fanout = await joined(fleet)
    running = asyncio.create_task(fanout.run())
    await asyncio.sleep(0.2)
    sent = fanout.tally.sent
    sender = min(fleet.connections, key=lambda each: each.member)
    sender.fail("test")
    await running
    assert fanout.tally.sent > sent
    assert fanout.tally.errors["connection lost: test"] == 1
