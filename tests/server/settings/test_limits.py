"""Every limit: reaching it is accepted, exceeding it is refused with the documented answer."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from nsroom_server.errors import ConfigError
from nsroom_server.settings.limits import Limits
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import closing, endpoint, handshake, poll, websocket

PLACE = '{"_placeholder":true,"num":0}'
NEVER = 0.001
"""A rate that allows nothing more during a test."""


def test_parsing() -> None:
    limits = Limits.parse(["events_per_second=0.5", "room_name=7"])
    assert (limits.events_per_second, limits.room_name, limits.attachments) == (0.5, 7, 10)


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("rooms", "limit 'rooms': no such limit"),
        ("rooms=1", "limit 'rooms': no such limit"),
        ("nick=x", "limit nick 'x': must be a number"),
        ("nick=1.5", "limit nick '1.5': must be a number"),
        ("nick=0", "limit nick 0: must be more"),
        ("body_timeout=nan", "limit body_timeout nan: must be more"),
    ],
)
def test_errors_name_the_wrong_limit(setting: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Limits.parse([setting])


@pytest.mark.parametrize(
    ("accepted", "refused"),
    [
        ("[" * 63 + "]" * 63, "[" * 64 + "]" * 64),
        (f'{{"a":{"[" * 62}{"]" * 62}}}', f'{{"a":{"[" * 63}{"]" * 63}}}'),
    ],
)
async def test_json_depth(serve: Serve, http: aiohttp.ClientSession, accepted: str, refused: str) -> None:
    async with websocket(http, await serve()) as ws:
        await ws.send_str(f'421["nope",{accepted}]')
        assert "unknown_event" in await ws.receive_str(timeout=WAIT)
        await ws.send_str(f'421["nope",{refused}]')
        assert await closing(ws) == 1002


@pytest.mark.parametrize(("start", "count"), [("42", 8), ("451-", 4)])
async def test_json_containers(serve: Serve, http: aiohttp.ClientSession, start: str, count: int) -> None:
    running = await serve(limits=Limits(json_containers=8))
    for more, accepted in ((0, True), (1, False)):
        inner = ",[]" * (count - (2 if "-" in start else 1) + more)
        async with websocket(http, running) as ws:
            await ws.send_str(f'{start}1["nope"{f",{PLACE}" if "-" in start else ""}{inner}]')
            if not accepted:
                assert await closing(ws) == 1002
                continue
            if "-" in start:
                await ws.send_bytes(b"x")
            assert "unknown_event" in await ws.receive_str(timeout=WAIT)


async def test_attachments(serve: Serve, http: aiohttp.ClientSession) -> None:
    async with websocket(http, await serve(limits=Limits(attachments=2))) as ws:
        await ws.send_str(f'452-1["nope",{PLACE}]')
        for _ in range(2):
            await ws.send_bytes(b"x")
        assert "unknown_event" in await ws.receive_str(timeout=WAIT)
        await ws.send_str(f'453-1["nope",{PLACE}]')
        assert await closing(ws) == 1002


async def test_the_size_of_a_packet_with_attachments(serve: Serve, http: aiohttp.ClientSession) -> None:
    async with websocket(http, await serve(max_payload=1000)) as ws:
        text = f'452-1["nope",{PLACE}]'
        for size, answered in ((1000, True), (1001, False)):
            await ws.send_str(text)
            await ws.send_bytes(bytes(500))
            await ws.send_bytes(bytes(size - 500 - len(text) + 1))
            if answered:
                assert "unknown_event" in await ws.receive_str(timeout=WAIT)
        assert await closing(ws) == 1002


async def test_room_names(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve())
    assert (await ann.call("join", "r" * 128))["ok"]
    assert (await ann.call("join", "r" * 129))["error"] == "bad_room"


async def test_rooms(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(limits=Limits(rooms_per_socket=2)))
    answers = [await ann.call("join", room) for room in ("a", "b", "c")]
    assert [answer.get("error") for answer in answers] == [None, None, "too_many_rooms"]
    await ann.call("leave", "a")
    assert (await ann.call("join", "c"))["ok"]


async def test_events(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(limits=Limits(events_per_second=20, events_burst=5)), transport=transport)
    answers: asyncio.Queue[Any] = asyncio.Queue()
    for _ in range(7):
        await ann.client.emit("rooms", callback=answers.put_nowait)
    received = [await asyncio.wait_for(answers.get(), WAIT) for _ in range(7)]
    assert [answer.get("error") for answer in received[:6]] == [None] * 5 + ["rate_limited"]
    await asyncio.sleep(0.1)
    assert (await ann.call("rooms"))["ok"]


async def test_events_without_an_acknowledgement_are_delayed(serve: Serve, connect: Connect) -> None:
    running = await serve(limits=Limits(events_per_second=50, events_burst=5))
    ann, bob = await connect(running), await connect(running)
    for member in (ann, bob):
        await member.call("join", "lobby")
    started = asyncio.get_running_loop().time()
    for number in range(20):
        await ann.emit("emit", {"event": "x", "args": [number], "to": "lobby"})
    assert [await bob.next("x") for _ in range(20)] == list(range(20))
    assert asyncio.get_running_loop().time() - started > 0.2


async def test_events_per_address(serve: Serve, connect: Connect) -> None:
    limits = Limits(address_events_per_second=10, address_events_burst=8)
    running = await serve(limits=limits)
    members = [await connect(running) for _ in range(2)]
    answers = await asyncio.gather(*(member.call("rooms") for member in members for _ in range(4)))
    assert [answer for answer in answers if "error" in answer]


async def test_namespaces(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(limits=Limits(namespaces_per_connection=1))
    async with websocket(http, running) as ws:
        await ws.send_str("40/chat")
        assert await ws.receive_str(timeout=WAIT) == '44/chat,{"message":"too_many_namespaces"}'
        await ws.send_str("41")
        await ws.send_str("40/chat")
        assert (await ws.receive_str(timeout=WAIT)).startswith("40/chat,{")


async def test_connects(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(limits=Limits(events_per_second=10, events_burst=2))
    async with websocket(http, running) as ws:
        await ws.send_str("41")
        await ws.send_str("40")
        assert await ws.receive_str(timeout=WAIT) == '44{"message":"rate_limited"}'


async def test_timeout_of_a_connect(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(limits=Limits(connect_timeout=0.2))
    silent = await handshake(http, running)
    async with websocket(http, running) as ws, http.ws_connect(endpoint(running, "websocket")) as other:
        assert await closing(other) == 1008
        async with http.get(endpoint(running, "polling", silent["sid"])) as response:
            assert response.status == 400
        await ws.send_str('421["rooms"]')
        assert (await ws.receive_str(timeout=WAIT)).startswith("431")


async def test_connections_per_address(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(limits=Limits(connections_per_address=2))
    async with websocket(http, running):
        session = await poll(http, running)
        for transport in ("polling", "websocket"):
            assert await status(http, endpoint(running, transport)) == (429, 4)
        assert await session.post("1") == 200
        assert await status(http, endpoint(running, "polling")) == (200, None)


async def test_new_connections_per_address(serve: Serve, http: aiohttp.ClientSession) -> None:
    limits = Limits(address_connects_per_second=NEVER, address_connects_burst=2)
    running = await serve(limits=limits)
    statuses = [(await status(http, endpoint(running, "polling")))[0] for _ in range(3)]
    assert statuses == [200, 200, 429]


async def status(http: aiohttp.ClientSession, url: str) -> tuple[int, int | None]:
    """Return the status of a response, and its code if it is an error."""
    websocket = {"Upgrade": "websocket", "Connection": "Upgrade"} if "websocket" in url else {}
    async with http.get(url, headers=websocket) as response:
        body = await response.text()
        return response.status, json.loads(body)["code"] if response.status != 200 else None


async def test_timeout_of_a_body(serve: Serve, http: aiohttp.ClientSession) -> None:
    session = await poll(http, await serve(limits=Limits(body_timeout=0.2)))

    async def slow() -> Any:
        yield b"42"
        await asyncio.sleep(0.5)
        yield b"[]"

    async with http.post(session.url, data=slow()) as response:
        assert response.status == 408
    assert await session.post("3") == 400
