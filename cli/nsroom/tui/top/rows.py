"""The rows of each list, and their columns. Pure."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from nsroom.introspection.inventory import Socket
from nsroom.record import Json
from nsroom.tui.model.rates import Rate
from nsroom.tui.top.activity import Census, Place

_NAMES = ("nick", "name", "username", "user")
"""Under which of a socket's data an application may say who it is."""
Value = str | int | None


class Level(StrEnum):
    """What is listed."""

    NAMESPACES = "namespaces"
    ROOMS = "rooms"
    SOCKETS = "sockets"
    EVENTS = "events"


class Column(NamedTuple):
    """A column: its head, its width, and how much it is needed where there is little room."""

    name: str
    width: int = 0
    """0 for what takes the rest."""
    weight: int = 9
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
        Column("since", 7, 5, is_number=True, is_time=True),
        RATE,
        Column("rooms", 0, 6),
    ),
    Level.EVENTS: (),
}


class Row(NamedTuple):
    """A line of the list."""

    place: Place
    values: tuple[Value, ...]
    rate: Rate | None
    is_all: bool = False
    """Whether it stands for everything, before what it is made of."""


class Lister:
    """Makes rows of what a census has at one moment."""

    def __init__(self, census: Census, now: int, namespaces: Sequence[str], everything: str) -> None:
        """`everything` is how the row is called that stands for a whole namespace."""
        self._census = census
        self._now = now
        self._namespaces = namespaces
        self._everything = everything

    def rows(self, level: Level, place: Place) -> list[Row]:
        """List what there is of this level at a place."""
        return _LISTS[level](self, place)

    def _per_second(self, place: Place) -> tuple[int, Rate | None]:
        rate = self._census.rate(place)
        return (rate.per_second(self._now // 1_000_000) if rate else 0), rate

    def namespaces(self, _place: Place) -> list[Row]:
        """List the namespaces, also those that are named and have nobody."""
        counts = dict.fromkeys(self._namespaces, 0) | dict(self._census.snapshot.population)
        for socket in self._census.snapshot.sockets:
            counts.setdefault(socket.namespace, 0)
        return [self._namespace(name, count) for name, count in counts.items()]

    def _namespace(self, name: str, count: int) -> Row:
        per_second, rate = self._per_second(Place(name))
        return Row(Place(name), (name, len(self._census.rooms.get(name, ())), count, per_second), rate)

    def rooms(self, place: Place) -> list[Row]:
        """List the rooms of a namespace, after a row for all its sockets."""
        whole, rate = self._per_second(Place(place.namespace))
        count = len(self._census.members(place.namespace, None))
        everything = Row(Place(place.namespace), (self._everything, count, whole), rate, is_all=True)
        rooms = self._census.rooms.get(place.namespace, {})
        return [everything, *(self._room(Place(place.namespace, name), rooms[name]) for name in rooms)]

    def _room(self, place: Place, count: int) -> Row:
        per_second, rate = self._per_second(place)
        return Row(place, (place.room, count, per_second), rate)

    def sockets(self, place: Place) -> list[Row]:
        """List the sockets of a room, or of a namespace."""
        return [self._socket(each, place.room) for each in self._census.members(place.namespace, place.room)]

    def _socket(self, socket: Socket, room: str | None) -> Row:
        per_second, rate = self._per_second(Place(socket.namespace, sid=socket.sid))
        since = max((self._now - socket.connected) // 1_000_000, 0) if socket.connected else None
        rooms = ", ".join(sorted(self._census.shared(socket)))
        told = (socket.sid, _who(socket.data), socket.transport, socket.address, since)
        return Row(Place(socket.namespace, room, socket.sid), (*told, per_second, rooms), rate)


_LISTS: dict[Level, Callable[[Lister, Place], list[Row]]] = {
    Level.NAMESPACES: Lister.namespaces,
    Level.ROOMS: Lister.rooms,
    Level.SOCKETS: Lister.sockets,
    Level.EVENTS: lambda _lister, _place: [],
}


def _who(data: Json) -> str | None:
    """Give the name that an application keeps with a socket."""
    return next(_named(data), None) if isinstance(data, dict) else None


def _named(data: dict[str, Json]) -> Iterator[str]:
    for key in _NAMES:
        value = data.get(key)
        value = value.get("name") if isinstance(value, dict) else value
        if isinstance(value, str) and value:
            yield value[:100]
