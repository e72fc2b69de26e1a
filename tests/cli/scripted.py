"""Servers in the test's loop: scripted Engine.IO over polling, and stock python-socketio."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import socketio
from aiohttp import web

from tests.peers.bad import OPEN

LOSE = "lose"
"""A body that breaks the connection instead of answering."""


@asynccontextmanager
async def listening(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None,
    app: web.Application | None = None,
    port: int = 0,
) -> AsyncIterator[str]:
    """Serve on a free port; requests still running at the end are cut off."""
    app = app or web.Application(client_max_size=2**30)
    if handler is not None:
        app.router.add_route("*", "/{anything:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Polling:
    """One session: polls are answered from `bodies`, and posted bodies are appended to `posts`."""

    def __init__(self, **handshake: Any) -> None:
        self.bodies: asyncio.Queue[str] = asyncio.Queue()
        self.posts: list[str] = []
        self.status = 200
        """The status of the answers to posts after a namespace is connected."""
        self._open = "0" + json.dumps(OPEN | handshake)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if request.query.get("transport") != "polling":
            return web.json_response({"code": 0, "message": "Transport unknown"}, status=400)
        if request.method == "POST":
            return await self._post(await request.text())
        body = await self.bodies.get() if "sid" in request.query else self._open
        if body == LOSE and request.transport:
            request.transport.abort()
        return web.Response(text=body)

    async def _post(self, body: str) -> web.Response:
        if body.startswith("40"):
            self.bodies.put_nowait('40{"sid":"sio"}')
            return web.Response(text="ok")
        self.posts.append(body)
        return web.Response(text="ok" if self.status == 200 else "no", status=self.status)

    def listening(self) -> contextlib.AbstractAsyncContextManager[str]:
        """Serve it."""
        return listening(self.answer)


@asynccontextmanager
async def stock(
    connected: Callable[[str, dict[str, Any], Any], Any], path: str = "socket.io", port: int = 0
) -> AsyncIterator[tuple[str, Any]]:
    """Serve python-socketio, which calls `connected(sid, environ, auth)`; yield the URL and the server."""
    server = socketio.AsyncServer(async_mode="aiohttp", always_connect=False)
    server.on("connect", connected, namespace="/")
    app = web.Application()
    server.attach(app, path)
    try:
        async with listening(app=app, port=port) as url:
            yield url, server
    finally:
        await server.shutdown()
