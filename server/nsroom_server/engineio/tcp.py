"""Accept TCP connections: idle time-outs, and a limit per address.

aiohttp alone would wait as long for the first byte and for the rest of a head as for the next request.
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from errno import EADDRINUSE, EMFILE, ENFILE, ENOBUFS, ENOMEM
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from nsroom_server.engineio.transport import CorkableTransport
from nsroom_server.errors import AddressInUseError, ListenError
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.settings import cures
from nsroom_server.settings.config import Config
from nsroom_server.settings.limits import Limits

log = logging.getLogger("nsroom_server")

_BACKLOG = 1024
_ACCEPTS = 64
"""Connections to accept before the clients that are connected get a turn."""
_EXHAUSTED = frozenset((EMFILE, ENFILE, ENOBUFS, ENOMEM))
_PAUSE = 1.0
"""Seconds without accepting when not even the reserved descriptor helps."""


class Acceptor:
    """Accepts connections for aiohttp's server, and counts those of each address from accept to close.

    Not asyncio's own accepting: that calls the protocol after the TLS handshake only, and without a free file
    descriptor it logs a traceback for each place of the backlog.
    """

    def __init__(
        self, server: web.Server, limits: Limits, refusals: Counter[str], tls: ssl.SSLContext | None = None
    ) -> None:
        self.limits = limits
        self.refusals = refusals
        """Dropped connections by reason."""
        self._server = server
        self._tls = tls
        self._addresses: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._warn = RateLimitedWarnings(log, per_second=1, burst=1)
        self.loop = asyncio.get_running_loop()
        self._reserve: int | None = _open_reserve()
        """A descriptor to close when all others are used, to accept a connection and drop it."""

    @contextmanager
    def accepting(self, sockets: Sequence[socket.socket]) -> Iterator[None]:
        """Accept connections until the context is left."""
        for each in sockets:
            self.loop.add_reader(each, self._accept, each)
        try:
            yield
        finally:
            for each in sockets:
                self.loop.remove_reader(each)
                each.close()
            for task in self._tasks:
                task.cancel()
            self._close_reserve()

    def make_protocol(self) -> asyncio.Protocol:
        """Return aiohttp's protocol for a new connection."""
        return self._server()

    def remove_connection(self, address: str) -> None:
        """Count a closed connection."""
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTS):
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                if not self._drop_next(listener, error):
                    return
            else:
                self._admit(sock, str(peer[0]))

    def _admit(self, sock: socket.socket, address: str) -> None:
        if self._addresses[address] >= self.limits.tcp_connections_per_address:
            self.refusals["too many connections"] += 1
            self._warn(*cures.limit("more connections", "tcp_connections_per_address", self.limits))
            sock.close()
            return
        self._addresses[address] += 1
        connection = GuardedConnection(self, address, None if self._tls else sock)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not connection.is_made:  # not even a finally clause would run in a task that never started
                sock.close()
                self.remove_connection(address)

        task = self.loop.create_task(self._connect(sock, connection))
        self._tasks.add(task)
        task.add_done_callback(done)

    async def _connect(self, sock: socket.socket, connection: "GuardedConnection") -> None:
        """Complete the TLS handshake, if there is one, and pass the connection on."""
        timeout = self.limits.head_timeout if self._tls else None
        try:
            sock.setblocking(False)
            await self.loop.connect_accepted_socket(
                lambda: connection, sock, ssl=self._tls, ssl_handshake_timeout=timeout
            )
        except OSError:
            self.refusals["no handshake"] += 1
            self._warn("a TLS handshake failed: does the client use https and trust the certificate?")

    def _drop_next(self, listener: socket.socket, error: OSError) -> bool:
        """Drop the next connection that waits, and return whether there may be more to accept."""
        self._warn("cannot accept connections", cause=os.strerror(error.errno or 0).lower())
        self._close_reserve()
        try:
            listener.accept()[0].close()
            self.refusals["no free descriptor"] += 1
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError:
            self.loop.remove_reader(listener)
            self.loop.call_later(_PAUSE, self._resume, listener)
            return False
        finally:
            self._reserve = _open_reserve()
        return True

    def _resume(self, listener: socket.socket) -> None:
        if listener.fileno() >= 0:
            self.loop.add_reader(listener, self._accept, listener)

    def _close_reserve(self) -> None:
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None


def _open_reserve() -> int | None:
    with contextlib.suppress(OSError):
        return os.open(os.devnull, os.O_RDONLY)
    return None


class GuardedConnection(asyncio.Protocol):
    """One TCP connection; everything it receives is passed on to aiohttp."""

    __slots__ = (
        "_acceptor",
        "_address",
        "_busy",
        "_inner",
        "_socket",
        "_timer",
        "_transport",
        "is_made",
    )

    def __init__(self, acceptor: Acceptor, address: str, sock: socket.socket | None) -> None:
        """`sock` is None if there is TLS."""
        self._acceptor = acceptor
        self._address = address
        self._socket = sock
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self.is_made = False
        """Whether the connection was established, with TLS if there is any."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect aiohttp."""
        self.is_made = True
        # uvloop's are no subclass.
        self._transport = cast(asyncio.Transport, transport)
        self._inner = self._acceptor.make_protocol()
        self._start_timer()
        self._inner.connection_made(cast(asyncio.Transport, CorkableTransport(self._transport, self._socket)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the connection."""
        self._stop_timer()
        self._acceptor.remove_connection(self._address)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass data on; data between requests starts a head."""
        if not self._busy and self._timer is None:
            self._start_timer()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._inner.eof_received()

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
        self._timer = self._acceptor.loop.call_later(
            self._acceptor.limits.head_timeout, self._drop, "head too slow"
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop(self, reason: str) -> None:
        self._acceptor.refusals[reason] += 1
        self._transport.abort()


class MalformedRequests(logging.Filter):
    """Logs requests that aiohttp cannot parse as rate-limited warnings.

    aiohttp logs a traceback for each one, which quotes the request with its secrets.
    """

    def __init__(self) -> None:
        super().__init__()
        self._warn = RateLimitedWarnings(log)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record as it is."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        self._warn("malformed request", cause=type(error).__name__)
        return False


def request_log() -> logging.Logger:
    """Return a logger for aiohttp's server."""
    made = logging.getLogger("nsroom_server.http")
    if not made.filters:
        made.addFilter(MalformedRequests())
    return made


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
    _raise_file_limit()
    acceptor = Acceptor(server, config.effective_limits, refusals, tls)
    sockets = await _bind(config)
    with acceptor.accepting(sockets):
        yield int(sockets[0].getsockname()[1])


async def _bind(config: Config) -> list[socket.socket]:
    try:
        bound = await asyncio.get_running_loop().create_server(
            asyncio.Protocol, config.host, config.port, start_serving=False
        )
        try:
            if not bound.sockets:  # asyncio passes over the addresses for which it gets no socket
                raise OSError(EMFILE, os.strerror(EMFILE))
            sockets = [each.dup() for each in bound.sockets]
        finally:
            bound.close()
        for each in sockets:
            each.setblocking(False)
            each.listen(_BACKLOG)
    except OSError as error:
        raise _listen_error(error, config) from error
    return sockets


def _raise_file_limit() -> None:
    """Raise the limit on descriptors as far as possible: each connection needs one."""
    if sys.platform == "win32":
        return
    import resource

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
    cure = "raise the limit with `ulimit -n`" if error.errno == EMFILE else "choose another --host or --port"
    return ListenError(f"cannot listen on {address}: {cause.lower()}; {cure}")
