"""Ping, and close the sessions that do not answer."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
        self, interval: float, timeout: float, ping: Callable[[], None], expire: Callable[[], None]
    ) -> None:
        self._interval = interval
        self._timeout = timeout
        self._ping = ping
        self._expire = expire
        self._loop = asyncio.get_running_loop()
        self._awaits_pong = False
        self._throttled = False
        self._wait(self._loop.time(), interval, self._beat)

    def _wait(self, after: float, seconds: float, what: Callable[[], None]) -> None:
        self._due = after + seconds
        self._timer = self._loop.call_at(self._due, what)

    def _beat(self) -> None:
        self._awaits_pong = True
        # Counted from when the ping was due: a busy loop does not extend the time-out.
        self._wait(self._due, self._timeout, self._miss)
        self._ping()

    def _miss(self) -> None:
        if self._throttled:
            # The pong may be queued after packets that we have not read yet.
            self._wait(self._loop.time(), self._timeout, self._miss)
        else:
            self._expire()

    def pong(self) -> bool:
        """Handle a pong, and return whether one was due."""
        if not self._awaits_pong:
            return False
        self._awaits_pong = False
        self._timer.cancel()
        self._wait(self._loop.time(), self._interval, self._beat)
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
