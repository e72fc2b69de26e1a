"""Counters and a histogram."""

from bisect import bisect_left
from dataclasses import dataclass, field

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""


@dataclass(slots=True)
class Histogram:
    """A histogram of durations in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        """Add a duration."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class BusFigures:
    """Counters of the bus, as this server sees it."""

    published: int = 0
    received: int = 0
    duplicates: int = 0
    """Entries that were received again."""
    missed: int = 0
    """Entries that were deleted before they were read."""
    outages: int = 0
    waiting: int = 0
    """Entries that are not written yet."""
    written: int = 0
    """The number of the bus's last entry that is known here."""
    read: int = 0
    """The number of the last entry read."""
    servers: int = 0
    lag: Histogram = field(default_factory=Histogram)
    """The time from Redis to this server."""

    @property
    def behind(self) -> int:
        """The number of entries not read yet."""
        return max(self.written - self.read, 0)


@dataclass(slots=True)
class Traffic:
    """Events, and bytes of packets, since the start."""

    events_in: int = 0
    events_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
