"""What came of one step of a load run, in one process: it travels as JSON, and adds up."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from nsroom.bench.histogram import Histogram
from nsroom.bench.schedule import SECOND

_MAX_CAUSES = 50
"""Different ones; the server has a say in them."""
_OTHERS = "other causes"


@dataclass(slots=True)
class Part:
    """What came of one room in this process."""

    members: int = 0
    sent: int = 0
    received: int = 0


@dataclass(slots=True)
class Tally:
    """What was sent, answered and lost, and how long it took."""

    histogram: Histogram = field(default_factory=Histogram)
    errors: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    answered: int = 0
    seconds: float = 0.0
    """From the start to the last answer."""
    busy: float = 0.0
    """The share of one core that the process took meanwhile."""
    connected: int = 0
    """Clients that are, at the end."""
    rooms: dict[int, Part] = field(default_factory=dict)

    def error(self, cause: str, count: int = 1) -> None:
        """Count what went wrong."""
        if count:
            known = cause in self.errors or len(self.errors) < _MAX_CAUSES
            self.errors[cause if known else _OTHERS] += count

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        rooms = {number: [part.members, part.sent, part.received] for number, part in self.rooms.items()}
        counts = {"sent": self.sent, "answered": self.answered, "connected": self.connected}
        times = {"seconds": self.seconds, "busy": self.busy}
        return {
            "histogram": self.histogram.counts,
            "errors": self.errors,
            "rooms": rooms,
            **counts,
            **times,
        }


def from_json(value: dict[str, Any]) -> Tally:
    """Read what `to_json` gave, once it went through JSON."""
    return Tally(
        histogram=Histogram({int(index): count for index, count in value.pop("histogram").items()}),
        errors=Counter(value.pop("errors")),
        rooms={int(number): Part(*part) for number, part in value.pop("rooms").items()},
        **value,
    )


def summed(tallies: list[Tally]) -> Tally:
    """Add up what the processes counted; `busy` is that of the busiest."""
    whole = Tally(
        seconds=max(each.seconds for each in tallies),
        busy=max(each.busy for each in tallies),
    )
    for each in tallies:
        whole.histogram.add(each.histogram)
        whole.sent += each.sent
        whole.answered += each.answered
        whole.connected += each.connected
        for cause, count in each.errors.items():
            whole.error(cause, count)
        _add_rooms(whole.rooms, each.rooms)
    return whole


def _add_rooms(whole: dict[int, Part], rooms: dict[int, Part]) -> None:
    for number, part in rooms.items():
        known = whole.setdefault(number, Part())
        known.members += part.members
        known.sent += part.sent
        known.received += part.received


def missing(rooms: dict[int, Part]) -> int:
    """Count the deliveries that did not come: each message is for every member but its sender."""
    return sum(max(0, part.sent * (part.members - 1) - part.received) for part in rooms.values())


class Stopwatch:
    """How long a step takes, and how much of a core."""

    def __init__(self) -> None:
        self.start = self._last = time.monotonic_ns()
        self._cpu = time.process_time_ns()

    def lap(self, now: int) -> None:
        """Take notice of an answer."""
        self._last = now

    def stop(self, tally: Tally) -> None:
        """Write down the times."""
        taken = max(1, time.monotonic_ns() - self.start)
        tally.seconds = max(0, self._last - self.start) / SECOND
        # What comes after a first stop is waiting.
        tally.busy = tally.busy or (time.process_time_ns() - self._cpu) / taken
