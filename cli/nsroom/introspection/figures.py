"""Figures of a server seen from inside, in the text format of Prometheus. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from nsroom.introspection.inventory import Inventory
from nsroom.output.room_names import Room
from nsroom.record import Direction, Kind, Record

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_NAMES = 1000
"""Different labels of events; the clients of a server may choose the names."""
_MAX_NAME = 100
OTHER = "(other)"
"""The event's name for the labels beyond that."""
_LABELS = ("namespace", "event", "direction")
_Labels = tuple[str, ...]


class Figures:
    """Counts what the sockets do; `expose` adds how many there are."""

    def __init__(self, state: Inventory, namespaces: Collection[str] = (), all: bool = False) -> None:
        self._state = state
        self._namespaces = namespaces
        self._all = all
        self._events: Counter[_Labels] = Counter()
        self._connects: Counter[_Labels] = Counter()
        self._disconnects: Counter[_Labels] = Counter()

    def learn(self, records: Iterable[Record]) -> None:
        """Count what an observer reports."""
        for record in records:
            namespace = record.namespace
            if namespace is None or record.direction is Direction.LOCAL or not self._is_shown(namespace):
                continue
            if record.kind is Kind.EVENT:
                self._count_event(namespace, str(record.event), record.direction)
            elif record.kind is Kind.CONNECT:
                self._connects[namespace,] += 1
            elif record.kind is Kind.DISCONNECT:
                self._disconnects[namespace,] += 1

    def _is_shown(self, namespace: str) -> bool:
        if self._namespaces:
            return namespace in self._namespaces
        return self._all or namespace != self._state.own_namespace

    def _count_event(self, namespace: str, event: str, direction: Direction) -> None:
        labels = (namespace, event[:_MAX_NAME], direction.value)
        if labels not in self._events and len(self._events) >= MAX_NAMES:
            labels = (namespace, OTHER, direction.value)
        self._events[labels] += 1

    def expose(self, now: int) -> str:
        """Return the figures at a time in microseconds since the epoch."""
        state = self._state
        families = [
            _family("gauge", "up", "Whether the server is seen.", {(): int(state.features is not None)}),
            _family("gauge", "servers", "Server processes, if they report themselves.", self._servers(now)),
            _family("gauge", "sockets", "Connected sockets.", self._sockets(now), "namespace"),
            _family("gauge", "rooms", "Rooms with members.", self._rooms(), "namespace"),
            _family("counter", "connects_total", "Sockets that connected.", self._connects, "namespace"),
            _family("counter", "disconnects_total", "Sockets that left.", self._disconnects, "namespace"),
            _family("counter", "events_total", "Events; out is from a client.", self._events, *_LABELS),
        ]
        return "".join(line for family in families for line in family)

    def _servers(self, now: int) -> dict[_Labels, int]:
        found = {each.id for each in self._state.servers(now)}
        found |= {each.server for each in self._state.sockets.values() if each.server is not None}
        return {(): len(found)} if found else {}

    def _sockets(self, now: int) -> dict[_Labels, int]:
        if self._state.listed:
            counts = dict(Counter(namespace for namespace, _ in self._state.sockets))
        else:
            counts = self._state.socket_counts(now)
        known = dict.fromkeys(self._namespaces, 0) | counts
        return {(name,): number for name, number in sorted(known.items()) if self._is_shown(name)}

    def _rooms(self) -> dict[_Labels, int]:
        """Return the number of rooms in each namespace, without those of the sockets themselves."""
        if not self._state.listed:
            return {}
        own = self._state.sockets.keys()
        names: dict[str, set[tuple[str, Room]]] = {}
        for socket in self._state.sockets.values():
            shared = {(socket.namespace, room) for room in socket.rooms} - own
            names.setdefault(socket.namespace, set()).update(shared)
        return {(name,): len(found) for name, found in sorted(names.items()) if self._is_shown(name)}


def _family(kind: str, name: str, text: str, values: Mapping[_Labels, int], *labels: str) -> Iterator[str]:
    yield f"# HELP socketio_{name} {text}\n# TYPE socketio_{name} {kind}\n"
    for key, value in sorted(values.items()):
        pairs = ",".join(f'{label}="{_escape(each)}"' for label, each in zip(labels, key, strict=True))
        yield f"socketio_{name}{pairs and f'{{{pairs}}}'} {value}\n"


def _escape(text: str) -> str:
    text = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return text.encode("utf-8", "backslashreplace").decode()
