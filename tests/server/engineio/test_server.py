"""Engine.IO by hand: what python-engineio does otherwise, and the end of the server in every state."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import HANDSHAKE, closing, endpoint, handshake, masked, poll, tcp, websocket


async def test_the_handshake_is_exact(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(ping_interval=0.3, ping_timeout=0.2, max_payload=5000)
    opened = await handshake(http, running)
    assert opened.pop("sid")
    assert opened == {"upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 5000}


async def test_the_first_packet_comes_in_one_piece_with_the_answer(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE)
        head, _, packet = (await asyncio.wait_for(reader.read(65536), WAIT)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert packet[:1] == b"\x81"
    assert b'0{"sid":"' in packet


async def test_what_comes_at_once_is_answered_behind_the_handshake(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE + masked(b"p", 0x89) + masked("40"))
        read = await asyncio.wait_for(reader.readuntil(b"everyone!"), WAIT)
    order = [read.index(each) for each in (b"HTTP/1.1 101 ", b'0{"sid":"', b"\x8a\x01p", b'40{"sid":"')]
    assert order == sorted(order)


async def test_what_is_no_frame_at_once_is_refused_behind_the_handshake(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE + b"\xff" * 50)
        read = await asyncio.wait_for(reader.read(), WAIT)
    assert read.startswith(b"HTTP/1.1 101 ")
    assert b'0{"sid":"' in read
    assert read.endswith(b"\x88\x02\x03\xea")


async def test_a_heartbeat_that_is_not_answered_ends_the_session(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(ping_interval=0.1, ping_timeout=0.1)
    bob = await connect(running)
    async with websocket(http, running) as ws:
        await ws.send_str('42["join","lobby"]')
        await closing(ws)
    assert (await bob.next("delete-room"))["room"] == "lobby"


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


async def test_messages_are_not_compressed(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve()
    async with http.ws_connect(endpoint(running, "websocket"), compress=15) as ws:
        assert ws.compress == 0
    async with http.get(endpoint(running, "polling")) as response:
        assert "Content-Encoding" not in response.headers


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
