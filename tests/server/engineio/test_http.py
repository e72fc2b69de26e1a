"""The endpoint by hand: handshake, polling GET and POST, error responses, origins, --fault."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from nsroom_server.settings.faults import Faults
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import HANDSHAKE, Polling, endpoint, handshake, poll, tcp, websocket

PATIENT = {"ping_interval": 20.0, "ping_timeout": 20.0}
"""A heartbeat that does not close a session which should have been closed before."""


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


@pytest.mark.parametrize(
    ("method", "query", "code", "message"),
    [
        ("GET", "EIO=4", 0, "Transport unknown"),
        ("GET", "EIO=4&transport=flashsocket", 0, "Transport unknown"),
        ("GET", "EIO=4&transport=polling&sid=x", 1, "Session ID unknown"),
        ("POST", "EIO=4&transport=polling", 2, "Bad handshake method"),
        ("GET", "EIO=4&transport=websocket", 3, "Bad request"),
        ("GET", "EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "transport=polling", 5, "Unsupported protocol version"),
        ("GET", "EIO=4&EIO=3&transport=polling", 5, "Unsupported protocol version"),
    ],
)
async def test_error_responses(
    serve: Serve, http: aiohttp.ClientSession, method: str, query: str, code: int, message: str
) -> None:
    running = await serve()
    async with http.request(method, f"{running.url}/socket.io/?{query}") as response:
        assert (response.status, await response.json()) == (400, {"code": code, "message": message})
    assert running.engines[0].refusals == {message: 1}


async def test_methods_of_a_session(serve: Serve, http: aiohttp.ClientSession) -> None:
    session = await poll(http, await serve())
    for method in ("PUT", "DELETE"):
        async with http.request(method, session.url) as response:
            assert (response.status, (await response.json())["code"]) == (400, 2)
    assert await session.post("3") == 200


@pytest.mark.parametrize("packets", [17, 1000])
async def test_a_body_of_many_packets(serve: Serve, http: aiohttp.ClientSession, packets: int) -> None:
    session = await poll(http, await serve())
    body = "\x1e".join(f'42{number}["rooms"]' for number in range(packets))
    assert await session.post(body) == 200
    answers: list[str] = []
    while len(answers) < packets:
        answers += (await session.get())[1].split("\x1e")
    assert [answer.split("[")[0] for answer in answers] == [f"43{number}" for number in range(packets)]


async def test_a_body_in_pieces(serve: Serve, http: aiohttp.ClientSession) -> None:
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
async def test_a_malformed_body_closes_the_session(
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


async def test_the_largest_payload_is_accepted_and_one_byte_more_is_not(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve(max_payload=1000)
    packet = '42["nope","' + "x" * (1000 - 13) + '"]'
    session = await poll(http, running)
    assert await session.post(packet) == 200
    assert await session.post(packet + " ") == 413


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ("Content-Length: 5000000", b"4" * 100_000, b"413"),
        ("Content-Length: -1", b"", b"400"),
        ("Content-Length: x", b"", b"400"),
        ("Transfer-Encoding: chunked", b"186a1\r\n" + b"4" * 100_001, b"413"),
        ("Transfer-Encoding: chunked", b"zz\r\n", b"400"),
        ("Content-Encoding: gzip\r\nContent-Length: 3", b"\x1f\x8b\x08", b"400"),
    ],
)
async def test_invalid_bodies(
    serve: Serve, http: aiohttp.ClientSession, headers: str, body: bytes, status: bytes
) -> None:
    session = await poll(http, await serve(max_payload=100_000))
    reader, writer = await send_post(session.url, headers, body)
    assert (await asyncio.wait_for(reader.readline(), WAIT)).split()[1] == status
    writer.close()


async def test_an_aborted_body_closes_the_session(serve: Serve, http: aiohttp.ClientSession) -> None:
    session = await poll(http, await serve(**PATIENT))
    _, writer = await send_post(session.url, "Content-Length: 100", b"42[")
    await asyncio.sleep(0.05)
    writer.close()
    await until_closed(session)


async def test_two_bodies_at_once_close_the_session(serve: Serve, http: aiohttp.ClientSession) -> None:
    session = await poll(http, await serve(**PATIENT))
    _, writer = await send_post(session.url, "Content-Length: 100", b"42[")
    await asyncio.sleep(0.05)
    assert await session.post("3") == 400
    assert (await session.get())[0] == 400
    writer.close()


async def test_a_client_that_disconnects_after_a_post_has_sent_it(
    serve: Serve, http: aiohttp.ClientSession, connect: Connect
) -> None:
    running = await serve(**PATIENT)
    bob = await connect(running)
    session = await poll(http, running)
    body = b'42["join","lobby"]'
    _, writer = await send_post(session.url, f"Content-Length: {len(body)}", body)
    await writer.drain()
    writer.transport.abort()
    assert (await bob.next("create-room"))["room"] == "lobby"


async def test_an_abandoned_poll_closes_the_session(
    serve: Serve, http: aiohttp.ClientSession, connect: Connect
) -> None:
    running = await serve(**PATIENT)
    bob = await connect(running)
    for _ in range(20):
        session = await poll(http, running)
        assert await session.post('42["join","lobby"]') == 200
        assert "join-room" in (await session.get())[1]
        abandoned = asyncio.create_task(session.get())
        await asyncio.sleep(0.01)
        abandoned.cancel()
    async with asyncio.timeout(WAIT):
        while (await bob.call("rooms"))["rooms"]:  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("agent", "most"), [("Python/3.11 aiohttp/3.14.5", 16), ("node-XMLHttpRequest", 100)]
)
async def test_a_poll_returns_as_many_packets_as_its_client_accepts(
    serve: Serve, agent: str, most: int
) -> None:
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


async def test_responses_are_not_compressed(serve: Serve, http: aiohttp.ClientSession) -> None:
    async with http.get(endpoint(await serve(), "polling")) as response:
        assert "Content-Encoding" not in response.headers


async def test_origins(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(cors_origins=("https://ok.example",))
    for origin, status in ((running.url, 200), ("https://ok.example", 200), ("https://evil.example", 403)):
        async with http.get(endpoint(running, "polling"), headers={"Origin": origin}) as response:
            assert response.status == status
            assert response.headers.get("Access-Control-Allow-Origin") == (origin if status == 200 else None)


async def test_any_origin_is_accepted_without_cookies(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(cors_origins=("*",))
    async with http.get(endpoint(running, "polling"), headers={"Origin": "https://any.example"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "https://any.example"
        assert "Access-Control-Allow-Credentials" not in response.headers


async def test_preflight_requests(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(cors_origins=("https://ok.example",))
    headers = {"Origin": "https://ok.example", "Access-Control-Request-Headers": "X-Token"}
    async with http.options(endpoint(running, "polling"), headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
        assert response.headers["Access-Control-Allow-Headers"] == "X-Token"
        assert response.headers["Access-Control-Allow-Credentials"] == "true"


async def test_websockets_that_are_offered_and_refused(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(faults=Faults(no_upgrade=True))
    assert (await handshake(http, running))["upgrades"] == ["websocket"]
    with pytest.raises(aiohttp.WSServerHandshakeError, match="400"):
        await http.ws_connect(endpoint(running, "websocket"))
    await connect(running, transport="polling")


async def test_requests_that_reach_another_server(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(faults=Faults(no_sticky=True))
    session = Polling(http, running, (await handshake(http, running))["sid"])
    assert {await session.post("40/nope,") for _ in range(40)} == {200, 400}


async def test_a_websocket_request_without_a_key_is_refused(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    async with http.get(endpoint(running, "websocket"), headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (400, 3)
    async with websocket(http, running):
        assert len(running.engines[0].sessions) == 1


async def send_post(url: str, headers: str, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(f"POST /{path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n".encode() + body)
    return reader, writer


async def until_closed(session: Polling) -> None:
    async with asyncio.timeout(WAIT):
        while await session.post("3") != 400:  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}, 200),
    ],
)
async def test_an_image_of_another_site_opens_no_session(
    serve: Serve, http: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    running = await serve(cors_origins=("https://app.example",))
    async with http.get(endpoint(running, "polling"), headers=headers) as response:
        assert response.status == status
    assert len(running.engines[0].sessions) == (status == 200)


@pytest.mark.parametrize("version", [b"7", b"8", b"14", b"", b"x"])
async def test_other_versions_of_websocket_are_refused(serve: Serve, version: bytes) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE.replace(b"Version: 13", b"Version: " + version))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT)
    assert head.startswith(b"HTTP/1.1 426 ")
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in head
