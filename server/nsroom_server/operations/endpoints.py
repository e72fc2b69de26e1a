"""/healthz, /readyz and /metrics."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from nsroom_server.chat.backend import Backend
from nsroom_server.operations.prometheus import CONTENT_TYPE, Metrics
from nsroom_server.socketio.server import Server

_LAG_INTERVAL = 0.25
"""Seconds between two measurements of the event loop's lag."""


class Operations:
    """Answers /healthz, /readyz and /metrics."""

    def __init__(self, server: Server, metrics: Metrics, backend: Backend) -> None:
        self._server = server
        self._metrics = metrics
        self._backend = backend

    def add_to(self, app: web.Application) -> None:
        """Add the routes, and the measurement of the loop's lag."""
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics_text)
        app.cleanup_ctx.append(self._measure)

    async def _measure(self, _: web.Application) -> AsyncIterator[None]:
        task = self._server.engine.create_task(self._watch_lag())
        yield
        task.cancel()

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_INTERVAL
            await asyncio.sleep(_LAG_INTERVAL)
            self._metrics.lag.observe(max(loop.time() - due, 0))

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        """Answer whether a balancer should send clients here; a degraded server still takes them."""
        if self._server.draining.is_set():
            return web.json_response({"status": "draining"}, status=503)
        failing = [name for name, works in self._backend.parts.items() if not works]
        return web.json_response(
            {"status": "degraded", "failing": failing} if failing else {"status": "ready"}
        )

    async def _metrics_text(self, _: web.Request) -> web.Response:
        bus = self._backend.bus
        body = self._metrics.expose(self._backend.parts, bus.figures if bus else None)
        return web.Response(body=body.encode(), headers={"Content-Type": CONTENT_TYPE})
