"""Faults of sessions, as clients see them."""

import asyncio
import time

from nsroom_server.settings.faults import Faults
from tests.server.member import WAIT, Connect, Serve


async def test_latency(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve(faults=Faults(latency=0.2))
    ann = await connect(running, "/lab", transport=transport)
    begun = time.monotonic()
    for number in range(30):
        await ann.emit("echo", number)
    assert await ann.call("echo", 30) == 30
    assert [await ann.next("echo") for _ in range(31)] == list(range(31))
    assert 0.2 <= time.monotonic() - begun < 5  # 31 pauses, one behind the other, would be more than 6 s


async def test_drop(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve(faults=Faults(drop=0.3))
    ann = await connect(running, "/lab", transport=transport)
    for number in range(40):
        await ann.emit("echo", number)
        await asyncio.sleep(0.01)  # this client does not take more than 16 packets of one poll
    arrived = [await ann.next("echo") for _ in range(5)]
    assert arrived == sorted(arrived)
    assert arrived != [0, 1, 2, 3, 4]


async def test_kick(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(faults=Faults(kick=0.3)), transport=transport)
    await asyncio.wait_for(ann.disconnected.wait(), WAIT)
