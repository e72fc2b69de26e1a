"""The documented nginx and HAProxy before three real servers: whoever polls stays, and comes back."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from tests.conftest import StartServer
from tests.peers.balancer import Balancer, haproxy, nginx
from tests.peers.program import Server
from tests.peers.valkey_server import valkey

WAIT = 20
TRANSPORTS = {"polling": ["polling"], "upgrade": ["polling", "websocket"], "websocket": ["websocket"]}


class Visitor:
    """A member of the lobby from an address of its own, who comes back."""

    def __init__(self, http: aiohttp.ClientSession, transports: list[str]) -> None:
        self.client = socketio.AsyncClient(
            http_session=http, reconnection_delay=0.1, reconnection_delay_max=0.5
        )
        self.transports = transports
        self.inside = asyncio.Event()
        self.losses = 0
        self.heard: Counter[str] = Counter()
        self.client.on("connect", self._join)
        self.client.on("message", self._hear)
        self.client.on("disconnect", self._leave)

    async def _join(self) -> None:
        await self.client.emit("join", "lobby", callback=lambda _: self.inside.set())

    async def _leave(self, _reason: str) -> None:
        self.inside.clear()
        self.losses += 1

    async def _hear(self, message: dict[str, Any]) -> None:
        self.heard[message["text"]] += 1

    @property
    def transport(self) -> str:
        return str(self.client.transport())


@pytest.fixture
async def servers(serve: StartServer, tmp_path: Path) -> AsyncIterator[list[Server]]:
    """Three servers that are one."""
    folder = tmp_path / "valkey"
    folder.mkdir()
    async with valkey(folder) as bus:
        options = ("--redis", bus.url, "--ping-interval", "1", "--ping-timeout", "1")
        yield await asyncio.gather(*(serve(*options) for _ in range(3)))


async def visitors(stack: AsyncExitStack, url: str) -> list[Visitor]:
    """Connect nine from as many addresses: three that only poll, three that upgrade, three of WebSocket."""
    found: list[Visitor] = []
    for number, transports in enumerate([*TRANSPORTS.values()] * 3):
        connector = aiohttp.TCPConnector(local_addr=(f"127.0.0.{number + 2}", 0))
        jar = aiohttp.CookieJar(unsafe=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, cookie_jar=jar))
        found.append(Visitor(http, transports))
        await found[-1].client.connect(url, transports=transports)
        stack.push_async_callback(found[-1].client.shutdown)
    return found


async def talk(visitors: list[Visitor], prefix: str) -> None:
    """Have each say something when all are in, and wait until all have heard everything."""
    async with asyncio.timeout(WAIT):
        for visitor in visitors:
            await visitor.inside.wait()
    said = [f"{prefix}-{number}" for number in range(len(visitors))]
    for visitor, text in zip(visitors, said, strict=True):
        answer = await visitor.client.call("message", {"room": "lobby", "text": text}, timeout=WAIT)
        assert answer["ok"]
    async with asyncio.timeout(WAIT):
        while not all(visitor.heard.keys() >= set(said) for visitor in visitors):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    for visitor in visitors:
        assert [visitor.heard[text] for text in said] == [1] * len(said)
        assert visitor.transport == visitor.transports[-1]


async def busiest(servers: list[Server]) -> tuple[Server, int]:
    """Find the server that most clients are on, and how many these are."""
    async with aiohttp.ClientSession() as http:
        loads = [await connections(http, server) for server in servers]
    assert sum(loads) == 9
    return servers[loads.index(max(loads))], max(loads)


async def connections(http: aiohttp.ClientSession, server: Server) -> int:
    """Count the clients of a server."""
    async with http.get(f"{server.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("nsroom_connections{"))


@pytest.mark.parametrize("balancer", [nginx, haproxy])
async def test_a_server_is_killed_behind_a_balancer(
    servers: list[Server], balancer: Balancer, tmp_path: Path
) -> None:
    async with balancer(tmp_path, [server.url for server in servers]) as url, AsyncExitStack() as stack:
        members = await visitors(stack, url)
        await talk(members, "before")
        victim, affected = await busiest(servers)
        victim.proc.signal(signal.SIGKILL)
        async with asyncio.timeout(WAIT):
            while sum(visitor.losses for visitor in members) < affected:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        await talk(members, "after")
