"""The proxy between other people's clients and servers."""

import json
import re
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from tests.peers.program import Program, Runner, Server, Spawner

BLOB = {"$binary": "AAECgP8="}
READY = re.compile(r"listening on (\S+), relaying")
Relay = Callable[..., Awaitable[Server]]
StartServer = Callable[..., Awaitable[Server]]
TRANSPORTS = ("polling", "websocket", "upgrade")


@pytest.fixture
def relay(spawn: Spawner) -> Relay:
    """Start a proxy before a server: `await relay(server)`."""

    async def start(server: Server, *args: str) -> Server:
        proc = await spawn("proxy", server.url, "--listen", ":0", "--all", *args)
        ready = READY.search(await proc.err(", relaying to "))
        assert ready
        return Server(ready[1], proc)

    return start


def transport(name: str) -> list[str]:
    return [] if name == "upgrade" else ["--transport", name]


async def session(proxy: Program) -> str:
    """Give the sid of the next session."""
    return str((await proxy.seen(kind="open"))["sid"])


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_node_client_and_server(
    name: str, relay: Relay, node_server: StartServer, node_script: Spawner
) -> None:
    server = await node_server("server4.js")
    proxy = await relay(server)
    client = await node_script("client4.js", proxy.url, "--auth", '{"token":"hunter2"}', *transport(name))
    told = await server.proc.seen(kind="connect")
    assert told["auth"] == {"token": "hunter2"}
    assert told["headers"]["host"] == server.url.removeprefix("http://")
    await client.seen(kind="connect")
    sid = await session(proxy.proc)
    if name == "upgrade":
        assert (await proxy.proc.seen(kind="upgrade"))["sid"] == sid
    client.send({"emit": ["hello", {"a": [BLOB, "π"]}, BLOB], "ack": 1})
    assert (await client.seen(kind="ack", id=1))["args"] == [{"a": [BLOB, "π"]}, BLOB]
    asked = await proxy.proc.seen(kind="event", event="hello", direction="out")
    assert (asked["args"], asked["sid"]) == ([{"a": [BLOB, "π"]}, BLOB], sid)
    answered = await proxy.proc.seen(kind="ack", event="hello", direction="in")
    assert (answered["id"], answered["sid"]) == (asked["id"], sid)
    assert answered["rtt_ms"] > 0
    client.send({"emit": ["ask", BLOB]})
    assert (await client.seen(kind="event", event="answer"))["args"] == [BLOB]
    back = await proxy.proc.seen(kind="ack", event="question", direction="out")
    assert (back["args"], back["sid"]) == ([BLOB], sid)
    client.send({"emit": ["kick"]})
    assert (await client.seen(kind="disconnect"))["reason"] == "io server disconnect"
    assert (await proxy.proc.seen(kind="disconnect", direction="in"))["sid"] == sid
    assert "hunter2" not in proxy.proc.stdout.text
    assert "protocol_error" not in proxy.proc.stdout.text


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_node_client_and_our_server(
    name: str, relay: Relay, server: Server, node_script: Spawner
) -> None:
    proxy = await relay(server)
    client = await node_script("client4.js", proxy.url, "--namespace", "/lab", *transport(name))
    await client.seen(kind="connect")
    client.send({"emit": ["echo", BLOB, 1], "ack": 1})
    await client.seen(kind="ack", id=1)
    assert (await proxy.proc.seen(event="echo", direction="in"))["args"] == [BLOB, 1]
    client.send({"disconnect": "/lab"})
    assert (await proxy.proc.seen(kind="disconnect", direction="out"))["namespace"] == "/lab"
    assert (await proxy.proc.seen(kind="close"))["sid"]


@pytest.mark.parametrize("name", ["polling", "websocket"])
async def test_python_client_and_both_servers(
    name: str, relay: Relay, node_server: StartServer, python_server: StartServer, nsroom: Runner
) -> None:
    for server in (await node_server("server4.js"), await python_server()):
        proxy = await relay(server)
        result = await nsroom("call", "say", "hello", "-u", proxy.url, "--transport", name)
        assert (result.code, result.stdout) == (0, '"hello"\n')
        assert (await proxy.proc.seen(kind="ack", event="say"))["args"] == ["hello"]


async def test_old_clients(relay: Relay, node_server: StartServer) -> None:
    """An Engine.IO 3 handshake, by hand: long polling counts its packets' characters."""
    proxy = await relay(await node_server("server4.js", "--eio3"))
    async with aiohttp.ClientSession() as http:
        url = f"{proxy.url}/socket.io/?EIO=3&transport=polling&b64=1"
        await (await http.get(url)).read()
        opened = await proxy.proc.seen(kind="open")
        body = '7:42["π"]1:2'
        assert await (await http.post(f"{url}&sid={opened['sid']}", data=body)).text() == "ok"
        assert (await proxy.proc.seen(event="π", direction="out"))["sid"] == opened["sid"]
        await (await http.get(f"{url}&sid={opened['sid']}")).read()
        assert (await proxy.proc.seen(kind="connect", direction="in"))["namespace"] == "/"


async def test_a_refused_namespace_and_a_lost_session(
    relay: Relay, node_server: StartServer, node_script: Spawner
) -> None:
    server = await node_server("server4.js")
    proxy = await relay(server)
    client = await node_script("client4.js", proxy.url, "--namespace", "/secret")
    assert (await client.seen(kind="connect_error"))["data"] == {"code": 1}
    refused = await proxy.proc.seen(kind="connect_error")
    assert (refused["namespace"], refused["data"]) == ("/secret", {"message": "no", "data": {"code": 1}})
    path = "/socket.io/?EIO=4&transport=polling&sid=gone"
    async with aiohttp.ClientSession() as http, http.get(proxy.url + path) as response:
        assert response.status == 400
    lost = await proxy.proc.seen(kind="close", sid="gone")
    assert (lost["reason"], lost["message"]) == ("HTTP 400", "Session ID unknown")
    watcher = await node_script("client4.js", proxy.url, "--transport", "websocket")
    await watcher.seen(kind="connect")
    await server.proc.kill()
    why = "the server closed the connection without closing the WebSocket"
    assert (await proxy.proc.seen(kind="close", reason=why))["direction"] == "local"
    assert (await watcher.seen(kind="disconnect"))["reason"] == "transport close"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_page_of_the_proxy_is_a_page_of_the_server(
    name: str, relay: Relay, server: Server, python_server: StartServer
) -> None:
    """Servers that accept pages of their own address only, which Origin must spell as Host does."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    query = "socket.io/?EIO=4&transport="
    for each in (server, await python_server()):
        port = each.url.rpartition(":")[2]
        proxy = await relay(Server(f"http://{name}:{port}", each.proc))
        for page in (proxy.url, proxy.url.replace("127.0.0.1", "localhost")):
            async with aiohttp.ClientSession(headers=headers | {"Origin": page}) as http:
                async with http.get(f"{page}/{query}polling") as response:
                    assert response.status == 200
                async with http.ws_connect(f"{page}/{query}websocket") as socket:
                    assert (await socket.receive_str()).startswith("0{")
                    await socket.send_str("40")
                    assert (await socket.receive_str()).startswith("40")
        other = {"Origin": "http://localhost:5173"}
        async with (
            aiohttp.ClientSession(headers=other) as http,
            http.get(f"{proxy.url}/{query}polling") as response,
        ):
            assert response.status in (400, 403)
            body = await response.text()
        refused = await proxy.proc.seen(kind="connect_error")
        assert refused["reason"] == f"HTTP {response.status}"
        assert str(refused["data"]) in (body.strip('"'), str(json.loads(body)))
        told = await proxy.proc.err("nsroom: handshake refused: HTTP ")
        assert told.count("else try --origin") == 1


async def test_cookies_cors_and_compression(relay: Relay, node_server: StartServer) -> None:
    server = await node_server("page4.js")
    proxy = await relay(server)
    headers = {"Origin": "http://page", "Cookie": "AWSALB=sticky", "Accept-Encoding": "gzip"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    path = "/socket.io/?EIO=4&transport=polling"
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        for method, more in (("OPTIONS", asked), ("GET", {})):
            answers = [
                await http.request(method, each.url + path, headers=headers | more)
                for each in (proxy, server)
            ]
            through, direct = ([name for name in answer.raw_headers if varies(name)] for answer in answers)
            assert through == direct
            assert answers[0].headers["Access-Control-Allow-Origin"] == "http://page"
            body, _ = [await answer.read() for answer in answers]
        cookie = answers[0].headers["Set-Cookie"]
        assert answers[0].headers["Content-Encoding"] == "gzip"
        assert body[:2] == b"\x1f\x8b"
        opened = await proxy.proc.seen(kind="open")
        assert cookie == f"io={opened['sid']}; Path=/; HttpOnly; SameSite=Strict"


def varies(header: tuple[bytes, bytes]) -> bool:
    """Tell whether a header is the same in two answers."""
    return header[0].lower() not in (b"date", b"set-cookie", b"content-length")


async def test_the_clients_bundle_passes(relay: Relay, node_server: StartServer) -> None:
    server = await node_server("server4.js")
    proxy = await relay(server)
    async with aiohttp.ClientSession() as http:
        path = "/socket.io/socket.io.js"
        through, direct = [await (await http.get(each.url + path)).read() for each in (proxy, server)]
        assert through == direct
        assert b"Socket.IO v4" in direct
        async with http.head(proxy.url + path) as response:
            tag = response.headers["ETag"]
        async with http.get(proxy.url + path, headers={"If-None-Match": tag}) as response:
            assert response.status == 304
