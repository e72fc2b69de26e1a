"""Accept TCP connections: idle time-outs, and a limit per address.

aiohttp alone would wait as long for the first byte and for the rest of a head as for the next request.
"""

import asyncio
import contextlib
import os
import resource
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from errno import EADDRINUSE
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Handler

from nsroom_server.engineio.transport import CorkableTransport
from nsroom_server.errors import AddressInUseError, ListenError
from nsroom_server.settings.config import Config
from nsroom_server.settings.limits import Limits

_BACKLOG = 1024


class Acceptor:
    """The protocol factory of the listener: it wraps each connection of aiohttp's server."""

    def __init__(self, server: web.Server, limits: Limits, refusals: Counter[str]) -> None:
        self.limits = limits
        self.refusals = refusals
        """Dropped connections by reason."""
        self._server = server
        self._addresses: Counter[str] = Counter()

    def __call__(self) -> asyncio.Protocol:
        return GuardedConnection(self, self._server())

    def add_connection(self, address: str) -> bool:
        """Count a new connection, and return whether it is within the limit."""
        if self._addresses[address] >= self.limits.tcp_connections_per_address:
            return False
        self._addresses[address] += 1
        return True

    def remove_connection(self, address: str) -> None:
        """Count a closed connection."""
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]


class GuardedConnection(asyncio.Protocol):
    """One TCP connection; everything it receives is passed on to aiohttp."""

    __slots__ = ("_acceptor", "_address", "_busy", "_inner", "_loop", "_timer", "_transport")

    def __init__(self, acceptor: Acceptor, inner: asyncio.Protocol) -> None:
        self._acceptor = acceptor
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._address: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection, or drop it if the address has too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        address = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._acceptor.add_connection(address):
            self._drop("too many connections")
            return
        self._address = address
        self._start_timer()
        self._inner.connection_made(cast(asyncio.Transport, CorkableTransport(transport)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the connection."""
        self._stop_timer()
        if self._address is not None:
            self._acceptor.remove_connection(self._address)
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass data on; data between requests starts a head."""
        if self._address is None:
            return
        if not self._busy and self._timer is None:
            self._start_timer()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._inner.eof_received() if self._address is not None else None

    def pause_writing(self) -> None:
        """Pass it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._inner.resume_writing()

    @contextmanager
    def handling_request(self) -> Iterator[None]:
        """Suspend the time-out for a head while a request is handled: it has its own."""
        self._stop_timer()
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def _start_timer(self) -> None:
        self._timer = self._loop.call_later(self._acceptor.limits.head_timeout, self._drop, "head too slow")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop(self, reason: str) -> None:
        self._acceptor.refusals[reason] += 1
        self._transport.abort()


@web.middleware
async def track_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Mark the connection as busy while a request is handled."""
    connection = request.transport.get_protocol() if request.transport else None
    if not isinstance(connection, GuardedConnection):
        return await handler(request)
    with connection.handling_request():
        return await handler(request)


@asynccontextmanager
async def listening(
    server: web.Server, config: Config, tls: ssl.SSLContext | None, refusals: Counter[str]
) -> AsyncIterator[int]:
    """Accept connections for aiohttp's server, and yield the port.

    Raises: ListenError.
    """
    limits = config.effective_limits
    _raise_file_limit()
    try:
        listener = await asyncio.get_running_loop().create_server(
            Acceptor(server, limits, refusals),
            config.host,
            config.port,
            ssl=tls,
            ssl_handshake_timeout=limits.head_timeout if tls else None,
            backlog=_BACKLOG,
        )
    except OSError as error:
        raise _listen_error(error, config) from error
    try:
        yield int(listener.sockets[0].getsockname()[1])
    finally:
        listener.close()


def _raise_file_limit() -> None:
    """Raise the limit on descriptors as far as possible: each connection needs one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS reports infinity, and refuses it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _listen_error(error: OSError, config: Config) -> ListenError:
    address = f"{config.host}:{config.port}"
    if error.errno == EADDRINUSE:
        return AddressInUseError(
            f"{address} is in use: stop the server there, or choose another port (--port 0 picks a free one)"
        )
    cause = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
    return ListenError(f"cannot listen on {address}: {cause.lower()}; choose another --host or --port")
