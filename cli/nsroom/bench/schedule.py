"""When events are due at a rate, and the clock that says so."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import TypeVar

T = TypeVar("T")
SECOND = 1_000_000_000
_SHORTEST = SECOND // 1000
"""Events of one millisecond are sent together: waking up more often would cost more than sending."""


class Schedule:
    """Events at a rate, from a start on. Times are in nanoseconds.

    What is measured counts from when an event was due, not from when it was sent: a server that makes us wait
    makes everyone wait who would have come meanwhile (coordinated omission).
    """

    def __init__(self, rate: float, start: int) -> None:
        self._rate = rate
        self._start = start
        self.tick = max(round(SECOND / rate), _SHORTEST)
        """From one wake-up to the next."""
        self._ticks = 0
        self._given = 0

    def due(self, now: int) -> Iterator[int]:
        """Give the times of the events that are due and were not given before."""
        while (at := self._start + self._ticks * self.tick) <= now:
            self._ticks += 1
            wanted = max(1, int(self._ticks * self.tick * self._rate / SECOND + 1e-6))
            while self._given < wanted:
                self._given += 1
                yield at


@contextlib.contextmanager
def sending(
    schedule: Schedule, start: int, senders: Sequence[T], send: Callable[[T, int], None]
) -> Iterator[None]:
    """Let the senders take turns: each event is `send(sender, intended)`, once it is due.

    By a timer of the system: the event loop's own is up to a millisecond late, which would be measured too.
    """
    turn = cycle(senders)

    def tick() -> None:
        for intended in schedule.due(time.monotonic_ns()):
            send(next(turn), intended)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGALRM, tick)
    wait = max(start - time.monotonic_ns(), 1000)
    signal.setitimer(signal.ITIMER_REAL, wait / SECOND, schedule.tick / SECOND)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        loop.remove_signal_handler(signal.SIGALRM)
