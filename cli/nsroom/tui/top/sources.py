"""Sources of the snapshots for `top`: a server seen from inside, or its own events."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from nsroom.introspection.inventory import Socket
from nsroom.introspection.observer import Observer
from nsroom.output.tables import Rows
from nsroom.record import Json
from nsroom.tui.top.activity import Snapshot

_PRODUCTION = (
    "in production mode the admin namespace only counts sockets;"
    " to list them, call instrument() with mode 'development'"
)
_EVENTS_ONLY = "the server's events show only rooms and members; an admin namespace shows everything"


class InsideSource:
    """Snapshots of a server seen from inside."""

    def __init__(self, observer: Observer[Any], namespaces: Collection[str], all: bool) -> None:
        self._observer = observer
        self._namespaces = namespaces
        self._all = all
        self._last = Snapshot()
        self._connected_at: int | None = None
        """When the current connection sent its first data."""

    def __call__(self, now: int) -> Snapshot:
        """Return the current snapshot; after a reconnection, the last one until the sockets are listed."""
        state = self._observer.state
        if state.features is None:
            self._connected_at = None
            return Snapshot(self._last.sockets, self._last.population, self._last.servers, connected=False)
        self._connected_at = self._connected_at or now
        max_wait = (state.heartbeat + 1) * 1_000_000
        if state.listed or not self._last.sockets or now - self._connected_at > max_wait:
            self._last = self._take(now)
        return self._last

    def _take(self, now: int) -> Snapshot:
        state = self._observer.state
        sockets = state.select(self._namespaces, self._all)
        population = dict.fromkeys(self._namespaces, 0) | self._population(now)
        if state.reports_sockets and state.listed:
            population = dict.fromkeys(population, 0) | _count_by_namespace(sockets)
        blind = _PRODUCTION if state.own_namespace else f"{state.blind} the sockets are not listed"
        hint = "" if state.reports_sockets else blind
        return Snapshot(sockets, population, state.servers(now), hint=hint)

    def _population(self, now: int) -> dict[str, int]:
        counts = self._observer.state.socket_counts(now)
        return {
            name: count for name, count in counts.items() if not self._namespaces or name in self._namespaces
        }


class EventsSource:
    """Snapshots from the reference server's answers to `rooms`."""

    def __init__(self) -> None:
        self._last = Snapshot(hint=_EVENTS_ONLY)

    def __call__(self, _now: int) -> Snapshot:
        """Return the current snapshot."""
        return self._last

    def update(self, rows: Rows) -> None:
        """Take a snapshot from a list of rooms with their members."""
        found: dict[tuple[str, str], tuple[set[str], Json]] = {}
        for row in rows:
            for member in row["members"]:
                if isinstance(member, dict) and isinstance(member.get("sid"), str):
                    rooms, _ = found.setdefault((row["namespace"], member["sid"]), (set(), member))
                    rooms.add(row["room"])
        sockets = [Socket(*key, frozenset(rooms), data=member) for key, (rooms, member) in found.items()]
        population = _count_by_namespace(sockets)
        self._last = Snapshot(sorted(sockets, key=lambda each: each.key), population, hint=_EVENTS_ONLY)


def _count_by_namespace(sockets: Collection[Socket]) -> dict[str, int]:
    return dict(Counter(socket.namespace for socket in sockets))
