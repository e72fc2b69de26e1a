"""The connection without libraries: its request, and the targets it does not support."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from nsroom.channel import Channel
from nsroom.client.target import Target, Transport
from nsroom.client.transports.connection import Connection
from nsroom.client.transports.python_socketio import PythonSocketioConnection
from nsroom.client.transports.tap import Tap
from nsroom.client.transports.websocket import WebSocketConnection, supports
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.session import Observer
from nsroom.record import Record
from tests.cli.scripted import listening
from tests.frames import frame

OPEN = {"sid": "a", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 1000000}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"path": "/a b/ü/"},
    {"query": (("room", "a b&c=ü"), ("room", "2"), ("q", "%41"))},
    {"headers": {"X-Trace": "ü", "user-agent": "me", "Host": "chat.example"}},
    {"headers": {"Authorization": "Bearer x", "Cookie": "a=b; c=d"}},
    {"cookies": {"io": "4xT7-_", "lb": "a:b|c"}},
]


@pytest.fixture(autouse=True)
def environment_without_proxies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY", "ALL_PROXY", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@asynccontextmanager
async def recording(seen: list[web.Request]) -> AsyncIterator[str]:
    """Open an Engine.IO session for every request, and append the requests to `seen`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        await websocket.send_str("0" + json.dumps(OPEN))
        async for _ in websocket:
            pass
        return websocket

    async with listening(answer) as url:
        yield url.removeprefix("http://")


async def request_of(kind: type[Connection], target: Target, seen: list[web.Request]) -> dict[str, Any]:
    """Connect; return the request that the server saw, without the parts that differ by library."""
    connection = kind(target, Tap(Observer(), None, lambda _: None), lambda _: None)
    await connection.open(Transport.WEBSOCKET, ["/"], 5)
    await connection.close()
    request = seen.pop()
    headers = {name.lower(): value for name, value in request.headers.items()}
    for name in ("sec-websocket-key", "accept", "accept-encoding"):
        headers.pop(name, None)
    query = [(key, value) for key, value in request.query.items() if key != "t"]
    return {
        "path": request.path,
        "query": sorted(query),
        **{name: value.lower() if name == "connection" else value for name, value in headers.items()},
    }


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("userinfo", ["", "ann:s%40cret@"])
async def test_the_request_equals_that_of_python_socketio(
    options: dict[str, Any], userinfo: str, stack: AsyncExitStack
) -> None:
    seen: list[web.Request] = []
    place = await stack.enter_async_context(recording(seen))
    target = Target(url=f"http://{userinfo}{place}", **options)
    if not supports(target, Transport.WEBSOCKET, Dialect()):
        assert "Authorization" in options["headers"]
        return
    request = await request_of(WebSocketConnection, target, seen)
    assert request == await request_of(PythonSocketioConnection, target, seen)


@pytest.mark.parametrize(
    ("target", "is_old"),
    [
        (Target(url="http://münchen.example"), False),
        (Target(cookies={"a": 'b"c'}), False),
        (Target(cookies={"a": "b c/d=="}), False),
        (Target(cookies={"a": "b"}, headers={"COOKIE": "c=d"}), False),
        (Target(url="http://a:b@localhost", headers={"authorization": "x"}), False),
        (Target(), True),
    ],
)
def test_targets_that_need_aiohttp(target: Target, is_old: bool) -> None:
    assert not supports(target, Transport.WEBSOCKET, Dialect(3 if is_old else 4))


def test_only_websocket_is_supported() -> None:
    assert supports(Target(), Transport.WEBSOCKET, Dialect())
    assert supports(Target(), Transport.WEBSOCKET, Dialect(is_msgpack=True))
    assert not supports(Target(), Transport.POLLING, Dialect())


@pytest.mark.parametrize("kind", [WebSocketConnection, PythonSocketioConnection])
@pytest.mark.parametrize(
    ("netrc", "userinfo", "sent"),
    [
        ("machine 127.0.0.1 login ann password s3cret", "", "Basic YW5uOnMzY3JldA=="),
        ("machine 127.0.0.1 login ann password s3cret", "bob:x@", "Basic Ym9iOng="),
        ("machine example.org login ann password s3cret", "", None),
        ("machine", "", None),
    ],
)
async def test_the_login_of_netrc(
    kind: type[Connection], netrc: str, userinfo: str, sent: str | None, tmp_path: Path, stack: AsyncExitStack
) -> None:
    (tmp_path / ".netrc").write_text(netrc)
    (tmp_path / ".netrc").chmod(0o600)
    seen: list[web.Request] = []
    place = await stack.enter_async_context(recording(seen))
    request = await request_of(kind, Target(url=f"http://{userinfo}{place}"), seen)
    assert request.get("authorization") == sent


async def shown(burst: list[str], last: str) -> list[Record]:
    """Connect to a server that sends these frames together; return the records up to the event `last`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        assert request.transport
        request.transport.write(b"".join(frame(1, text.encode()) for text in burst))
        async for _ in websocket:
            pass
        return websocket

    channel = Channel()
    async with listening(answer) as url:
        tap = Tap(Observer(), channel, lambda _: None)
        connection = WebSocketConnection(Target(url=url), tap, lambda _: None)
        await connection.open(Transport.WEBSOCKET, ["/"], 5)
        records = await asyncio.wait_for(_until(channel, last), 5)
        await connection.close()
    return records


async def test_a_burst_is_recorded_in_order_with_our_answers() -> None:
    burst = [f"0{json.dumps(OPEN)}", '40{"sid":"s"}', '42["a"]', "2", '42["b"]', '42["c"]', "2", '42["d"]']
    records = await shown(burst, "d")
    seen = [record.event or f"{record.kind} {record.direction}" for record in records]
    assert seen[:5] == ["open in", "connect out", "connect in", "a", "ping in"]
    assert seen[5:] == ["pong out", "b", "c", "ping in", "pong out", "d"]
    assert [record.time for record in records] == sorted(record.time for record in records)


@pytest.mark.parametrize("last", ["41", "1"])
async def test_it_closes_after_the_last_namespace(last: str) -> None:
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def answer(request: web.Request) -> web.StreamResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        for text in (f"0{json.dumps(OPEN)}", '40{"sid":"s"}', last):
            await websocket.send_str(text)
        async for _ in websocket:
            pass
        codes.put_nowait(websocket.close_code)
        return websocket

    async with listening(answer) as url:
        connection = WebSocketConnection(
            Target(url=url), Tap(Observer(), None, lambda _: None), lambda _: None
        )
        await connection.open(Transport.WEBSOCKET, ["/"], 5)
        assert await asyncio.wait_for(codes.get(), 5) == 1000
        assert await asyncio.wait_for(connection.ended, 5) in ("client disconnect", "server disconnect")
        await connection.close()


async def test_a_ping_after_the_end_is_recorded_and_not_answered(caplog: pytest.LogCaptureFixture) -> None:
    records = await shown([f"0{json.dumps(OPEN)}", '40{"sid":"s"}', "41", "2", '42["late"]'], "late")
    assert [record.kind for record in records[-3:]] == ["disconnect", "ping", "event"]
    assert not caplog.records


async def _until(channel: Channel, event: str) -> list[Record]:
    seen: list[Record] = []
    async for records in channel:
        seen += records
        if records[-1].event == event:
            break
    return seen
