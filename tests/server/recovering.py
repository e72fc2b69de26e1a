"""A client of the protocol that recovers its connection, by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from nsroom_server.app import Running
from tests.server.member import WAIT, Json
from tests.server.wire import endpoint


class Socket:
    """A client of the protocol: what it has received, and its offset."""

    def __init__(self) -> None:
        self.sid = self.pid = ""
        self.offset: str | None = None
        self.recovered = False
        self.events: list[list[Json]] = []
        """With their offsets."""

    def hello(self, namespace: str, **more: Any) -> str:
        payload = {"pid": self.pid, "offset": self.offset} if self.pid else {}
        return f"40{namespace},{json.dumps({**payload, **more})}"

    def take(self, packet: str, namespace: str) -> str:
        """Take a packet in, and return its type."""
        kind, _, data = packet.partition(f"{namespace},")
        if kind == "40":
            answer = json.loads(data)
            self.recovered = answer.get("pid") == self.pid
            self.sid, self.pid = answer["sid"], answer.get("pid", "")
        elif kind == "42":
            self.events.append(json.loads(data))
            self.offset = self.events[-1][-1]
        return kind

    def seen(self, event: str = "message") -> list[Json]:
        """Return the first arguments of the events of this name."""
        return [args[0] for name, *args in self.events if name == event]


@asynccontextmanager
async def connected(
    http: aiohttp.ClientSession, running: Running, socket: Socket, namespace: str = "/chat"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Connect a client, again if it was connected before; the connection ends without a DISCONNECT."""
    async with http.ws_connect(endpoint(running, "websocket")) as ws:
        await ws.send_str(socket.hello(namespace))
        while socket.take(await ws.receive_str(timeout=WAIT), namespace) != "40":
            continue
        yield ws


async def until(
    ws: aiohttp.ClientWebSocketResponse, socket: Socket, kind: str, namespace: str = "/chat"
) -> str:
    """Receive until a packet of this type has arrived, and return it."""
    while socket.take(packet := await ws.receive_str(timeout=WAIT), namespace)[:2] != kind:
        continue
    return packet


async def join(ws: aiohttp.ClientWebSocketResponse, socket: Socket, room: str = "lobby") -> None:
    await ws.send_str(f'42/chat,1["join","{room}"]')
    await until(ws, socket, "43")
