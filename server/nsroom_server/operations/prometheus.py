"""Metrics in the Prometheus text format.

https://prometheus.io/docs/instrumenting/exposition_formats/. Written by hand: the client library would add
0.2 s to every start of the server.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from time import process_time, time

from nsroom_server.counters import BOUNDS, BusFigures, Histogram
from nsroom_server.socketio.server import Server

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OTHER = "other"
"""The label for namespaces that are not configured: clients may choose their names."""
_STARTED = time()


class Metrics:
    """The metrics of one server."""

    def __init__(self, server: Server, namespaces: frozenset[str], loop: str) -> None:
        """`loop` is the name of the event loop."""
        self.history = Histogram()
        self.lag = Histogram()
        self._server = server
        self._namespaces = namespaces
        self._loop = loop

    def expose(self, parts: Mapping[str, bool], bus: BusFigures | None = None) -> str:
        """Return all metrics as text."""
        shared = _bus(bus) if bus else ()
        return "\n".join([*self._connections(), *self._traffic(), *self._health(parts), *shared, ""])

    def _connections(self) -> Iterator[str]:
        table, sessions = self._server.rooms, list(self._server.engine.sessions.values())
        transports = {"websocket": 0, "polling": 0, **Counter(session.transport for session in sessions)}
        clients = {name: len(table.sockets(name)) for name in table.namespaces}
        rooms = {name: len(table.names(name)) for name in table.namespaces}
        queued = [session.queued for session in sessions]
        yield from _family("gauge", "nsroom_connections", "Open connections.", transports, "transport")
        yield from _family("gauge", "nsroom_clients", "Clients.", self._known(clients), "namespace")
        yield from _family("gauge", "nsroom_rooms", "Rooms with members.", self._known(rooms), "namespace")
        yield from _family("gauge", "nsroom_queued_packets", "Queued packets.", sum(queued))
        yield from _family(
            "gauge",
            "nsroom_longest_queue",
            "Packets for the slowest.",
            max(queued, default=0),
        )

    def _traffic(self) -> Iterator[str]:
        engine, traffic = self._server.engine, self._server.engine.traffic
        events = {"in": traffic.events_in, "out": traffic.events_out}
        sizes = {"in": traffic.bytes_in, "out": traffic.bytes_out}
        yield from _family("counter", "nsroom_events_total", "Events.", events, "direction")
        yield from _family("counter", "nsroom_bytes_total", "Bytes of packets.", sizes, "direction")
        yield from _family("counter", "nsroom_refusals_total", "Refusals.", engine.refusals, "reason")
        failed = engine.failed_logins
        yield from _family(
            "counter", "nsroom_login_failures_total", "Wrong tokens and passwords.", failed, "kind"
        )
        yield from _family(
            "counter", "nsroom_endings_total", "Ended connections.", engine.close_reasons, "reason"
        )

    def _health(self, parts: Mapping[str, bool]) -> Iterator[str]:
        yield from _family("gauge", "nsroom_part_ok", "Whether a part of the server works.", parts, "part")
        yield from _histogram("nsroom_history_seconds", "Until a message was durable.", self.history)
        yield from _histogram("nsroom_loop_lag_seconds", "How late the event loop was.", self.lag)
        yield from _family("gauge", "nsroom_event_loop", "The event loop in use.", {self._loop: 1}, "loop")
        yield from _family("counter", "process_cpu_seconds_total", "CPU time.", process_time())
        yield from _family("gauge", "process_start_time_seconds", "Start, since the epoch.", _STARTED)

    def _known(self, numbers: Mapping[str, int]) -> Counter[str]:
        total = Counter(dict.fromkeys(self._namespaces, 0))
        for name, number in numbers.items():
            total[name if name in self._namespaces else _OTHER] += number
        return total


def _bus(bus: BusFigures) -> Iterator[str]:
    entries = {"in": bus.received, "out": bus.published}
    yield from _family("counter", "nsroom_bus_entries_total", "Entries of the bus.", entries, "direction")
    yield from _family("counter", "nsroom_bus_doubles_total", "Entries received again.", bus.duplicates)
    yield from _family("counter", "nsroom_bus_missed_total", "Entries deleted unread.", bus.missed)
    yield from _family("counter", "nsroom_bus_outages_total", "Outages of Redis.", bus.outages)
    yield from _family("gauge", "nsroom_bus_queue", "Entries that wait to be written.", bus.waiting)
    yield from _family("gauge", "nsroom_bus_behind", "Entries that wait to be read.", bus.behind)
    yield from _family("gauge", "nsroom_bus_servers", "Servers in the cluster.", bus.servers)
    yield from _histogram("nsroom_bus_lag_seconds", "From Redis to this server.", bus.lag)


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
    for bound, count in zip((*BOUNDS, "+Inf"), sums, strict=True):
        yield f'{name}_bucket{{le="{bound}"}} {count}'
    yield f"{name}_sum {histogram.total!r}"
    yield f"{name}_count {sums[-1]}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
