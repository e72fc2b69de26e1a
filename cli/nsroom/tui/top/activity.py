"""What a server has, and how much of it does something. Pure."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nsroom.introspection.inventory import Key, Server, Socket
from nsroom.output.summary import Piece, line
from nsroom.record import Direction, Kind, Record
from nsroom.tui.model.rates import Rate

_KEPT = 5000
"""Lines of the latest events of all sockets."""
_WATCHED = 1000
"""… and of the one that is looked at."""
_LINE = 240
"""Cells of such a line: few terminals are wider, and an event may have a megabyte."""


class Place(NamedTuple):
    """A namespace, a room of it, or a socket in it."""

    namespace: str
    room: str | None = None
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is at one moment."""

    sockets: Sequence[Socket] = ()
    population: Mapping[str, int] = field(default_factory=dict)
    """How many sockets each namespace has, also where they are not told one by one."""
    servers: Sequence[Server] = ()
    connected: bool = True
    hint: str = ""
    """Why there is less to see than could be."""


Source = Callable[[int], Snapshot]
"""Says what there is at a time, in microseconds since the epoch."""


class Census:
    """The last snapshot, and what the sockets were seen to do."""

    def __init__(self, source: Source) -> None:
        self.snapshot = Snapshot()
        self.sockets: dict[Key, Socket] = {}
        self.rooms: dict[str, dict[str, int]] = {}
        """How many members each room of each namespace has, without the room that a socket has for itself."""
        self.total = Rate()
        self._source = source
        self._rates: dict[Place, Rate] = {}
        self._lines: deque[tuple[Key, list[Piece]]] = deque(maxlen=_KEPT)
        self._watched: Key | None = None
        self._seen: deque[list[Piece]] = deque(maxlen=_WATCHED)

    def refresh(self, now: int) -> None:
        """Take a new snapshot, and forget how much what is gone did."""
        self.snapshot = self._source(now)
        self.sockets = {each.key: each for each in self.snapshot.sockets}
        self.rooms = {}
        for socket in self.snapshot.sockets:
            counts = self.rooms.setdefault(socket.namespace, {})
            for room in self.shared(socket):
                counts[room] = counts.get(room, 0) + 1
        if len(self._rates) > 2 * len(self.sockets) + 1000:
            alive = set(self._places())
            self._rates = {place: rate for place, rate in self._rates.items() if place in alive}

    def _places(self) -> Iterator[Place]:
        for socket in self.snapshot.sockets:
            yield Place(socket.namespace)
            yield Place(socket.namespace, sid=socket.sid)
            yield from (Place(socket.namespace, room) for room in socket.rooms)

    def learn(self, records: Iterable[Record], second: int) -> None:
        """Take in what sockets did, seen in this second of our own clock: the server's may be another."""
        for record in records:
            if record.namespace is None or record.sid is None:
                continue
            key = record.namespace, record.sid
            made = line(record._replace(sid=None), _LINE)
            self._lines.append((key, made))
            if key == self._watched:
                self._seen.append(made)
            if record.kind is Kind.EVENT and record.direction is not Direction.LOCAL:
                self._count(key, second)

    def _count(self, key: Key, second: int) -> None:
        """Count an event for the socket, for every room it is in, and for the namespace."""
        namespace, sid = key
        socket = self.sockets.get(key)
        self.total.add(second)
        self._rate(Place(namespace)).add(second)
        self._rate(Place(namespace, sid=sid)).add(second)
        for room in socket.rooms if socket else ():
            if room != sid:
                self._rate(Place(namespace, room)).add(second)

    def _rate(self, place: Place) -> Rate:
        rate = self._rates.get(place)
        if rate is None:
            rate = self._rates[place] = Rate()
        return rate

    def rate(self, place: Place) -> Rate | None:
        """Give how much went on there; None where nothing did."""
        return self._rates.get(place)

    def watch(self, key: Key | None) -> None:
        """Keep more of what this socket does from now on."""
        self._watched = key
        self._seen.clear()
        self._seen.extend(made for owner, made in self._lines if owner == key)

    def seen(self) -> Sequence[list[Piece]]:
        """Give the lines of the socket that is watched."""
        return self._seen

    def shared(self, socket: Socket) -> list[str]:
        """Give the rooms of a socket that are not some socket's own."""
        return [room for room in socket.rooms if (socket.namespace, room) not in self.sockets]

    def members(self, namespace: str, room: str | None) -> list[Socket]:
        """Give the sockets of a room, or of a whole namespace."""
        return [
            each
            for each in self.snapshot.sockets
            if each.namespace == namespace and (room is None or room in each.rooms)
        ]
