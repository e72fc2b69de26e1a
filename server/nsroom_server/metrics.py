"""Measurements as Prometheus reads them.

https://prometheus.io/docs/instrumenting/exposition_formats/: a format of lines. Its client library would add
0.2 s to every start of the server.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from time import process_time, time

from nsroom_server.server import Server

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""
_OTHER = "other"
"""For the namespaces that clients may name as they like."""
_STARTED = time()


@dataclass(slots=True)
class Histogram:
    """How often something took how long, in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one more."""
        self.counts[sum(seconds > bound for bound in _BOUNDS)] += 1
        self.total += seconds


class Metrics:
    """The measurements of one server."""

    def __init__(self, server: Server, namespaces: frozenset[str]) -> None:
        self.history = Histogram()
        self.lag = Histogram()
        self._server = server
        self._namespaces = namespaces

    def expose(self, parts: Mapping[str, bool]) -> str:
        """Write all of it."""
        return "\n".join([*self._connections(), *self._traffic(), *self._health(parts), ""])

    def _connections(self) -> Iterator[str]:
        manager, sessions = self._server.manager, list(self._server.eio.sessions.values())
        transports = {"websocket": 0, "polling": 0, **Counter(session.transport for session in sessions)}
        clients = {name: len(rooms.get(None, ())) for name, rooms in manager.rooms.items()}
        rooms = {name: len(manager.room_names(name)) for name in manager.rooms}
        queued = [session.queued for session in sessions]
        yield from _family("gauge", "nsroom_connections", "Open connections.", transports, "transport")
        yield from _family("gauge", "nsroom_clients", "Clients.", self._known(clients), "namespace")
        yield from _family("gauge", "nsroom_rooms", "Rooms with members.", self._known(rooms), "namespace")
        yield from _family("gauge", "nsroom_queued_packets", "Packets that wait for readers.", sum(queued))
        yield from _family("gauge", "nsroom_longest_queue", "… for the slowest.", max(queued, default=0))

    def _traffic(self) -> Iterator[str]:
        engine, traffic = self._server.eio, self._server.eio.traffic
        events = {"in": traffic.events_in, "out": traffic.events_out}
        octets = {"in": traffic.bytes_in, "out": traffic.bytes_out}
        yield from _family("counter", "nsroom_events_total", "Events.", events, "direction")
        yield from _family("counter", "nsroom_bytes_total", "Bytes of packets.", octets, "direction")
        yield from _family("counter", "nsroom_refusals_total", "What was refused.", engine.counts, "reason")
        yield from _family("counter", "nsroom_endings_total", "Ended connections.", engine.endings, "reason")

    def _health(self, parts: Mapping[str, bool]) -> Iterator[str]:
        yield from _family("gauge", "nsroom_part_ok", "Whether a part of the server works.", parts, "part")
        yield from _histogram("nsroom_history_seconds", "Until a message was durable.", self.history)
        yield from _histogram("nsroom_loop_lag_seconds", "How late the event loop was.", self.lag)
        yield from _family("counter", "process_cpu_seconds_total", "CPU time.", process_time())
        yield from _family("gauge", "process_start_time_seconds", "Start, since the epoch.", _STARTED)

    def _known(self, numbers: Mapping[str, int]) -> Counter[str]:
        total = Counter(dict.fromkeys(self._namespaces, 0))
        for name, number in numbers.items():
            total[name if name in self._namespaces else _OTHER] += number
        return total


def _family(
    kind: str, name: str, text: str, values: Mapping[str, float] | float, label: str = ""
) -> Iterator[str]:
    yield from (f"# HELP {name} {text}", f"# TYPE {name} {kind}")
    if isinstance(values, Mapping):
        for key, value in sorted(values.items()):
            yield f'{name}{{{label}="{_escape(str(key))}"}} {float(value)!r}'
    else:
        yield f"{name} {float(values)!r}"


def _histogram(name: str, text: str, histogram: Histogram) -> Iterator[str]:
    yield from (f"# HELP {name} {text}", f"# TYPE {name} histogram")
    sums = list(accumulate(histogram.counts))
    for bound, count in zip((*_BOUNDS, "+Inf"), sums, strict=True):
        yield f'{name}_bucket{{le="{bound}"}} {count}'
    yield f"{name}_sum {histogram.total!r}"
    yield f"{name}_count {sums[-1]}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
