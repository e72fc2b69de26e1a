"""All Engine.IO sessions of the server, and the handlers of what happens on them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from aiohttp import web

from nsroom_server.counters import Traffic
from nsroom_server.engineio import ids
from nsroom_server.engineio.close_reasons import (
    CONNECT_TIMEOUT,
    PARSE_ERROR,
    SERVER_DISCONNECT,
    SHUTTING_DOWN,
    SLOW_READER,
    CloseReason,
)
from nsroom_server.engineio.faulty_session import FaultySession
from nsroom_server.engineio.http import Access, Endpoint
from nsroom_server.engineio.rate_limits import AddressLimits
from nsroom_server.engineio.session import Options, Session
from nsroom_server.errors import Malformed
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.settings import cures

log = logging.getLogger("nsroom_server")

T = TypeVar("T")
Handler = Callable[..., Awaitable[None]]
"""Handle something on a session: the first argument."""


class Collector(Protocol):
    """Collects what is sent to several sessions in one turn of the loop."""

    def send_collected(self) -> None:
        """Send all of it."""

    def catch_up(self, session: Session) -> None:
        """Send one session its part, before the others."""


class Engine:
    """An Engine.IO server: its sessions, its counters, its tasks and its end."""

    def __init__(self, options: Options | None = None, access: Access | None = None) -> None:
        self.options = options or Options()
        self.sessions: dict[str, Session] = {}
        self.refusals: Counter[str] = Counter()
        """Refusals by reason."""
        self.failed_logins: Counter[str] = Counter(token=0, password=0)
        """Wrong ones by kind."""
        self.close_reasons: Counter[str] = Counter()
        """Ended sessions by reason."""
        self.traffic = Traffic()
        self.address_limits = AddressLimits(self.options.limits)
        self.draining = False
        self.collector: Collector | None = None
        """Collects what is sent to several sessions."""
        self.undelivered = 0
        """Packets that were queued when the server had to stop, and could not be sent."""
        self._endpoint = Endpoint(self, access or Access())
        self._handlers: dict[str, Handler] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.warn = RateLimitedWarnings(log)

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Answer an HTTP request; aiohttp must cancel it when the client disconnects."""
        return await self._endpoint.handle(request)

    def on(self, event: str, handler: Handler) -> None:
        """Set the handler of an event of all sessions.

        The arguments are the session and, for `connect`, its request, for `message`, the text or bytes, for
        `disconnect`, the reason; `upgrade` has no other.
        """
        self._handlers[event] = handler

    async def trigger(self, event: str, session: Session, *args: Any) -> None:
        """Run a handler; if it fails, close the session.

        Raises: Malformed.
        """
        handler = self._handlers.get(event)
        if handler is None:
            return
        try:
            await handler(session, *args)
        except Malformed:
            raise
        except Exception:
            log.exception("%s failed", event)
            session.close(SERVER_DISCONNECT)

    def open(self, address: str) -> Session:
        """Open a session for an address that has been admitted."""
        make = FaultySession if self.options.faults.affects_sessions else Session
        session = make(self, ids.generate_sid(), address)
        self.sessions[session.sid] = session
        return session

    def fail(self, session: Session, error: Malformed) -> None:
        """Close a session that violates the protocol."""
        if not session.closed:
            self.warn("malformed packet", session=session.sid, **cures.packet(str(error)))
            session.close(PARSE_ERROR)

    def flush_soon(self) -> None:
        """Send what is collected, and flush the WebSockets, before the next turn of the loop."""
        self._endpoint.flush_soon()

    def send_collected(self) -> None:
        """Send what is collected for several sessions, before WebSockets are flushed."""
        if self.collector is not None:
            self.collector.send_collected()

    def catch_up(self, session: Session) -> None:
        """Send what is collected for several sessions to one of them, before it is closed."""
        if self.collector is not None:
            self.collector.catch_up(session)

    def remove_session(self, session: Session, reason: CloseReason) -> None:
        """Handle the end of a session."""
        del self.sessions[session.sid]
        self.address_limits.remove_connection(session.address)
        self.close_reasons[reason.text] += 1
        if reason is SLOW_READER:
            self.warn("slow reader disconnected", session=session.sid, option="--limit queued_bytes")
        elif reason is CONNECT_TIMEOUT:
            self.warn(
                "closed a connection that asked for no namespace",
                session=session.sid,
                option="--limit connect_timeout",
            )

    def create_task(self, job: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that is cancelled when the server stops."""
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def count_undelivered(self, packets: int) -> None:
        """Count packets that could not be sent because the server stops."""
        if self.draining:
            self.undelivered += packets

    async def drain(self, timeout: float) -> None:
        """Close all sessions within `timeout` seconds, so that their clients reconnect to another server."""
        self.draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        sessions = tuple(self.sessions.values())
        polling = [session for session in sessions if session.awaits_poll]
        for session in set(sessions).difference(polling):
            session.close(SHUTTING_DOWN)
        await _wait([self.create_task(session.drain()) for session in polling], timeout)
        for session in polling:
            session.close(SHUTTING_DOWN)
        await _wait(
            [session.close_task for session in sessions if session.close_task], deadline - loop.time()
        )
        for session in sessions:
            if session.close_task and not session.close_task.done():
                session.abort()
        for task in tuple(self._tasks):
            task.cancel()


async def _wait(tasks: Sequence["asyncio.Task[Any]"], timeout: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=max(timeout, 0))
