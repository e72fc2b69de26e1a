"""The heartbeat of an Engine.IO 4 session: the server pings, and who does not answer has gone."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Heartbeat:
    """Pings every `interval` seconds, and expires when no pong comes within `timeout` seconds."""

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
        # From when it was due: a busy loop gives nobody more time.
        self._wait(self._due, self._timeout, self._miss)
        self._ping()

    def _miss(self) -> None:
        if self._throttled:
            # Its answer may wait behind what we do not read.
            self._wait(self._loop.time(), self._timeout, self._miss)
        else:
            self._expire()

    def pong(self) -> bool:
        """Take a pong; false when none was due."""
        if not self._awaits_pong:
            return False
        self._awaits_pong = False
        self._timer.cancel()
        self._wait(self._loop.time(), self._interval, self._beat)
        return True

    @contextmanager
    def throttled(self) -> Iterator[None]:
        """Do not count the time in which the client's packets are left waiting."""
        self._throttled = True
        try:
            yield
        finally:
            self._throttled = False

    def stop(self) -> None:
        """Ping no more, for good; a pong that comes late is one that was not due."""
        self._awaits_pong = False
        self._timer.cancel()
        # They hold the session, which is to go without waiting for the garbage collector.
        del self._ping, self._expire
