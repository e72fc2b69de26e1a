"""A clock for the age of messages, which cannot jump.

A wall clock can be wrong for a moment: a virtual machine wakes, a time server errs. Messages that are deleted
then are still gone when it is right again. So this clock follows the wall clock at a bounded speed. It starts
at the time of the newest message: a restart while the wall clock is wrong does not set it wrong.
"""

import time
from collections.abc import Callable
from typing import Final

SPEED: Final = 60
"""Seconds that it moves in a second, at most: an hour's worth of messages is forgotten in a minute."""
_JUMP = 60.0
"""Seconds that a wall clock moves against a monotonic one before that is a jump."""


class JumpDetector:
    """Compares a wall clock with a monotonic one."""

    def __init__(self) -> None:
        self._ahead: float | None = None

    def jumped(self, wall: float, monotonic: float) -> float:
        """Return the seconds by which the wall clock has jumped since the last call, or 0."""
        ahead = wall - monotonic
        jump = 0.0 if self._ahead is None else ahead - self._ahead
        self._ahead = ahead
        return jump if abs(jump) > _JUMP else 0.0


class AgeClock:
    """Follows the wall clock, and calls `on_jump` with the seconds when that has jumped."""

    def __init__(
        self,
        start: float | None,
        on_jump: Callable[[float], object],
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`start` is the time of the newest message, or None if there are none.

        One in the future does not count: the file is damaged, or the wall clock is wrong.
        """
        self._wall = wall
        self._monotonic = monotonic
        self._on_jump = on_jump
        self._detector = JumpDetector()
        self._looked = monotonic()
        self._now = wall() if start is None else min(start, wall())

    def now(self) -> float:
        """Return its time in seconds since 1970."""
        wall, looked = self._wall(), self._monotonic()
        most = (looked - self._looked) * SPEED
        self._looked = looked
        self._now += min(max(wall - self._now, -most), most)
        if jump := self._detector.jumped(wall, looked):
            self._on_jump(jump)
        return self._now
