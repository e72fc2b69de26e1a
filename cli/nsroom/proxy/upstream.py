"""The connection to the server that the proxy relays to."""

import asyncio
import ssl
from dataclasses import dataclass

from nsroom.client.network_errors import explain_os_error
from nsroom.client.transports.http_proxy import HttpProxy, create_connection

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Upstream:
    """The server."""

    url: str
    host: str
    port: int
    tls: ssl.SSLContext | None
    timeout: float
    """Seconds for the connection, TLS included."""
    proxy: HttpProxy | None = None
    """The HTTP proxy of the environment that leads to the server."""

    async def connect(self) -> Streams:
        """Open a connection. Raises: OSError, which includes TimeoutError and ssl.SSLError."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        async with asyncio.timeout(self.timeout):
            transport, protocol = await create_connection(
                lambda: asyncio.StreamReaderProtocol(reader, loop=loop),
                *(self.host, self.port, self.tls, self.proxy),
            )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    def explain(self, error: OSError) -> str:
        """Return why the connection failed, and what to do."""
        return f"cannot reach {self.url}: {self._cause(error)}"

    def _cause(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"no connection within {self.timeout:g} s: a firewall, or the wrong address?"
        cause = explain_os_error(error, self.host, self.port, "start the server", tls=self.tls is not None)
        return cause or (error.strerror or str(error) or type(error).__name__).lower()
