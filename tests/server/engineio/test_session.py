"""Engine.IO sessions: heartbeat, upgrade, polls and malformed packets."""

import asyncio
import json

import aiohttp
import pytest

from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import closing, endpoint, poll, websocket

MALFORMED = [
    "9",
    "b!",
    "4",
    "42[",
    "42{}",
    "42[]",
    "42[null]",
    "42[[1]]",
    "42[NaN]",
    '42["x",1e999]',
    '42["x",Infinity]',
    '42["x",' + "[" * 64 + "]" * 64 + "]",
    "4" + "[" * 5000,
    "42" + "9" * 200 + '["x"]',
    "40",
    "40[1]",
    '42/chat,["x"]',
    "44",
    "47",
    "451000000-[1]",
    '4511-["x"]',
    '451-["x",{"_placeholder":true,"num":0}]\x1e42["x"]',
    '451-["x",{"_placeholder":true,"num":7}]\x1ebAAEC',
    "bAAEC",
]


async def test_a_heartbeat_that_is_not_answered_ends_the_session(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(ping_interval=0.1, ping_timeout=0.1)
    bob = await connect(running)
    async with websocket(http, running) as ws:
        await ws.send_str('42["join","lobby"]')
        await closing(ws)
    assert (await bob.next("delete-room"))["room"] == "lobby"


@pytest.mark.parametrize("frames", MALFORMED)
async def test_malformed_packets_end_the_session(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession, frames: str
) -> None:
    running = await serve()
    bob = await connect(running)
    async with websocket(http, running) as ws:
        await ws.send_str('42["join","lobby"]')
        assert await bob.next("create-room")
        for frame in frames.split("\x1e"):
            await (ws.send_bytes(b"\x00\x01\x02") if frame == "bAAEC" else ws.send_str(frame))
        await closing(ws)
    assert (await bob.next("delete-room"))["members"] == 0
    assert (await bob.call("rooms"))["rooms"] == []


async def test_ten_attachments_pass(serve: Serve, http: aiohttp.ClientSession) -> None:
    async with websocket(http, await serve()) as ws:
        places = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(10))
        await ws.send_str(f'4510-1["nope",{places}]')
        for _ in range(10):
            await ws.send_bytes(b"x")
        assert '"unknown_event"' in await ws.receive_str(timeout=WAIT)


async def test_a_close_packet_ends_the_waiting_poll(serve: Serve, http: aiohttp.ClientSession) -> None:
    session = await poll(http, await serve())
    waiting = asyncio.create_task(session.get())
    await asyncio.sleep(0.05)
    assert await session.post("1") == 200
    assert await asyncio.wait_for(waiting, WAIT) == (200, "6")


async def test_a_broken_off_upgrade_leaves_the_polling_session(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve()
    session = await poll(http, running)
    async with http.ws_connect(endpoint(running, "websocket", session.sid)):
        pass
    await session.post('421["rooms"]')
    async with asyncio.timeout(WAIT):
        while "431" not in (await session.get())[1]:
            continue


@pytest.mark.parametrize(
    ("agent", "most"), [("Python/3.11 aiohttp/3.14.5", 16), ("node-XMLHttpRequest", 100)]
)
async def test_a_poll_brings_as_much_as_its_client_takes(serve: Serve, agent: str, most: int) -> None:
    running = await serve()
    numbers: list[int] = []
    largest = 0
    async with aiohttp.ClientSession(headers={"User-Agent": agent}) as http, asyncio.timeout(WAIT):
        session = await poll(http, running)
        await session.post("40/lab,")
        await session.get()
        assert await session.post('42/lab,["flood",{"count":100}]') == 200
        while len(numbers) < 100:
            packets = (await session.get())[1].split("\x1e")
            largest = max(largest, len(packets))
            numbers += [json.loads(each[7:])[1]["n"] for each in packets if "flood" in each]
    assert numbers == list(range(100))
    assert largest == most
