"""Ping, and close the sessions that do not answer."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STOPPED = 0.5
"""Seconds that a timer is late if the process was stopped, or its loop blocked, and not only busy."""
_READING = 0.1
"""Seconds to read what arrived meanwhile: the loop may run timers that are due before it reads."""


class Heartbeat:
    """Pings every `interval` seconds, and expires if no pong arrives within `timeout` seconds."""

    __slots__ = (
        "_awaits_pong",
        "_due",
        "_expire",
        "_interval",
        "_loop",
        "_ping",
        "_throttled",
        "_timeout",
        "_timer",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        interval: float,
        timeout: float,
        ping: Callable[[], None],
        expire: Callable[[], None],
    ) -> None:
        self._interval = interval
        self._timeout = timeout
        self._ping = ping
        self._expire = expire
        self._loop = loop
        self._awaits_pong = False
        self._throttled = False
        self._schedule(self._loop.time(), interval, self._send_ping)

    def _schedule(self, start: float, seconds: float, callback: Callable[[], None]) -> None:
        self._due = start + seconds
        self._timer = self._loop.call_at(self._due, callback)

    @property
    def _was_stopped(self) -> bool:
        return self._loop.time() - self._due > _STOPPED

    def _send_ping(self) -> None:
        self._awaits_pong = True
        # Counted from when the ping was due: a busy loop does not extend the time-out.
        start = self._loop.time() if self._was_stopped else self._due
        self._schedule(start, self._timeout, self._handle_timeout)
        self._ping()

    def _handle_timeout(self) -> None:
        if self._throttled:
            # The pong may be queued after packets that we have not read yet.
            self._schedule(self._loop.time(), self._timeout, self._handle_timeout)
        elif self._was_stopped:
            self._schedule(self._loop.time(), _READING, self._handle_timeout)
        else:
            self._expire()

    def pong(self) -> bool:
        """Handle a pong, and return whether one was due."""
        if not self._awaits_pong:
            return False
        self._awaits_pong = False
        self._timer.cancel()
        self._schedule(self._loop.time(), self._interval, self._send_ping)
        return True

    @contextmanager
    def throttled(self) -> Iterator[None]:
        """Do not expire while the client's packets are left unread."""
        self._throttled = True
        try:
            yield
        finally:
            self._throttled = False

    def stop(self) -> None:
        """Stop for good; a pong that arrives later was not due."""
        self._awaits_pong = False
        self._timer.cancel()
        # They refer to the session, which should be freed without the garbage collector.
        del self._ping, self._expire
