"""A session that delays or drops packets, or closes after a time, as its client sees it."""

import asyncio
import json
import time

import aiohttp

from nsroom_server.settings.faults import Faults
from nsroom_server.socketio.application import Client
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import endpoint


async def test_latency(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve(faults=Faults(latency=0.2))
    ann = await connect(running, "/lab", transport=transport)
    started = time.monotonic()
    for number in range(30):
        await ann.emit("echo", number)
    assert await ann.call("echo", 30) == 30
    assert [await ann.next("echo") for _ in range(31)] == list(range(31))
    assert 0.2 <= time.monotonic() - started < 5  # 31 delays one after the other would be more than 6 s


async def test_drop(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve(faults=Faults(drop=0.3))
    ann = await connect(running, "/lab", transport=transport)
    for number in range(80):
        await ann.emit("echo", number)
        await asyncio.sleep(0.01)  # this client does not accept more than 16 packets of one poll
    arrived = [await ann.next("echo") for _ in range(20)]  # of about 40: events and answers are dropped
    assert arrived == sorted(arrived)
    assert arrived != list(range(20))


async def test_events_with_attachments_are_not_dropped(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(faults=Faults(drop=1)), "/lab")
    await ann.emit("kick", b"x")
    await asyncio.wait_for(ann.disconnected.wait(), WAIT)


async def test_kick(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(faults=Faults(kick=0.3)), transport=transport)
    await asyncio.wait_for(ann.disconnected.wait(), WAIT)


async def test_delayed_packets_are_sent_before_a_kick(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(faults=Faults(latency=30, kick=0.3)), wait=False)
    assert await ann.next("hi") == "everyone!"
    await asyncio.wait_for(ann.disconnected.wait(), WAIT)


async def test_broadcasts_of_one_turn_are_dropped_one_by_one(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve(faults=Faults(drop=0.5))
    assert running.server
    async with http.ws_connect(endpoint(running, "websocket")) as ws:
        await ws.send_str("40")
        packets = [await ws.receive_str(timeout=WAIT) for _ in range(2)]
        assert [packet[:2] for packet in packets] == ["0{", "40"]
        for number in range(100):
            running.server.emit("x", number, namespace="/")
        client = Client("/", next(iter(running.server.rooms.sockets("/"))))
        await running.server.disconnect(client)
        arrived = []
        while (packet := await ws.receive_str(timeout=WAIT)) != "41":
            arrived += [json.loads(packet[2:])[1]] if "x" in packet else []
    assert arrived == sorted(arrived)
    assert 0 < len(arrived) < 100
