"""A schedule of events at a fixed rate, and a precise timer for it."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import TypeVar

from nsroom.errors import UsageError

T = TypeVar("T")
SECOND = 1_000_000_000
_SHORTEST = SECOND // 1000
"""The events of a millisecond are sent together: waking up more often would cost more than sending."""


class Schedule:
    """Events at a rate, from a start time. Times are in nanoseconds.

    Latencies count from when an event was due, not from when it was sent: while the server stalls, all
    events that are due wait too (coordinated omission).
    """

    def __init__(self, rate: float, start: int) -> None:
        self._rate = rate
        self._start = start
        self.tick = max(round(SECOND / rate), _SHORTEST)
        """The time between wake-ups."""
        self._ticks = 0
        self._yielded = 0

    def due(self, now: int) -> Iterator[int]:
        """Yield the times of the events that became due since the last call."""
        while (at := self._start + self._ticks * self.tick) <= now:
            self._ticks += 1
            wanted = max(1, int(self._ticks * self.tick * self._rate / SECOND + 1e-6))
            while self._yielded < wanted:
                self._yielded += 1
                yield at


@contextlib.contextmanager
def send_on_schedule(
    schedule: Schedule, start: int, senders: Sequence[T], send: Callable[[T, int], None]
) -> Iterator[None]:
    """Call `send(sender, due)` for each event when it is due, with the senders in turn.

    Uses a system timer: the event loop's timer is up to a millisecond late, which would be measured too.
    """
    turn = cycle(senders)

    def tick() -> None:
        for due in schedule.due(time.monotonic_ns()):
            send(next(turn), due)

    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        raise UsageError("--rate needs a timer that Windows does not have: leave it out")
    loop.add_signal_handler(signal.SIGALRM, tick)
    wait = max(start - time.monotonic_ns(), 1000)
    signal.setitimer(signal.ITIMER_REAL, wait / SECOND, schedule.tick / SECOND)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        loop.remove_signal_handler(signal.SIGALRM)
