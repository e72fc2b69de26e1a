"""Where the view of a server takes its snapshots from: the admin namespace, or the server's own events."""

from collections.abc import Collection

from nsroom.introspection.admin.client import Admin
from nsroom.introspection.inventory import Socket
from nsroom.output.tables import Rows
from nsroom.record import Json
from nsroom.tui.top.activity import Snapshot

_PRODUCTION = (
    "in production mode a server tells only how many sockets there are, not which:"
    " call instrument() with mode 'development'"
)
_TOLD = "the server's events tell of rooms and their members only; the rest is for an admin namespace"


class AdminSource:
    """Says what an admin namespace tells."""

    def __init__(self, admin: Admin, namespaces: Collection[str], all: bool) -> None:
        self._admin = admin
        self._namespaces = namespaces
        self._all = all
        self._last = Snapshot()
        self._since: int | None = None
        """When the connection that there is now began to tell."""

    def __call__(self, now: int) -> Snapshot:
        """Give what there is; what there was, until a connection that came back has told."""
        state = self._admin.state
        if state.features is None:
            self._since = None
            return Snapshot(self._last.sockets, self._last.population, self._last.servers, connected=False)
        self._since = self._since or now
        patience = (state.heartbeat + 1) * 1_000_000
        if state.listed or not self._last.sockets or now - self._since > patience:
            self._last = self._look(now)
        return self._last

    def _look(self, now: int) -> Snapshot:
        state = self._admin.state
        sockets = state.select(self._namespaces, self._all)
        population = dict.fromkeys(self._namespaces, 0) | self._population(now)
        if state.is_open and state.listed:
            population = dict.fromkeys(population, 0)
            for socket in sockets:
                population[socket.namespace] = population.get(socket.namespace, 0) + 1
        hint = "" if state.is_open else _PRODUCTION
        return Snapshot(sockets, population, state.servers(now), hint=hint)

    def _population(self, now: int) -> dict[str, int]:
        told = self._admin.state.population(now)
        return {
            name: count for name, count in told.items() if not self._namespaces or name in self._namespaces
        }


class EventsSource:
    """Says what the reference server answers to `rooms`."""

    def __init__(self) -> None:
        self._last = Snapshot(hint=_TOLD)

    def __call__(self, _now: int) -> Snapshot:
        """Give what there is."""
        return self._last

    def take(self, rows: Rows) -> None:
        """Take a list of rooms with their members."""
        found: dict[tuple[str, str], tuple[set[str], Json]] = {}
        for row in rows:
            for member in row["members"]:
                if isinstance(member, dict) and isinstance(member.get("sid"), str):
                    rooms, _ = found.setdefault((row["namespace"], member["sid"]), (set(), member))
                    rooms.add(row["room"])
        sockets = [Socket(*key, frozenset(rooms), data=member) for key, (rooms, member) in found.items()]
        population: dict[str, int] = {}
        for socket in sockets:
            population[socket.namespace] = population.get(socket.namespace, 0) + 1
        self._last = Snapshot(sorted(sockets, key=lambda each: each.key), population, hint=_TOLD)
