"""aiohttp's connections through the HTTP proxy of the environment.

aiohttp can do without a tunnel only what needs none, and writes warnings about proxies to stderr.
"""

import asyncio
import ssl
from typing import Any

from nsroom.client.target import Target
from nsroom.client.transports.http_proxy import HttpProxy, ProxyError, create_connection
from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.client.transports.tls import target_context


def connector(target: Target, proxy: HttpProxy | None, **options: Any) -> aiohttp.BaseConnector:
    """Return the connector for requests to a target; the options are aiohttp's."""
    context = target_context(target) if target.url.startswith("https:") else None
    if target.unix is not None:
        return aiohttp.UnixConnector(target.unix, **options)
    if proxy is None:
        return aiohttp.TCPConnector(ssl=context or True, **options)
    return _ProxyConnector(proxy, context, **options)


def plain_proxy(target: Target, proxy: HttpProxy | None) -> str | None:
    """Return aiohttp's `proxy` option for HTTP requests that need no tunnel, or None.

    Many proxies allow tunnels to port 443 only.
    """
    return proxy.url if proxy is not None and target.url.startswith("http:") else None


class _ProxyConnector(aiohttp.TCPConnector):
    """Opens a tunnel for each connection, unless the request has the option `proxy`."""

    def __init__(self, proxy: HttpProxy, context: ssl.SSLContext | None, **options: Any) -> None:
        super().__init__(ssl=proxy.tls() or True, **options)
        self._proxy = proxy
        self._context = context

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> Any:
        if req.proxy is not None:
            try:
                return await super()._create_connection(req, traces, timeout)
            except aiohttp.ClientConnectorError as error:
                raise ProxyError(self._proxy) from error.__cause__
        async with asyncio.timeout(timeout.sock_connect):
            _, protocol = await create_connection(
                self._factory,
                req.url.raw_host,
                req.url.port,
                self._context if req.is_ssl() else None,
                self._proxy,
            )
        return protocol
