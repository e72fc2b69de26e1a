"""The proxy between real HTTP clients and servers."""

import asyncio
import gzip
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from nsroom.client.listening import parse_listen
from nsroom.errors import ConnectError, UsageError
from nsroom.proxy.faults import Faults
from nsroom.proxy.server import Plan, Proxy
from nsroom.record import Direction, Kind
from tests.cli.relaying import WAIT, closing, drained, is_reset, raw_server, relaying
from tests.peers import bad

TLS = Path(__file__).parents[1] / "tls"
POLL = "/socket.io/?EIO=4&transport=polling"
DATE = "Mon, 23 Nov 2026 19:00:00 GMT"
SOCKET = "/socket.io/?EIO=4&transport=websocket"


@asynccontextmanager
async def serving(handler: Any, tls: bool = False) -> AsyncIterator[str]:
    """Serve HTTP with one handler for all requests; yield the URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"{'https' if tls else 'http'}://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text='42["hello"]')


async def test_a_cancelled_poll_is_cancelled_at_the_server() -> None:
    waiting, cancelled = asyncio.Event(), asyncio.Event()

    async def poll(_request: web.Request) -> web.Response:
        waiting.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return web.Response()

    async with serving(poll) as url, relaying(url) as proxy, aiohttp.ClientSession() as http:
        asking = asyncio.create_task(http.get(f"{proxy.url}{POLL}&sid=x"))
        await waiting.wait()
        asking.cancel()
        async with asyncio.timeout(WAIT):
            await cancelled.wait()
        record = await proxy.seen(kind="close", sid="x")
        assert record.reason == "the client closed the connection before a request was answered"


async def test_a_cancelled_poll_is_cancelled_at_the_server_over_tls() -> None:
    waiting, cancelled = asyncio.Event(), asyncio.Event()

    async def poll(_request: web.Request) -> web.Response:
        waiting.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()
        return web.Response()

    async with serving(poll, tls=True) as url, relaying(url, insecure=True) as proxy:
        _, writer = await proxy.connect()
        async with closing(writer):
            writer.write(f"GET {POLL} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            await waiting.wait()
        async with asyncio.timeout(WAIT):
            await cancelled.wait()


async def test_host_and_origin() -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.headers.get("Host"), request.headers.get("Origin")))
        return web.Response()

    async with serving(handler) as url, aiohttp.ClientSession() as http:
        host = url.removeprefix("http://")
        for origin in (None, "https://example.org"):
            async with relaying(url, origin=origin) as proxy:
                for page in (proxy.url, f"http://localhost:{proxy.port}", "http://localhost:5173"):
                    await (await http.get(proxy.url, headers={"Origin": page})).read()
                await (await http.get(proxy.url)).read()
    own, replaced = (host, url), (host, "https://example.org")
    other, without = (host, "http://localhost:5173"), (host, None)
    assert seen == [own, own, other, without, replaced, replaced, replaced, without]


async def answer_to(url: str, request: str) -> bytes:
    """Send a request, and return the response as it is on the wire."""
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with closing(writer):
        writer.write(request.encode())
        return await drained(reader)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
async def test_responses_pass_unchanged(method: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            raise web.HTTPFound("http://elsewhere/%2e%2e/x", headers={"Date": DATE})
        response = web.StreamResponse(
            headers={
                "Set-Cookie": "AWSALB=sticky; Path=/; Secure; SameSite=None",
                "Access-Control-Allow-Origin": "http://page",
                "Access-Control-Allow-Credentials": "true",
                "Content-Encoding": "gzip",
                "X-Target": request.raw_path,
                "Date": DATE,
            }
        )
        await response.prepare(request)
        await response.write(gzip.compress(b'42["a"]'))
        return response

    async with serving(handler) as url, relaying(url) as proxy:
        host = url.removeprefix("http://")
        request = (
            f"{method} {POLL}&x=%2F%e4/../ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
            "Origin: http://page\r\nAccess-Control-Request-Method: POST\r\nCookie: AWSALB=sticky\r\n\r\n"
        )
        relayed, direct = [await answer_to(each, request) for each in (proxy.url, url)]
        assert relayed == direct
        assert relayed.startswith(b"HTTP/1.1 302" if method == "POST" else b"HTTP/1.1 200")
        if method == "GET":
            assert (await proxy.seen(event="a")).direction is Direction.IN


@pytest.mark.parametrize("compress", [0, 15])
async def test_websockets_with_and_without_compression(compress: int) -> None:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert socket.compress == compress
        async for message in socket:
            await (socket.send_str if message.type is aiohttp.WSMsgType.TEXT else socket.send_bytes)(
                message.data
            )
        return socket

    async with serving(handler) as url, relaying(url) as proxy, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{proxy.url}{SOCKET}&sid=x", compress=compress) as socket:
            for number in range(20):
                text = f'42["price",{{"n":{number},"pad":"{"x" * number * 50}"}}]'
                await socket.send_str(text)
                assert (await socket.receive()).data == text
            await socket.close(code=4001, message=b"done")
        await proxy.seen(kind=Kind.CLOSE, message="code 4001: done", reason="the client closed the WebSocket")
        ways = [record.direction for record in proxy.records if record.event == "price"]
        assert ways.count(Direction.IN) == ways.count(Direction.OUT) == 20


async def test_the_servers_close_code_is_relayed() -> None:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close(code=1013, message=b"later")
        return socket

    async with serving(handler) as url, relaying(url) as proxy, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{proxy.url}{SOCKET}&sid=x") as socket:
            message = await socket.receive()
            assert (message.data, message.extra) == (1013, "later")
        assert (await proxy.seen(kind=Kind.CLOSE)).message == "code 1013: later"


@pytest.mark.parametrize(
    "headers", ["Host: attacker.example:{port}", "Host: localhost\r\nOrigin: http://evil"]
)
async def test_pages_of_other_sites_are_refused(headers: str) -> None:
    """DNS rebinding; and the --origin that would hide another site's page from the server."""
    paths: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(text="private")

    async with serving(handler) as url, relaying(url, origin=url) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(b"GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"private")).startswith(b"HTTP/1.1 200 OK\r\n")
            writer.write(f"GET {SOCKET} HTTP/1.1\r\n{headers.format(port=proxy.port)}\r\n\r\n".encode())
            answer = (await drained(reader)).decode()
        assert answer.startswith("HTTP/1.1 403 Forbidden\r\n")
        body = answer.partition("\r\n\r\n")[2]
        assert body.startswith("nsroom proxy: ")
        record = await proxy.seen(kind=Kind.CONNECT_ERROR)
        assert f"nsroom proxy: {record.message}\n" == body
        assert proxy.said == [f"refused: {record.message}"]
    assert paths == ["/first"]


async def test_redirects_and_cookies_stay_with_the_proxy() -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/home":
            return web.Response(text=request.cookies["a"])
        headers = {"Location": f"http://{request.host}/home", "Set-Cookie": "a=1; Domain=localhost; Path=/"}
        return web.Response(status=302, headers=headers)

    async with serving(handler) as url, relaying(url) as proxy:
        for name in ("127.0.0.1", "localhost"):
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(cookie_jar=jar) as http:
                page = f"http://{name}:{proxy.port}"
                async with http.get(page) as response:
                    assert str(response.url) == f"{page}/home"
                    assert await response.text() == "1"
        assert proxy.said == []


async def test_a_redirect_out_of_the_proxy_is_reported_once() -> None:
    async def handler(_request: web.Request) -> web.Response:
        raise web.HTTPFound("https://localhost:8443/home?token=secret")

    async with serving(handler) as url, relaying(url) as proxy, aiohttp.ClientSession() as http:
        for _ in range(2):
            await http.get(f"{proxy.url}/a", allow_redirects=False)
        (line,) = proxy.said
        assert line.startswith("a redirect of /a names https://localhost:8443 itself")


async def test_other_protocols_pass_after_an_upgrade() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chess\r\nConnection: Upgrade\r\n\r\nwhite"
        )
        writer.write(await reader.readexactly(len("e2e4 e4e5")))
        await drained(reader)

    async with raw_server(talk) as url, relaying(url) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            head = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: chess\r\n\r\n"
            writer.write(head + b"e2e4 ")
            await reader.readuntil(b"white")
            writer.write(b"e4e5")
            async with asyncio.timeout(WAIT):
                assert await reader.readexactly(9) == b"e2e4 e4e5"
            writer.write_eof()
            assert await drained(reader) == b""
        assert proxy.records == []


async def test_refused_upgrades() -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"code": 3, "message": "Bad request"}, status=400)

    async with serving(handler) as url, relaying(url) as proxy, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(f"{proxy.url}{SOCKET}")
        record = await proxy.seen(kind=Kind.CONNECT_ERROR)
        assert (record.reason, record.message) == ("HTTP 400", "Bad request")
        assert record.data == {"code": 3, "message": "Bad request"}
        (line,) = proxy.said
        assert line.startswith("handshake refused: HTTP 400 'Bad request'")


async def test_tls_to_the_server() -> None:
    async with serving(hello, tls=True) as url, aiohttp.ClientSession() as http:
        for trust in ({"insecure": True}, {"cacert": str(TLS / "cert.pem")}):
            async with relaying(url, **trust) as proxy:
                assert await (await http.get(f"{proxy.url}{POLL}")).text() == '42["hello"]'
        async with relaying(url) as proxy:
            response = await http.get(proxy.url)
            assert (response.status, "its certificate is not trusted" in await response.text()) == (502, True)


@pytest.mark.parametrize(
    ("peer", "scheme", "reason"),
    [
        (bad.refuses_connections, "http", "nothing listens on 127.0.0.1 port"),
        (bad.empty, "https", "no TLS on this port: use http:// instead of https://"),
        (bad.closes, "https", "it .* the connection.*: is it http://"),
        (bad.resets, "https", "it reset the connection: is it http://"),
        (bad.silent, "https", "no connection within 0.3 s: a firewall, or the wrong address?"),
    ],
)
async def test_a_server_that_cannot_be_reached_is_a_502(peer: Any, scheme: str, reason: str) -> None:
    async with peer() as url, aiohttp.ClientSession() as http:
        url = url.replace("http:", f"{scheme}:")
        async with relaying(url, connect_timeout=0.3) as proxy:
            response = await http.post(proxy.url, data=bytes(100_000))
            text = await response.text()
            assert (response.status, response.content_type) == (502, "text/plain")
            assert re.match(f"nsroom proxy: cannot reach {url}: {reason}", text)
            record = await proxy.seen(kind=Kind.CONNECT_ERROR, direction=Direction.LOCAL)
            assert f"nsroom proxy: {record.message}\n" == text


async def test_an_unknown_host() -> None:
    async with aiohttp.ClientSession() as http, relaying("http://nowhere.invalid") as proxy:
        assert "no such host: nowhere.invalid" in await (await http.get(proxy.url)).text()


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    assert not socket.compress
    async for message in socket:
        await socket.send_str(message.data)
    return socket


async def test_drop() -> None:
    faults = Faults(drop=1.0, where=lambda record: record.event == "lost" and record.direction == "out")
    async with serving(echo) as url, relaying(url, faults=faults) as proxy, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{proxy.url}{SOCKET}&sid=x", compress=15) as socket:
            for text in ('42["lost"]', "2", '42["kept"]'):
                await socket.send_str(text)
            assert [(await socket.receive()).data for _ in range(2)] == ["2", '42["kept"]']
        assert (await proxy.seen(event="lost")).reason == "dropped on purpose"


async def test_delay() -> None:
    faults = Faults(delay=0.2, where=lambda record: record.event == "late" and record.direction == "in")
    loop = asyncio.get_running_loop()
    async with serving(echo) as url, relaying(url, faults=faults) as proxy, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{proxy.url}{SOCKET}&sid=x") as socket:
            before = loop.time()
            await socket.send_str('42["soon"]')
            assert (await socket.receive()).data == '42["soon"]'
            for number in range(50):
                await socket.send_str(f'42["late",{number}]')
            got = [(await socket.receive()).data for _ in range(50)]
            elapsed = loop.time() - before
        assert got == [f'42["late",{number}]' for number in range(50)]
        assert 0.2 <= elapsed < 5
        await proxy.seen(kind=Kind.CLOSE)


async def test_a_delayed_response_to_a_poll() -> None:
    loop = asyncio.get_running_loop()
    faults = Faults(delay=0.2)
    async with serving(hello) as url, relaying(url, faults=faults) as proxy, aiohttp.ClientSession() as http:
        before = loop.time()
        assert await (await http.get(f"{proxy.url}{POLL}")).text() == '42["hello"]'
        assert loop.time() - before >= 0.2


async def test_a_stalled_reader_of_records_stops_the_relay() -> None:
    """Records are neither lost nor kept without a limit."""
    flood = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n42["a"]'
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(flood)
                sent += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async with raw_server(talk) as url:
        proxy = Proxy(Plan(url), print)
        async with proxy.listening("127.0.0.1", 0) as listening:
            records = proxy.records()
            port = int(listening.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            request = f"GET {POLL}&sid=x HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            writer.write(request)
            await reader.readexactly(len(flood))
            await anext(records)
            writer.write(request * 200_000)
            reading = asyncio.create_task(is_reset(reader))
            before = -1
            while sent != before:
                before = sent
                await asyncio.sleep(0.1)
            assert sent < 100_000
            async with asyncio.timeout(WAIT):
                more = await anext(records)
            assert [record.event for record in more] == ["a"] * len(more)
            writer.transport.abort()
            await reading
        await records.aclose()


async def test_a_port_in_use() -> None:
    async with serving(hello) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(ConnectError, match=f"127.0.0.1:{port} is in use: .* --listen"):
            async with Proxy(Plan(url), print).listening("127.0.0.1", port):
                raise AssertionError


async def test_an_address_that_is_not_local() -> None:
    with pytest.raises(ConnectError, match=r"cannot listen on 192\.0\.2\.1:0: .*; choose another --listen"):
        async with Proxy(Plan("http://a"), print).listening("192.0.2.1", 0):
            raise AssertionError


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (":3001", ("127.0.0.1", 3001)),
        ("3001", ("127.0.0.1", 3001)),
        (":0", ("127.0.0.1", 0)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_listen(text: str, where: tuple[str, int]) -> None:
    assert parse_listen("--listen", text) == where


@pytest.mark.parametrize("text", ["", "a", ":x", ":70000", "http://a:1", "a:1/x", "[::1:3", "u@a:1"])
def test_invalid_listen(text: str) -> None:
    with pytest.raises(UsageError, match="--listen"):
        parse_listen("--listen", text)


def test_a_password_in_the_url_is_refused() -> None:
    with pytest.raises(UsageError, match="remove user and password"):
        Plan("http://ann:secret@a").upstream()
