"""Build the aiohttp application, and serve it until a signal."""

import asyncio
import gc
import logging
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from itertools import count

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from nsroom_server import __version__, event_loop, logs
from nsroom_server.admin.commands import Commands
from nsroom_server.admin.namespace import Admin
from nsroom_server.backends import open_backend
from nsroom_server.chat.namespaces import Namespaces
from nsroom_server.engineio import tcp
from nsroom_server.engineio.http import Access
from nsroom_server.engineio.refusals import ErrorCode, RequestError
from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import Options
from nsroom_server.errors import ConfigError
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.operations import banner, status_line
from nsroom_server.operations.endpoints import Operations
from nsroom_server.operations.prometheus import Metrics
from nsroom_server.page import routes
from nsroom_server.settings import access, cures
from nsroom_server.settings.config import Config, LogFormat
from nsroom_server.socketio import conformance
from nsroom_server.socketio.application import Application
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

ENGINES: web.AppKey[list[Engine]] = web.AppKey("engines", list)
SERVER = web.AppKey("server", Server)
UNDELIVERED = 75
"""The exit code if the server stopped in time but could not deliver all queued packets."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LAST_REQUESTS = 0.25
"""Seconds to finish plain HTTP requests, once the sessions are closed."""
_COLLECT = (50_000, 20, 100)
"""Garbage collector thresholds: higher than usual, so that it does not look through all connections again and
again while thousands come or go. What a few hundred ended connections leave waits for it: some MB."""
_KEEP_ALIVE = 75.0
"""Seconds that a connection may be idle between requests."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    url: str
    port: int
    engines: tuple[Engine, ...] = ()
    server: Server | None = None

    @property
    def undelivered(self) -> int:
        """The number of queued packets that could not be sent when the server stopped."""
        return sum(engine.undelivered for engine in self.engines)


MakeApplication = Callable[[Config, Server], Application]
"""Make an application that takes the place of the chat."""


@asynccontextmanager
async def open_app(config: Config, make: MakeApplication | None = None) -> AsyncIterator[web.Application]:
    """Open the backend and build the application, which drains its connections when it shuts down.

    `make` makes another application than the chat.

    Run it with `handler_cancellation=True`: a poll whose client disconnected must not take the next event.

    Raises: ConfigError, BusError.
    """
    app = web.Application(
        client_max_size=config.max_payload,
        middlewares=[tcp.track_request, _host_check(config)],
    )
    server = Server(_options(config), _access(config))
    app.on_response_prepare.append(_name_server(config, make))
    app[SERVER] = server
    app[ENGINES] = [server.engine]
    app.router.add_route("*", config.endpoint, server.engine.handle_request)
    async with _application(app, server, config, make):
        _drain_on_shutdown(app, server, config.drain)
        yield app


def _application(
    app: web.Application, server: Server, config: Config, make: MakeApplication | None
) -> AbstractAsyncContextManager[None]:
    if make is not None:
        server.register(make(config, server))
        routes.add_client(app, config.endpoint)
        return nullcontext()
    return _conformance(app, server, config) if config.conformance else _chat(app, server, config)


def _name_server(
    config: Config, make: MakeApplication | None
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    # Clients expect that a server with the name of the chat acknowledges every event.
    name = "nsroom-conformance" if config.conformance else "nsroom-mock" if make else "nsroom"

    async def add_name(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = f"{name}/{__version__}"

    return add_name


@asynccontextmanager
async def _chat(app: web.Application, server: Server, config: Config) -> AsyncIterator[None]:
    loop = event_loop.name_of(asyncio.get_running_loop())
    metrics = Metrics(server, frozenset(config.namespaces), loop)
    async with open_backend(config, server, metrics.history.observe) as backend:
        namespaces = Namespaces(config, server, backend)
        commands = Commands(server, backend.presence, backend.peers)
        backend.peers.register_handlers(commands.query_handlers)
        if config.admin:
            admin = Admin(namespaces, config.admin, server, commands, backend.peers)
            server.register(admin, watcher=admin)
            server.engine.create_task(admin.run())
        else:
            server.register(namespaces)
        Operations(server, metrics, backend).add_to(app)
        routes.add_client(app, config.endpoint)
        if config.page and config.endpoint != "/":
            routes.add_page(app, config.endpoint, config.namespaces, config.any_namespace)
        yield


@asynccontextmanager
async def _conformance(app: web.Application, server: Server, config: Config) -> AsyncIterator[None]:
    server.register(conformance.Conformance(config, server))
    bare = conformance.echo(_options(config))
    app.router.add_route("*", conformance.PATH, bare.handle_request)
    app[ENGINES].append(bare)
    _drain_on_shutdown(app, bare, config.drain)
    yield


def _drain_on_shutdown(app: web.Application, server: Server | Engine, timeout: float) -> None:
    async def drain(_: web.Application) -> None:
        await server.drain(timeout)

    app.on_shutdown.append(drain)


def _options(config: Config) -> Options:
    return Options(
        ping_interval=config.ping_interval,
        ping_timeout=config.ping_timeout,
        max_payload=config.max_payload,
        recovery=config.recovery,
        limits=config.effective_limits,
        faults=config.faults,
    )


def _access(config: Config) -> Access:
    origins = ("*",) if config.conformance else config.cors_origins

    def is_allowed(origin: str, host: str) -> bool:
        return access.is_allowed_origin(origin, config.scheme, host, origins)

    # A server open to every page must not accept the visitor's cookies.
    return Access(transports=config.transports, is_allowed_origin=is_allowed, credentials="*" not in origins)


def _host_check(config: Config) -> Middleware:
    bound, known, warn = config.host.lower(), config.accepted_hosts, RateLimitedWarnings(log)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if access.is_allowed_host(request.headers.get("Host"), bound, known):
            return await handler(request)
        warn(*cures.host(access.host_name(request.headers.get("Host"))))
        return RequestError(ErrorCode.FORBIDDEN, "Host not allowed", status=403).response

    return check


@asynccontextmanager
async def serving(config: Config, make: MakeApplication | None = None) -> AsyncIterator[Running]:
    """Serve inside the running loop; on exit, stop within `config.drain` + 0.5 seconds.

    `make` makes another application than the chat.

    Raises: ConfigError, BusError, ListenError.
    """
    tls = _tls(config)
    async with open_app(config, make) as app, _listening(app, config, tls) as running:
        yield running


@asynccontextmanager
async def _listening(
    app: web.Application, config: Config, tls: ssl.SSLContext | None
) -> AsyncIterator[Running]:
    engines = app[ENGINES]
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=tcp.request_log(),
        shutdown_timeout=_LAST_REQUESTS,
        handle_signals=False,
        handler_cancellation=True,
        # Compressed bodies are not accepted: a few bytes could expand to any size.
        auto_decompress=False,
        keepalive_timeout=_KEEP_ALIVE,
        lingering_time=config.effective_limits.body_timeout,
    )
    await runner.setup()
    assert runner.server is not None
    try:
        async with tcp.listening(runner.server, config, tls, engines[0].refusals) as port:
            host = f"[{config.host}]" if ":" in config.host else config.host
            try:
                yield Running(f"{config.scheme}://{host}:{port}", port, tuple(engines), app[SERVER])
            finally:
                # While polls are still accepted: they fetch the queued packets.
                await app.shutdown()
    finally:
        await runner.cleanup()


def _tls(config: Config) -> ssl.SSLContext | None:
    if not config.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.tls_cert, config.tls_key)
    except OSError as error:
        cause = str(error.strerror or error).lower()
        raise ConfigError(
            f"TLS certificate {config.tls_cert}: {cause}; give PEM files that belong together"
        ) from error
    return context


def run(config: Config, level: int = logging.INFO, make: MakeApplication | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code. `level` is that of the log.

    `make` makes another application than the chat.

    Raises: ConfigError, BusError, ListenError.
    """
    # Not asyncio.run: if no loop can be made, it leaves the coroutine over.
    with (
        logs.configured(config.log_format, sys.stderr, level) as output,
        asyncio.Runner(loop_factory=event_loop.new_event_loop) as runner,
    ):
        code = runner.run(_run(config, output if level <= logging.INFO else None, make))
    for number in _SIGNALS:
        # Nothing should change the exit code any more while Python tidies up.
        signal.signal(number, signal.SIG_IGN)
    return code


async def _run(config: Config, output: logs.LogOutput | None, make: MakeApplication | None) -> int:
    """Serve until a signal; show the status line on `output` if there is one."""
    stop: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    _watch_signals(stop)
    async with serving(config, make) as running:
        with _status_line(running, config, output):
            # Imported modules are never garbage: scanning them would stall every client each time.
            gc.freeze()
            gc.set_threshold(*_COLLECT)
            _announce(config, running, is_chat=make is None)
            number = await stop
        log.info("stopping (up to %g s); press Ctrl-C again to stop now", config.drain, extra=logs.PLAIN)
    if running.undelivered:
        log.warning("%d packets could not be delivered", running.undelivered, extra=logs.PLAIN)
    if number == signal.SIGINT:
        return 128 + number
    return UNDELIVERED if running.undelivered else 0


def _announce(config: Config, running: Running, is_chat: bool) -> None:
    """Log that the server is ready, and for people what to do next."""
    log.info("listening on %s", running.url, extra=logs.PLAIN)
    log.debug("event loop: %s", event_loop.name_of(asyncio.get_running_loop()), extra=logs.PLAIN)
    if config.log_format is LogFormat.TEXT and is_chat:
        for line in banner.lines(config, running.url, running.port):
            log.info("%s", line, extra=logs.PLAIN)
    if config.faults:
        log.warning("misbehaving on purpose: %s", config.faults, extra=logs.PLAIN)


def _status_line(
    running: Running, config: Config, output: logs.LogOutput | None
) -> AbstractContextManager[None]:
    """Show the status line, if a person reads the log on a terminal."""
    if (
        output
        and running.server
        and config.log_format is LogFormat.TEXT
        and status_line.is_supported(sys.stderr)
    ):
        return status_line.StatusLine(output, running.server, running.url).shown()
    return nullcontext()


def _watch_signals(stop: "asyncio.Future[int]") -> None:
    """Resolve `stop` with the first signal, end the process with the next.

    Not by asyncio's handlers: those end with its loop, before the process does.
    """
    loop, caught = asyncio.get_running_loop(), count(1)

    def catch(number: int, _: object) -> None:
        if next(caught) > 1:
            os._exit(128 + number)
        loop.call_soon_threadsafe(stop.set_result, number)

    for number in _SIGNALS:
        signal.signal(number, catch)
