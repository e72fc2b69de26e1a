"""The Engine.IO endpoint: handshake, polling and origins."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import closing, endpoint, handshake, poll, websocket


async def test_the_handshake_is_exact(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(ping_interval=0.3, ping_timeout=0.2, max_payload=5000)
    opened = await handshake(http, running)
    assert opened.pop("sid")
    assert opened == {"upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 5000}


@pytest.mark.parametrize(("offered", "refused"), [("polling", "websocket"), ("websocket", "polling")])
async def test_transports(serve: Serve, http: aiohttp.ClientSession, offered: str, refused: str) -> None:
    running = await serve(transports=(offered,))
    async with http.get(endpoint(running, refused)) as response:
        assert response.status == 400
    if offered == "polling":
        assert (await handshake(http, running))["upgrades"] == []


async def test_the_path(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(path="/deep/er")
    async with http.get(f"{running.url}/deep/er/?EIO=4&transport=polling") as response:
        assert response.status == 200
    async with http.get(endpoint(running, "polling")) as response:
        assert response.status == 404


@pytest.mark.parametrize("packets", [17, 1000])
async def test_a_body_of_many_packets_is_taken_whole(
    serve: Serve, http: aiohttp.ClientSession, packets: int
) -> None:
    session = await poll(http, await serve())
    body = "\x1e".join(f'42{number}["rooms"]' for number in range(packets))
    assert await session.post(body) == 200
    answers: list[str] = []
    while len(answers) < packets:
        answers += (await session.get())[1].split("\x1e")
    assert [answer.split("[")[0] for answer in answers] == [f"43{number}" for number in range(packets)]


async def test_a_body_in_pieces_is_taken_whole(serve: Serve, http: aiohttp.ClientSession) -> None:
    session = await poll(http, await serve())

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"42", b'7["ro', b'oms"]'):
            yield piece
            await asyncio.sleep(0.02)

    async with http.post(session.url, data=pieces()) as response:
        assert response.status == 200
    assert '437[{"ok":true,"rooms":[]}]' in (await session.get())[1]


@pytest.mark.parametrize(
    "body", ["", "42[", "9", "b!", "42[]\x1e", b"\xff", "4" + "[" * 900, "x" * 1000, "2"]
)
async def test_a_malformed_body_ends_the_session(
    serve: Serve, http: aiohttp.ClientSession, connect: Connect, body: str | bytes
) -> None:
    running = await serve(max_payload=1000)
    bob = await connect(running)
    session = await poll(http, running)
    assert await session.post('42["join","lobby"]') == 200
    assert await bob.next("create-room")
    assert await session.post(body) == 400
    assert (await bob.next("delete-room"))["room"] == "lobby"
    assert await session.post("3") == 400


async def test_the_largest_payload_passes_and_one_byte_more_does_not(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve(max_payload=1000)
    packet = '42["nope","' + "x" * (1000 - 13) + '"]'
    session = await poll(http, running)
    assert await session.post(packet) == 200
    async with websocket(http, running) as ws:
        await ws.send_str(packet)
        await ws.send_str('421["rooms"]')
        assert await ws.receive_str(timeout=WAIT) == '431[{"ok":true,"rooms":[]}]'
        await ws.send_str(packet + " ")
        assert await closing(ws) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    assert await session.post(packet + " ") == 413


async def test_origins(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(cors_origins=("https://ok.example",))
    for origin, status in ((running.url, 200), ("https://ok.example", 200), ("https://evil.example", 403)):
        async with http.get(endpoint(running, "polling"), headers={"Origin": origin}) as response:
            assert response.status == status
            if status == 200:
                assert response.headers["Access-Control-Allow-Origin"] == origin


async def test_every_origin_but_no_cookies(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(cors_origins=("*",))
    async with http.get(endpoint(running, "polling"), headers={"Origin": "https://any.example"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "https://any.example"
        assert "Access-Control-Allow-Credentials" not in response.headers
