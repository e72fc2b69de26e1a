"""What the protocols' own test suites ask of a server: 25 cases of Engine.IO 4 and 32 of Socket.IO 5.

The cases of Engine.IO that both suites have run on both endpoints. The packets are typed by hand. All of it
holds through the proxy too.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from nsroom_server.app import serving
from nsroom_server.settings.config import Config
from tests.cli.relaying import relaying
from tests.conftest import StartServer

INTERVAL = 0.3
TIMEOUT = 0.2
WAIT = 5
BOTH = ("/engine.io/", "/socket.io/")
CLOSED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)
PLACES = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
Http = aiohttp.ClientSession
WebSocket = aiohttp.ClientWebSocketResponse
both = pytest.mark.parametrize("path", BOTH)


@pytest.fixture(params=["direct", "relayed"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The server of the suites, or a proxy before it."""
    config = Config(
        port=0, ping_interval=INTERVAL, ping_timeout=TIMEOUT, namespaces=("/", "/custom"), conformance=True
    )
    async with serving(config) as running:
        if request.param == "direct":
            yield running.url
        else:
            async with relaying(running.url) as proxy:
                yield proxy.url


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """An HTTP client."""
    async with aiohttp.ClientSession() as http:
        yield http


class Polling:
    """A polling session."""

    def __init__(self, http: Http, url: str, sid: str) -> None:
        self.http, self.sid = http, sid
        self.url = f"{url}?EIO=4&transport=polling&sid={sid}"
        self.websocket = f"{url}?EIO=4&transport=websocket&sid={sid}"

    async def get(self) -> tuple[int, str]:
        async with self.http.get(self.url) as response:
            return response.status, await response.text()

    async def post(self, body: str) -> tuple[int, str]:
        async with self.http.post(self.url, data=body) as response:
            return response.status, await response.text()

    async def upgraded(self) -> WebSocket:
        ws = await self.http.ws_connect(self.websocket)
        await ws.send_str("2probe")
        assert await text(ws) == "3probe"
        await ws.send_str("5")
        return ws


async def polling(http: Http, url: str, path: str) -> Polling:
    async with http.get(f"{url}{path}?EIO=4&transport=polling") as response:
        return Polling(http, url + path, json.loads((await response.text())[1:])["sid"])


async def websocket(http: Http, url: str, path: str) -> WebSocket:
    ws = await http.ws_connect(f"{url}{path}?EIO=4&transport=websocket")
    assert (await text(ws))[0] == "0"
    return ws


async def text(ws: WebSocket) -> str:
    """Give the next text, whatever it is."""
    return await ws.receive_str(timeout=WAIT)


async def item(ws: WebSocket) -> Any:
    """Give the next text or octets that are no PING."""
    while (message := await ws.receive(timeout=WAIT)).data == "2":
        continue
    assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
    return message.data


async def is_closed(ws: WebSocket) -> bool:
    """Wait for the end."""
    while (await ws.receive(timeout=WAIT)).type not in CLOSED:
        continue
    return True


def is_greeting(packet: str, upgrades: list[str]) -> bool:
    greeting = json.loads(packet[1:])
    assert isinstance(greeting.pop("sid"), str)
    expected = {"upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000}
    return packet[0] == "0" and greeting == expected


# Handshake


@both
async def test_polling_opens(url: str, http: Http, path: str) -> None:
    async with http.get(f"{url}{path}?EIO=4&transport=polling") as response:
        assert response.status == 200
        assert is_greeting(await response.text(), ["websocket"])


@both
@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("GET", "transport=polling", 5),
        ("GET", "EIO=abc&transport=polling", 5),
        ("GET", "EIO=3&transport=polling", 5),
        ("GET", "EIO=4", 0),
        ("GET", "EIO=4&transport=abc", 0),
        ("GET", "EIO=4&transport=polling&sid=abc", 1),
        ("POST", "EIO=4&transport=polling", 2),
        ("PUT", "EIO=4&transport=polling", 2),
    ],
)
async def test_polling_is_refused(
    url: str, http: Http, path: str, method: str, query: str, code: int
) -> None:
    async with http.request(method, f"{url}{path}?{query}") as response:
        assert response.status == 400
        assert (await response.json())["code"] == code


@both
async def test_a_websocket_opens(url: str, http: Http, path: str) -> None:
    async with http.ws_connect(f"{url}{path}?EIO=4&transport=websocket") as ws:
        assert is_greeting(await text(ws), [])


@both
@pytest.mark.parametrize(
    "query", ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4", "EIO=4&transport=abc"]
)
async def test_a_websocket_is_refused(url: str, http: Http, path: str, query: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await http.ws_connect(f"{url}{path}?{query}")
    assert refusal.value.status == 400


# Messages


@pytest.mark.parametrize("body", ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA=="])
async def test_polling_carries_messages(url: str, http: Http, body: str) -> None:
    session = await polling(http, url, "/engine.io/")
    assert await session.post(body) == (200, "ok")
    assert await session.get() == (200, body)


async def test_an_invalid_packet_ends_a_polling_session(url: str, http: Http) -> None:
    session = await polling(http, url, "/engine.io/")
    assert (await session.post("abc"))[0] == 400
    assert (await session.get())[0] == 400


async def test_a_second_poll_ends_the_session(url: str, http: Http) -> None:
    session = await polling(http, url, "/engine.io/")
    first = asyncio.create_task(session.get())
    await asyncio.sleep(0.02)
    assert (await session.get())[0] == 400
    assert await first == (200, "1")
    assert (await session.get())[0] == 400


async def test_an_aborted_poll_ends_the_session(url: str, http: Http) -> None:
    session = await polling(http, url, "/engine.io/")
    poll = asyncio.create_task(session.get())
    await asyncio.sleep(0.02)
    poll.cancel()
    await asyncio.wait([poll])
    assert (await session.get())[0] == 400


async def test_a_websocket_carries_messages(url: str, http: Http) -> None:
    ws = await websocket(http, url, "/engine.io/")
    await ws.send_str("4hello")
    assert await item(ws) == "4hello"
    await ws.send_bytes(b"\x01\x02\x03\x04")
    assert await ws.receive_bytes(timeout=WAIT) == b"\x01\x02\x03\x04"
    await ws.close()


async def test_an_invalid_packet_ends_a_websocket(url: str, http: Http) -> None:
    ws = await websocket(http, url, "/engine.io/")
    await ws.send_str("abc")
    assert await is_closed(ws)


# Heartbeat


@both
async def test_polling_beats(url: str, http: Http, path: str) -> None:
    session = await polling(http, url, path)
    for _ in range(3):
        assert await session.get() == (200, "2")
        assert await session.post("3") == (200, "ok")


@both
async def test_polling_ends_without_a_pong(url: str, http: Http, path: str) -> None:
    session = await polling(http, url, path)
    await asyncio.sleep(INTERVAL + TIMEOUT + 0.1)  # the server's timers may be late
    assert (await session.get())[0] == 400


@both
async def test_a_websocket_beats(url: str, http: Http, path: str) -> None:
    ws = await websocket(http, url, path)
    for _ in range(3):
        assert await text(ws) == "2"
        await ws.send_str("3")
    await ws.close()


@both
async def test_a_websocket_ends_without_a_pong(url: str, http: Http, path: str) -> None:
    ws = await websocket(http, url, path)
    begun = asyncio.get_running_loop().time()
    assert await is_closed(ws)
    assert asyncio.get_running_loop().time() - begun >= INTERVAL


# Close


@both
async def test_a_close_packet_ends_a_polling_session(url: str, http: Http, path: str) -> None:
    session = await polling(http, url, path)
    poll, push = await asyncio.gather(session.get(), session.post("1"))
    assert poll == (200, "6")
    assert push[0] == 200
    assert (await session.get())[0] == 400


@both
async def test_a_close_packet_ends_a_websocket(url: str, http: Http, path: str) -> None:
    ws = await websocket(http, url, path)
    await ws.send_str("1")
    assert await is_closed(ws)


# Upgrade


async def test_upgrade(url: str, http: Http) -> None:
    session = await polling(http, url, "/engine.io/")
    ws = await http.ws_connect(session.websocket)
    await ws.send_str("2probe")
    assert await text(ws) == "3probe"
    assert await session.get() == (200, "6")
    await ws.send_str("5")
    await ws.send_str("4hello")
    assert await item(ws) == "4hello"
    await ws.close()


async def test_upgrade_of_a_socketio_connection(url: str, http: Http) -> None:
    ws = await (await polling(http, url, "/socket.io/")).upgraded()
    await ws.send_str("40")
    assert (await item(ws)).startswith("40{")
    await ws.close()


@both
async def test_http_is_over_after_the_upgrade(url: str, http: Http, path: str) -> None:
    session = await polling(http, url, path)
    ws = await session.upgraded()
    assert (await session.get())[0] == 400
    assert (await session.post("4hello"))[0] == 400
    assert await answers(ws)


@both
async def test_a_second_websocket_is_ignored(url: str, http: Http, path: str) -> None:
    session = await polling(http, url, path)
    ws = await session.upgraded()
    assert await is_closed(await http.ws_connect(session.websocket))
    assert await answers(ws)


async def answers(ws: WebSocket) -> bool:
    """Tell whether the very next packet is the answer to a CONNECT, from either endpoint."""
    await ws.send_str("40")
    answer = await item(ws)
    await ws.close()
    return answer.startswith("40")


# Socket.IO


async def connected(http: Http, url: str) -> WebSocket:
    ws = await websocket(http, url, "/socket.io/")
    await ws.send_str("40")
    assert (await item(ws)).startswith("40{")
    assert await item(ws) == '42["auth",{}]'
    return ws


@pytest.mark.parametrize(
    ("request_", "answer", "auth"),
    [
        ("40", "40", '42["auth",{}]'),
        ('40{"token":"123"}', "40", '42["auth",{"token":"123"}]'),
        ("40/custom,", "40/custom,", '42/custom,["auth",{}]'),
        ('40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'),
    ],
)
async def test_connect(url: str, http: Http, request_: str, answer: str, auth: str) -> None:
    ws = await websocket(http, url, "/socket.io/")
    await ws.send_str(request_)
    packet = await item(ws)
    assert packet.startswith(answer)
    assert list(json.loads(packet.removeprefix(answer))) == ["sid"]
    assert await item(ws) == auth
    await ws.close()


async def test_an_unknown_namespace_is_refused(url: str, http: Http) -> None:
    ws = await websocket(http, url, "/socket.io/")
    await ws.send_str("40/random")
    assert await item(ws) == '44/random,{"message":"Invalid namespace"}'
    await ws.close()


async def test_an_invalid_connect_ends_the_connection(url: str, http: Http) -> None:
    ws = await websocket(http, url, "/socket.io/")
    await ws.send_str("4abc")
    assert await is_closed(ws)


async def test_a_connection_that_never_connects_ends(url: str, http: Http) -> None:
    ws = await websocket(http, url, "/socket.io/")
    begun = asyncio.get_running_loop().time()
    while (message := await ws.receive(timeout=WAIT)).type not in CLOSED:
        assert message.data == "2"
        await ws.send_str("3")
    assert 0.9 < asyncio.get_running_loop().time() - begun < WAIT


async def test_leaving_the_main_namespace_keeps_the_connection(url: str, http: Http) -> None:
    ws = await connected(http, url)
    await ws.send_str("41")
    assert await text(ws) == "2"
    await ws.close()


async def test_leaving_a_custom_namespace_keeps_the_main_one(url: str, http: Http) -> None:
    ws = await connected(http, url)
    await ws.send_str("40/custom")
    assert (await item(ws)).startswith("40/custom,")
    assert await item(ws) == '42/custom,["auth",{}]'
    await ws.send_str("41/custom")
    await ws.send_str('42["message","to the main one"]')
    assert await item(ws) == '42["message-back","to the main one"]'
    await ws.close()


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        ('42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'),
        (f'452-["message",{PLACES}]', f'452-["message-back",{PLACES}]'),
        ('42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'),
        (f'452-789["message-with-ack",{PLACES}]', f"462-789[{PLACES}]"),
        (
            f'452-["message","mixed",{{"deep":[{PLACES}]}}]',
            f'452-["message-back","mixed",{{"deep":[{PLACES}]}}]',
        ),
    ],
    ids=["text", "binary", "ack", "binary ack", "mixed"],
)
async def test_messages(url: str, http: Http, event: str, answer: str) -> None:
    ws = await connected(http, url)
    attachments = [b"\x01\x02\x03", b"\x04\x05\x06"] if event.startswith("45") else []
    await ws.send_str(event)
    for attachment in attachments:
        await ws.send_bytes(attachment)
    assert [await item(ws) for _ in range(1 + len(attachments))] == [answer, *attachments]
    await ws.close()


@pytest.mark.parametrize(
    "packet",
    [
        *("4abc", "42{}", "42[]", "42", "44", "49", "451-[", "40", "42/custom,[1]", "452-[1]\x1e42[1]"),
        *("41/custom", "4", "43", "0", "2", "6", "8"),
    ],
)
async def test_an_invalid_packet_ends_the_connection(url: str, http: Http, packet: str) -> None:
    ws = await connected(http, url)
    for part in packet.split("\x1e"):
        await ws.send_str(part)
    assert await is_closed(ws)


async def test_the_command(serve: StartServer, http: Http) -> None:
    server = await serve("--conformance", "-n", "/", "-n", "/custom")
    ws = await connected(http, server.url)
    await ws.send_str('421["message-with-ack"]')
    assert await item(ws) == "431[]"
    await ws.close()
    async with http.get(
        f"{server.url}/engine.io/?EIO=4&transport=polling", headers={"Origin": "https://any.example"}
    ) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "https://any.example"
