"""The Engine.IO 4 server: its sessions, from the first to the last.

It stands where python-socketio puts python-engineio's server and shares nothing with it: of that, nearly
every method would have had to be replaced.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from aiohttp import web

from nsroom_server.counters import Traffic
from nsroom_server.engineio import ids
from nsroom_server.engineio.close_reasons import MALFORMED, RESTART, SERVER, SLOW, Ending
from nsroom_server.engineio.faulty_session import Misbehaving
from nsroom_server.engineio.http import Access, Endpoint
from nsroom_server.engineio.packets import Outgoing
from nsroom_server.engineio.rate_limits import Admission
from nsroom_server.engineio.session import Options, Session
from nsroom_server.errors import Malformed
from nsroom_server.logs import Sparing

log = logging.getLogger("nsroom_server")

Handler = Callable[..., Awaitable[None]]


class Engine:
    """All sessions, for python-socketio's server or for handlers of their own."""

    async_mode = "aiohttp"

    def __init__(self, options: Options | None = None, access: Access | None = None, **_: Any) -> None:
        self.options = options or Options()
        self.sessions: dict[str, Session] = {}
        self.counts: Counter[str] = Counter()
        """Refusals, by reason."""
        self.endings: Counter[str] = Counter()
        """Sessions that have ended, by reason."""
        self.traffic = Traffic()
        self.admission = Admission(self.options.limits)
        self.draining = False
        self.undelivered = 0
        """Packets that were queued when the server had to end, and could not be sent."""
        self._endpoint = Endpoint(self, access or Access())
        self._handlers: dict[str, Handler] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._warn = Sparing(log)

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Answer an HTTP request; the application has to cancel handlers whose client has gone."""
        return await self._endpoint.answer(request)

    def on(self, event: str, handler: Handler) -> None:
        """Set the handler of `connect`, `message` or `disconnect`."""
        self._handlers[event] = handler

    async def trigger(self, event: str, session: Session, *args: Any) -> None:
        """Run a handler; when it fails, the session ends and the server goes on.

        Raises: Malformed.
        """
        handler = self._handlers.get(event)
        if handler is None:
            return
        try:
            await handler(session.sid, *args)
        except Malformed:
            raise
        except Exception:
            log.exception("%s failed", event)
            session.close(SERVER)

    def generate_id(self) -> str:
        """Make a name that nobody can guess."""
        return ids.generate()

    def open(self, address: str) -> Session:
        """Begin a session; the address is admitted."""
        make = Misbehaving if self.options.faults.needs_session else Session
        session = make(self, self.generate_id(), address)
        self.sessions[session.sid] = session
        return session

    def send(self, sid: str, *packets: Outgoing) -> None:
        """Send packets to a session, if it is still there."""
        session = self.sessions.get(sid)
        if session:
            session.send(*packets)

    def refuse(self, session: Session, error: Malformed) -> None:
        """End a session that breaks the protocol."""
        if not session.closed:
            self._warn("malformed packet", session=session.sid, cause=str(error))
            session.close(MALFORMED)

    def forget(self, session: Session, ending: Ending) -> None:
        """Take notice of a session that has ended."""
        del self.sessions[session.sid]
        self.admission.leave(session.address)
        self.endings[ending.reason] += 1
        if ending is SLOW:
            self._warn("slow reader cut", session=session.sid)

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, Any]], *args: Any
    ) -> asyncio.Task[Any]:
        """Start a task that ends with the server at the latest."""
        task = asyncio.ensure_future(target(*args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def lose(self, packets: int) -> None:
        """Take notice of packets that could not be sent because the server ends."""
        if self.draining:
            self.undelivered += packets

    async def drain(self, timeout: float) -> None:
        """End all sessions within `timeout` seconds, so that their clients come back to another server."""
        self.draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        sessions = tuple(self.sessions.values())
        polling = [session for session in sessions if session.awaits_poll]
        for session in set(sessions).difference(polling):
            session.close(RESTART)
        await _wait([self.start_background_task(session.drained) for session in polling], timeout)
        for session in polling:
            session.close(RESTART)
        await _wait([session.ended for session in sessions if session.ended], deadline - loop.time())
        for session in sessions:
            if session.ended and not session.ended.done():
                session.abort()
        for task in tuple(self._tasks):
            task.cancel()


async def _wait(tasks: Sequence["asyncio.Task[Any]"], timeout: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=max(timeout, 0))
