"""Engine.IO by hand, over aiohttp: one packet at a time, right or wrong."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from nsroom_server.app import Running
from tests.server.member import WAIT, Json

CLOSED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)


def endpoint(running: Running, transport: str, sid: str | None = None) -> str:
    return f"{running.url}/socket.io/?EIO=4&transport={transport}" + (f"&sid={sid}" if sid else "")


class Polling:
    """One polling session."""

    def __init__(self, http: aiohttp.ClientSession, running: Running, sid: str) -> None:
        self.http, self.url, self.sid = http, endpoint(running, "polling", sid), sid

    async def get(self) -> tuple[int, str]:
        async with self.http.get(self.url) as response:
            return response.status, await response.text()

    async def post(self, body: str | bytes) -> int:
        async with self.http.post(self.url, data=body) as response:
            return response.status


async def handshake(http: aiohttp.ClientSession, running: Running) -> Json:
    async with http.get(endpoint(running, "polling")) as response:
        return json.loads((await response.text())[1:])


async def poll(http: aiohttp.ClientSession, running: Running) -> Polling:
    """Open a polling session and connect it to the root namespace."""
    session = Polling(http, running, (await handshake(http, running))["sid"])
    assert await session.post("40") == 200
    answer = (await session.get())[1]
    assert answer.startswith("40{")
    if "hi" not in answer:
        assert "hi" in (await session.get())[1]
    return session


@asynccontextmanager
async def websocket(
    http: aiohttp.ClientSession, running: Running
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a WebSocket and connect it to the root namespace."""
    async with http.ws_connect(endpoint(running, "websocket")) as ws:
        assert (await ws.receive_str(timeout=WAIT))[0] == "0"
        await ws.send_str("40")
        assert (await ws.receive_str(timeout=WAIT)).startswith("40{")
        assert await ws.receive_str(timeout=WAIT) == '42["hi","everyone!"]'
        yield ws


async def closing(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    """Wait until the server closes, and give the code."""
    while (await ws.receive(timeout=WAIT)).type not in CLOSED:
        continue
    return ws.close_code
