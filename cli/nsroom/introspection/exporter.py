"""Serve the figures of somebody else's server to Prometheus."""

import asyncio
from collections.abc import Collection

from aiohttp import web

from nsroom.channel import now
from nsroom.client.listening import address, explain
from nsroom.errors import ConnectError
from nsroom.introspection.figures import CONTENT_TYPE, Figures
from nsroom.introspection.observer import Say
from nsroom.introspection.ways import Way

_GRACE = 0.5
"""Seconds in which requests may end when nsroom stops."""


async def export(
    way: Way,
    listen: tuple[str, int],
    namespaces: Collection[str],
    all: bool,
    timeout: float,
    say: Say,
) -> None:
    """Serve the figures of a server at /metrics until it is lost.

    Raises: ConnectError if nothing can listen there; as the observer.
    """
    async with way.observe(timeout=timeout, say=say) as observer:
        figures = Figures(observer.state, namespaces, all)

        async def respond(_: web.Request) -> web.Response:
            body = figures.expose(now()).encode()
            return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

        app = web.Application()
        app.router.add_get("/metrics", respond)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE)
        await runner.setup()
        try:
            await _listen(runner, listen, say)
            async for records in observer.batches():
                figures.learn(records)
        finally:
            await asyncio.shield(runner.cleanup())


async def _listen(runner: web.AppRunner, listen: tuple[str, int], say: Say) -> None:
    host, port = listen
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ConnectError(explain(error, host, port, "--metrics")) from error
    say(f"the figures are at http://{address(host, runner.addresses[0][1])}/metrics")
