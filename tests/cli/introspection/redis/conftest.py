"""A real Valkey, and servers that say in it what a test wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.peers.valkey_server import Valkey, valkey


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A Valkey of this test."""
    async with valkey(tmp_path) as server:
        yield server


@pytest.fixture
async def redis(bus: Valkey) -> AsyncIterator[Redis]:
    """A client of the Valkey."""
    async with Redis.from_url(bus.url) as client:
        yield client


Answer = Callable[[dict[str, Any]], Any]


class Server:
    """A server with the classic adapter in `/`: it answers with what `answer` returns, if not None."""

    def __init__(self, redis: Redis, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []
        self._redis = redis
        self._pubsub = redis.pubsub()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Subscribe, and answer from now on."""
        await self._pubsub.subscribe("socket.io-request#/#")
        await self._pubsub.get_message(timeout=10)
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for message in self._pubsub.listen():
            request = json.loads(message["data"])
            self.requests.append(request)
            reply = self.answer(request)
            if reply is not None:
                data = reply if isinstance(reply, bytes) else json.dumps(reply)
                await self._redis.publish("socket.io-response#/#", data)

    async def stop(self) -> None:
        """Unsubscribe."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]


@pytest.fixture
async def serve(redis: Redis) -> AsyncIterator[Callable[[Answer], Any]]:
    """Start a server: `server = await serve(lists("a", "b"))`."""
    running: list[Server] = []

    async def start(answer: Answer) -> Server:
        server = Server(redis, answer)
        running.append(server)
        await server.start()
        return server

    yield start
    for server in running:
        await server.stop()


def lists(*sids: str) -> Answer:
    """Answer with these sockets, each in `lobby`."""
    sockets = [{"id": sid, "rooms": [sid, "lobby"], "handshake": {"address": "::1"}} for sid in sids]
    return lambda request: (
        {"requestId": request["requestId"], "sockets": sockets} if "requestId" in request else None
    )
