"""Listen, accept clients, and relay each to the upstream server, byte for byte.

Each client connection has its own connection to the server; closes, half-closes, resets and cancelled polls
are mirrored. Only the addresses in HTTP heads are translated.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from nsroom.channel import Channel
from nsroom.client.listening import address, explain
from nsroom.client.transports.http_proxy import proxy_for
from nsroom.client.transports.tls import client_context
from nsroom.errors import ConnectError, UsageError
from nsroom.proxy.addresses import Addresses
from nsroom.proxy.faults import Faults
from nsroom.proxy.heartbeats import Heartbeats
from nsroom.proxy.holding import Holder
from nsroom.proxy.intercepting_relay import InterceptingRelay
from nsroom.proxy.interceptor import Interceptor
from nsroom.proxy.notices import Notices
from nsroom.proxy.relay import Relay
from nsroom.proxy.sessions import Sessions
from nsroom.proxy.totals import Totals
from nsroom.proxy.upstream import Upstream
from nsroom.record import Record

_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """The server to relay to, and the changes to make."""

    url: str
    """Scheme, host and port of the server."""
    insecure: bool = False
    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    connect_timeout: float = 10.0
    origin: str | None = None
    """Replaces the Origin of this machine's pages, if given."""
    faults: Faults = field(default_factory=Faults)
    hold: bool = False
    """Whether to keep the sessions of clients and servers that are stopped."""
    intercept: Callable[[Record], bool] | None = None
    """Selects the packets that wait for a decision of the user."""

    def upstream(self) -> Upstream:
        """Return the address of the server. Raises: UsageError."""
        parts = urlsplit(self.url)
        if parts.username or parts.password:
            raise UsageError("the proxy does not add credentials: remove user and password from the URL")
        secure = parts.scheme == "https"
        return Upstream(
            url=self.url,
            host=parts.hostname or "localhost",
            port=parts.port or (443 if secure else 80),
            tls=client_context(self.insecure, self.cacert, self.cert, self.key) if secure else None,
            timeout=self.connect_timeout,
            proxy=proxy_for(self.url, self.insecure, self.cacert),
        )

    def addresses(self, listen: str) -> Addresses:
        """Return the translation of addresses for a proxy that listens at `listen`."""
        return Addresses(self.url, listen, socket.gethostname(), self.origin)


class Proxy:
    """The listening proxy."""

    def __init__(
        self, plan: Plan, say: Callable[[str], None], totals: Totals | None = None, raw: bool = False
    ) -> None:
        """`say` prints a line for the user, `totals` counts the records. Raises: UsageError."""
        self._totals = totals
        self._channel = Channel()
        self._plan = plan
        self._upstream = plan.upstream()
        heartbeats = Heartbeats() if plan.hold else None
        self._sessions = Sessions(Notices(plan.url, say), raw, heartbeats)
        self._holder = (
            Holder(heartbeats, self._upstream, self._sessions, self._channel) if heartbeats else None
        )
        self.interceptor = (
            Interceptor(plan.intercept, self._sessions, self._upstream, self._channel, say)
            if plan.intercept is not None
            else None
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @contextlib.asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[str]:
        """Listen, and yield the proxy's URL; at exit, drop all connections. Raises: ConnectError."""
        _allow_many_files()
        try:
            accept = partial(self._accept, self._plan.addresses(host))
            server = await asyncio.start_server(accept, host, port, backlog=_BACKLOG)
        except OSError as error:
            raise ConnectError(explain(error, host, port, "--listen")) from error
        if self._holder is not None:
            self._sessions.notices.report_hold()
            self._spawn(self._holder.run())
        try:
            yield f"http://{address(host, server.sockets[0].getsockname()[1])}"
        finally:
            server.close()
            self._channel.close()
            if self.interceptor is not None:
                await self.interceptor.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def records(self) -> AsyncIterator[list[Record]]:
        """Yield the records in batches; a slow reader slows the relay down."""
        async for records in self._channel:
            if self._totals is not None:
                self._totals.add(records)
            yield records

    async def failed(self) -> None:
        """Wait until a relay fails because of a bug, and raise its exception."""
        await asyncio.shield(self._failed)

    def _accept(
        self, addresses: Addresses, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._spawn(self._relay(addresses).run(reader, writer))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _relay(self, addresses: Addresses) -> Relay:
        if self.interceptor is not None:
            return InterceptingRelay(
                *(self._upstream, addresses, self._sessions, self._channel, self.interceptor)
            )
        return Relay(
            *(self._upstream, addresses, self._plan.faults, self._sessions, self._channel, self._holder)
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._failed.done():
            self._failed.set_exception(error)


def _allow_many_files() -> None:
    """Raise the limit of open files to the maximum: each relayed client needs two."""
    if sys.platform == "win32":
        return
    import resource

    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS reports infinity, and refuses it
        resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))
