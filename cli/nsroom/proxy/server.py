"""A relay before a server that shows what passes: TCP to TCP, byte for byte.

Each connection of a client has one of its own to the server, and they end as each other does: a half-closed
one, a reset, a poll that was given up. Only `Host` (and `Origin`, if asked for) is written anew.
"""

import asyncio
import contextlib
import os
import resource
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from errno import EADDRINUSE
from urllib.parse import urlsplit

from nsroom.channel import Channel
from nsroom.client.transports.tls import client_context
from nsroom.errors import ConnectError, UsageError
from nsroom.protocol import http11
from nsroom.proxy.faults import Faults
from nsroom.proxy.relay import Relay, Upstream
from nsroom.proxy.sessions import Sessions

_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What to relay to, and what to change on the way."""

    url: str
    """Scheme, host and port of the server."""
    insecure: bool = False
    cacert: str | None = None
    connect_timeout: float = 10.0
    origin: str | None = None
    """Stands in every Origin header, if given."""
    faults: Faults = field(default_factory=Faults)

    def upstream(self) -> Upstream:
        """Say how to reach the server. Raises: UsageError."""
        parts = urlsplit(self.url)
        if parts.username or parts.password:
            raise UsageError("the proxy adds nothing to the requests: leave name and password out of the URL")
        secure = parts.scheme == "https"
        return Upstream(
            url=self.url,
            host=parts.hostname or "localhost",
            port=parts.port or (443 if secure else 80),
            tls=client_context(self.insecure, self.cacert) if secure else None,
            timeout=self.connect_timeout,
        )

    def edit(self, head: bytes) -> bytes:
        """Write a request's head for the server."""
        head = http11.set_header(head, "Host", urlsplit(self.url).netloc)
        if self.origin is not None:
            head = http11.set_header(head, "Origin", self.origin)
        # To leave a message out of a compressed stream would spoil those behind it.
        return http11.drop_header(head, "Sec-WebSocket-Extensions") if self.faults.drop else head


class Proxy:
    """The relay while it listens."""

    def __init__(self, plan: Plan, raw: bool = False) -> None:
        """Raises: UsageError."""
        self.channel = Channel()
        self._plan = plan
        self._upstream = plan.upstream()
        self._sessions = Sessions(raw)
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @contextlib.asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[str]:
        """Listen, and give our URL; at the end every connection is over at once. Raises: ConnectError."""
        _allow_many_files()
        try:
            server = await asyncio.start_server(self._accept, host, port, backlog=_BACKLOG)
        except OSError as error:
            raise ConnectError(_explain(error, _address(host, port))) from error
        try:
            yield f"http://{_address(host, server.sockets[0].getsockname()[1])}"
        finally:
            server.close()
            self.channel.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def failed(self) -> None:
        """Wait until a connection has failed by a fault of ours, and raise that."""
        await asyncio.shield(self._failed)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = Relay(self._upstream, self._plan.edit, self._plan.faults, self._sessions, self.channel)
        task = asyncio.create_task(relay.run(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._failed.done():
            self._failed.set_exception(error)


def parse_listen(text: str) -> tuple[str, int]:
    """Read `:3001`, `3001`, `HOST:3001` or `[::1]:3001`. Raises: UsageError."""
    try:
        parts = urlsplit(f"//{text if ':' in text else f':{text}'}")
        host, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        port = None
    if port is None or parts.path or parts.query or "@" in text:
        raise UsageError(f"--listen {text!r}: give it as :3001 or HOST:3001")
    return host, port


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _explain(error: OSError, address: str) -> str:
    if error.errno == EADDRINUSE:
        return f"{address} is in use: stop what listens there, or name another with --listen (:0 is any)"
    cause = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
    return f"cannot listen on {address}: {cause.lower()}; choose another --listen"


def _allow_many_files() -> None:
    """Take as many descriptors as the system gives: each connection needs two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS calls it infinite, and refuses that
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
