"""The documented nginx and HAProxy in front of three real servers: polling clients stay with one server."""

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
"""Seconds for each step."""
TRANSPORTS = {"polling": ["polling"], "upgrade": ["polling", "websocket"], "websocket": ["websocket"]}


class Member:
    """A member of the lobby with its own address, which reconnects."""

    def __init__(self, http: aiohttp.ClientSession, transports: list[str]) -> None:
        self.client = socketio.AsyncClient(
            http_session=http, reconnection_delay=0.1, reconnection_delay_max=0.5
        )
        self.transports = transports
        self.joined = asyncio.Event()
        self.losses = 0
        self.texts: Counter[str] = Counter()
        self.client.on("connect", self._join)
        self.client.on("message", self._count_text)
        self.client.on("disconnect", self._count_loss)

    async def _join(self) -> None:
        await self.client.emit("join", "lobby", callback=lambda _: self.joined.set())

    async def _count_loss(self, _reason: str) -> None:
        self.joined.clear()
        self.losses += 1

    async def _count_text(self, message: dict[str, Any]) -> None:
        self.texts[message["text"]] += 1

    @property
    def transport(self) -> str:
        return str(self.client.transport())


@pytest.fixture
async def servers(serve: StartServer, tmp_path: Path) -> AsyncIterator[list[Server]]:
    """A cluster of three servers."""
    folder = tmp_path / "valkey"
    folder.mkdir()
    async with valkey(folder) as bus:
        options = ("--redis", bus.url, "--ping-interval", "1", "--ping-timeout", "1")
        yield await asyncio.gather(*(serve(*options) for _ in range(3)))


async def connect_members(stack: AsyncExitStack, url: str) -> list[Member]:
    """Connect nine members, each from its own address, three for each of TRANSPORTS."""
    found: list[Member] = []
    for number, transports in enumerate([*TRANSPORTS.values()] * 3):
        connector = aiohttp.TCPConnector(local_addr=(f"127.0.0.{number + 2}", 0))
        jar = aiohttp.CookieJar(unsafe=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, cookie_jar=jar))
        found.append(Member(http, transports))
        await found[-1].client.connect(url, transports=transports)
        stack.push_async_callback(found[-1].client.shutdown)
    return found


async def talk(members: list[Member], prefix: str) -> None:
    """Send a message from each member when all have joined; wait until all have received all of them."""
    async with asyncio.timeout(WAIT):
        for member in members:
            await member.joined.wait()
    sent = [f"{prefix}-{number}" for number in range(len(members))]
    for member, text in zip(members, sent, strict=True):
        answer = await member.client.call("message", {"room": "lobby", "text": text}, timeout=WAIT)
        assert answer["ok"]
    async with asyncio.timeout(WAIT):
        while not all(member.texts.keys() >= set(sent) for member in members):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    for member in members:
        assert [member.texts[text] for text in sent] == [1] * len(sent)
        assert member.transport == member.transports[-1]


async def busiest(servers: list[Server]) -> tuple[Server, int]:
    """Return the server with the most clients, and their number."""
    async with aiohttp.ClientSession() as http:
        loads = [await connections(http, server) for server in servers]
    assert sum(loads) == 9
    return servers[loads.index(max(loads))], max(loads)


async def connections(http: aiohttp.ClientSession, server: Server) -> int:
    """Return the number of a server's clients."""
    async with http.get(f"{server.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("nsroom_connections{"))


@pytest.mark.parametrize("balancer", [nginx, haproxy])
async def test_a_server_is_killed_behind_a_balancer(
    servers: list[Server], balancer: Balancer, tmp_path: Path
) -> None:
    async with balancer(tmp_path, [server.url for server in servers]) as url, AsyncExitStack() as stack:
        members = await connect_members(stack, url)
        await talk(members, "before")
        victim, affected = await busiest(servers)
        victim.proc.signal(signal.SIGKILL)
        async with asyncio.timeout(WAIT):
            while sum(member.losses for member in members) < affected:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await talk(members, "after")
