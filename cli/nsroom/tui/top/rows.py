"""The rows of each list, and their columns. Pure."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from nsroom.introspection.inventory import Socket
from nsroom.record import Json
from nsroom.tui.model.rates import Rate
from nsroom.tui.top.activity import Activity, Scope

_NICKS = ("nick", "name", "username", "user")
"""Keys in a socket's data that may hold the user's name."""
Value = str | int | None


class Level(StrEnum):
    """The kind of list on a page."""

    NAMESPACES = "namespaces"
    ROOMS = "rooms"
    SOCKETS = "sockets"
    EVENTS = "events"


class Column(NamedTuple):
    """A column of a list."""

    name: str
    width: int = 0
    """0 for the rest of the line."""
    weight: int = 9
    """The importance; the columns with the lowest one are dropped first."""
    is_number: bool = False
    is_time: bool = False


RATE = Column("events/s", 10, 8, is_number=True)
COLUMNS: dict[Level, tuple[Column, ...]] = {
    Level.NAMESPACES: (
        Column("namespace"),
        Column("rooms", 7, 6, is_number=True),
        Column("sockets", 9, 7, is_number=True),
        RATE,
    ),
    Level.ROOMS: (Column("room"), Column("sockets", 9, 7, is_number=True), RATE),
    Level.SOCKETS: (
        Column("sid", 21),
        Column("who", 12, 7),
        Column("transport", 10, 4),
        Column("address", 16, 3),
        Column("server", 12, 2),
        Column("since", 7, 5, is_number=True, is_time=True),
        RATE,
        Column("rooms", 0, 6),
    ),
    Level.EVENTS: (),
}


class Row(NamedTuple):
    """A row of a list."""

    scope: Scope
    values: tuple[Value, ...]
    rate: Rate | None
    is_all: bool = False
    """Whether the row is the sum of the rows below it."""


class RowBuilder:
    """Builds rows from the activity at one moment."""

    def __init__(self, activity: Activity, now: int, namespaces: Sequence[str], all_label: str) -> None:
        """`all_label` is the label of the row for a whole namespace."""
        self._activity = activity
        self._now = now
        self._requested = namespaces
        self._all_label = all_label

    def rows(self, level: Level, scope: Scope) -> list[Row]:
        """Return the rows of a list."""
        return _BUILDERS[level](self, scope)

    def _per_second(self, scope: Scope) -> tuple[int, Rate | None]:
        rate = self._activity.rate(scope)
        return (rate.per_second(self._now // 1_000_000) if rate else 0), rate

    def namespaces(self, _scope: Scope) -> list[Row]:
        """Return the namespaces, including requested ones without sockets."""
        counts = dict.fromkeys(self._requested, 0) | dict(self._activity.snapshot.population)
        for socket in self._activity.snapshot.sockets:
            counts.setdefault(socket.namespace, 0)
        return [self._namespace(name, count) for name, count in counts.items()]

    def _namespace(self, name: str, count: int) -> Row:
        per_second, rate = self._per_second(Scope(name))
        return Row(Scope(name), (name, len(self._activity.rooms.get(name, ())), count, per_second), rate)

    def rooms(self, scope: Scope) -> list[Row]:
        """Return the rooms of a namespace, after a row for all its sockets."""
        per_second, rate = self._per_second(Scope(scope.namespace))
        count = len(self._activity.members(scope.namespace, None))
        total = Row(Scope(scope.namespace), (self._all_label, count, per_second), rate, is_all=True)
        rooms = self._activity.rooms.get(scope.namespace, {})
        return [total, *(self._room(Scope(scope.namespace, name), rooms[name]) for name in rooms)]

    def _room(self, scope: Scope, count: int) -> Row:
        per_second, rate = self._per_second(scope)
        return Row(scope, (scope.room, count, per_second), rate)

    def sockets(self, scope: Scope) -> list[Row]:
        """Return the sockets of a room, or of a namespace."""
        members = self._activity.members(scope.namespace, scope.room)
        return [self._socket(each, scope.room) for each in members]

    def _socket(self, socket: Socket, room: str | None) -> Row:
        per_second, rate = self._per_second(Scope(socket.namespace, sid=socket.sid))
        since = max((self._now - socket.connected) // 1_000_000, 0) if socket.connected else None
        rooms = ", ".join(self._activity.shared_rooms(socket))
        about = (
            *(socket.sid, _nick(socket.data), socket.transport, socket.address),
            *(socket.server, since),
        )
        return Row(Scope(socket.namespace, room, socket.sid), (*about, per_second, rooms), rate)


_BUILDERS: dict[Level, Callable[[RowBuilder, Scope], list[Row]]] = {
    Level.NAMESPACES: RowBuilder.namespaces,
    Level.ROOMS: RowBuilder.rooms,
    Level.SOCKETS: RowBuilder.sockets,
    Level.EVENTS: lambda _builder, _scope: [],
}


def _nick(data: Json) -> str | None:
    """Return the user's name in a socket's data, or None."""
    return next(_nicks(data), None) if isinstance(data, dict) else None


def _nicks(data: dict[str, Json]) -> Iterator[str]:
    for key in _NICKS:
        value = data.get(key)
        value = value.get("name") if isinstance(value, dict) else value
        if isinstance(value, str) and value:
            yield value[:100]
