"""The counts of one step in one worker: sent as JSON, and merged."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from nsroom.bench.histogram import Histogram
from nsroom.bench.schedule import SECOND

_MAX_CAUSES = 50
"""Different causes to count; some contain text from the server."""
_OTHERS = "other causes"


@dataclass(slots=True)
class RoomCounts:
    """The counts of one room in one worker."""

    members: int = 0
    sent: int = 0
    received: int = 0


@dataclass(slots=True)
class Tally:
    """Events sent, answered and failed, and their latencies."""

    histogram: Histogram = field(default_factory=Histogram)
    errors: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    answered: int = 0
    seconds: float = 0.0
    """From the start to the last answer."""
    busy: float = 0.0
    """The share of a core that the process used."""
    connected: int = 0
    """Clients that are connected at the end."""
    rooms: dict[int, RoomCounts] = field(default_factory=dict)
    parts: "dict[str, Tally]" = field(default_factory=dict)
    """The counts of each line of a scenario, in their order."""

    def error(self, cause: str, count: int = 1, different: int = _MAX_CAUSES) -> None:
        """Count an error; only `different` causes are told apart."""
        if count:
            known = cause in self.errors or len(self.errors) < different
            self.errors[cause if known else _OTHERS] += count

    def to_json(self) -> dict[str, Any]:
        """Return the tally as a JSON object."""
        rooms = {number: [room.members, room.sent, room.received] for number, room in self.rooms.items()}
        counts = {"sent": self.sent, "answered": self.answered, "connected": self.connected}
        times = {"seconds": self.seconds, "busy": self.busy}
        return {
            "histogram": self.histogram.counts,
            "errors": self.errors,
            "rooms": rooms,
            "parts": {name: part.to_json() for name, part in self.parts.items()},
            **counts,
            **times,
        }


def from_json(value: dict[str, Any]) -> Tally:
    """Return the tally that `to_json` made this object from; JSON has turned its integer keys to strings."""
    return Tally(
        histogram=Histogram({int(index): count for index, count in value.pop("histogram").items()}),
        errors=Counter(value.pop("errors")),
        rooms={int(number): RoomCounts(*counts) for number, counts in value.pop("rooms").items()},
        parts={name: from_json(part) for name, part in value.pop("parts").items()},
        **value,
    )


def merge(tallies: list[Tally]) -> Tally:
    """Return the sum of the workers' tallies; `busy` is that of the busiest."""
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
    for name in tallies[0].parts:
        whole.parts[name] = merge([each.parts[name] for each in tallies])
    return whole


def _add_rooms(whole: dict[int, RoomCounts], rooms: dict[int, RoomCounts]) -> None:
    for number, room in rooms.items():
        known = whole.setdefault(number, RoomCounts())
        known.members += room.members
        known.sent += room.sent
        known.received += room.received


def missing_deliveries(rooms: dict[int, RoomCounts]) -> int:
    """Return the number of deliveries that did not arrive; a message is for every member but its sender."""
    return sum(max(0, room.sent * (room.members - 1) - room.received) for room in rooms.values())


class Stopwatch:
    """Measures the time of a step, and its CPU time."""

    def __init__(self) -> None:
        self.start = self._last = time.monotonic_ns()
        self._cpu = time.process_time_ns()

    def lap(self, now: int) -> None:
        """Record the time of an answer."""
        self._last = now

    def stop(self, tally: Tally) -> None:
        """Store the times in the tally."""
        taken = max(1, time.monotonic_ns() - self.start)
        tally.seconds = max(0, self._last - self.start) / SECOND
        # After the first stop the worker only waits.
        tally.busy = tally.busy or (time.process_time_ns() - self._cpu) / taken
