"""A client of the server under test: python-socketio's own, with what it has received."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import socketio

from nsroom_server.app import Running

Json = Any
WAIT = 10


class Member:
    """One client in one or more namespaces, with the events it has received in order."""

    def __init__(self, namespaces: list[str]) -> None:
        self.client = socketio.AsyncClient(reconnection=False)
        self.namespace = namespaces[0]
        self.events: asyncio.Queue[tuple[str, str, tuple[Json, ...]]] = asyncio.Queue()
        self.disconnected = asyncio.Event()
        self.refusals: asyncio.Queue[Json] = asyncio.Queue()
        for namespace in namespaces:
            self.client.on("*", self._collect(namespace), namespace=namespace)
            self.client.on("disconnect", self._gone, namespace=namespace)
            self.client.on("connect_error", self.refusals.put, namespace=namespace)

    def _collect(self, namespace: str) -> Callable[..., Awaitable[None]]:
        async def collect(event: str, *args: Json) -> None:
            self.events.put_nowait((namespace, event, args))

        return collect

    async def _gone(self, _reason: str) -> None:
        self.disconnected.set()

    @property
    def sid(self) -> str:
        return str(self.client.get_sid(self.namespace))

    async def call(self, event: str, *args: Json, namespace: str | None = None) -> Json:
        """Emit and give the acknowledgement."""
        return await self.client.call(event, args, namespace or self.namespace, timeout=WAIT)

    async def emit(self, event: str, *args: Json, namespace: str | None = None) -> None:
        await self.client.emit(event, args, namespace or self.namespace)

    async def next(self, wanted: str) -> Json:
        """Give the first argument of the next event of that name."""
        while True:
            _, event, args = await asyncio.wait_for(self.events.get(), WAIT)
            if event == wanted:
                return args[0] if args else None

    async def refused(self) -> Json:
        """Give the payload of the next CONNECT_ERROR."""
        return await asyncio.wait_for(self.refusals.get(), WAIT)

    async def settled(self) -> list[tuple[str, Json]]:
        """Give what has come so far: whatever the server sent before it answers this call."""
        await self.call("rooms")
        items = []
        while not self.events.empty():
            _, event, args = self.events.get_nowait()
            items.append((event, args[0] if args else None))
        return items


Serve = Callable[..., Awaitable[Running]]
Connect = Callable[..., Awaitable[Member]]
