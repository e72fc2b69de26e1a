"""Snapshots of a server, and the rates between them. Pure."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nsroom.introspection.inventory import Key, Server, Socket
from nsroom.output.room_names import parse_room, room_order, room_text
from nsroom.output.summary import Piece, line
from nsroom.record import Direction, Kind, Record
from nsroom.tui.model.rates import Rate

_MAX_LINES = 5000
"""The latest records of all sockets."""
_MAX_WATCHED = 1000
"""The latest records of the watched socket."""
_LINE_CELLS = 240
"""The width of a record's line: few terminals are wider, and an event may have a megabyte."""
_SPARE_RATES = 1000


class Scope(NamedTuple):
    """A namespace, a room in it, or a socket in it."""

    namespace: str
    room: str | None = None
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The sockets and servers at one moment."""

    sockets: Sequence[Socket] = ()
    population: Mapping[str, int] = field(default_factory=dict)
    """The number of sockets of each namespace, even if the sockets themselves are not known."""
    servers: Sequence[Server] = ()
    connected: bool = True
    hint: str = ""
    """Why the snapshot is incomplete, if it is."""


Source = Callable[[int], Snapshot]
"""Returns the snapshot at a time in microseconds since the epoch."""


class Activity:
    """The last snapshot, and the events of its sockets."""

    def __init__(self, source: Source) -> None:
        self.snapshot = Snapshot()
        self.sockets: dict[Key, Socket] = {}
        self.rooms: dict[str, dict[str, int]] = {}
        """The number of members of each room by namespace, without the own rooms of sockets."""
        self.total = Rate()
        self._source = source
        self._rates: dict[Scope, Rate] = {}
        self._lines: deque[tuple[Key, list[Piece]]] = deque(maxlen=_MAX_LINES)
        self._watched: Key | None = None
        self._watched_lines: deque[list[Piece]] = deque(maxlen=_MAX_WATCHED)

    def refresh(self, now: int) -> None:
        """Take a new snapshot; drop the rates of rooms and sockets that no longer exist."""
        self.snapshot = self._source(now)
        self.sockets = {each.key: each for each in self.snapshot.sockets}
        self.rooms = self._count_rooms()
        if len(self._rates) > 2 * len(self.sockets) + _SPARE_RATES:
            existing = set(self._scopes())
            self._rates = {scope: rate for scope, rate in self._rates.items() if scope in existing}

    def _count_rooms(self) -> dict[str, dict[str, int]]:
        # The names are written once for each room, not for each member: there may be 100,000 sockets.
        members = Counter(
            (socket.namespace, room)
            for socket in self.snapshot.sockets
            for room in socket.rooms
            if (socket.namespace, room) not in self.sockets
        )
        rooms: dict[str, dict[str, int]] = {}
        for (namespace, room), count in members.items():
            rooms.setdefault(namespace, {})[room_text(room)] = count
        return rooms

    def _scopes(self) -> Iterator[Scope]:
        for socket in self.snapshot.sockets:
            yield Scope(socket.namespace)
            yield Scope(socket.namespace, sid=socket.sid)
            yield from (Scope(socket.namespace, room_text(room)) for room in socket.rooms)

    def learn(self, records: Iterable[Record], second: int) -> None:
        """Learn from records seen in this second of our own clock; the server's clock may differ."""
        for record in records:
            if record.namespace is None:
                continue
            if record.sid is None:
                self._count_broadcast(record, second)
                continue
            key = record.namespace, record.sid
            pieces = line(record._replace(sid=None), _LINE_CELLS)
            self._lines.append((key, pieces))
            if key == self._watched:
                self._watched_lines.append(pieces)
            if record.kind is Kind.EVENT and record.direction is not Direction.LOCAL:
                self._count_event(key, second)

    def _count_event(self, key: Key, second: int) -> None:
        """Count an event for its socket, for each of the socket's rooms, and for the namespace."""
        namespace, sid = key
        socket = self.sockets.get(key)
        self.total.add(second)
        self._add_rate(Scope(namespace)).add(second)
        self._add_rate(Scope(namespace, sid=sid)).add(second)
        for room in socket.rooms if socket else ():
            if room != sid:
                self._add_rate(Scope(namespace, room_text(room))).add(second)

    def _count_broadcast(self, record: Record, second: int) -> None:
        """Count an event for the rooms that it goes to, and for the namespace."""
        if record.kind is not Kind.EVENT or record.direction is Direction.LOCAL or record.namespace is None:
            return
        rooms = record.data.get("rooms") if isinstance(record.data, dict) else None
        self.total.add(second)
        self._add_rate(Scope(record.namespace)).add(second)
        for room in rooms if isinstance(rooms, list) else ():
            self._add_rate(Scope(record.namespace, room_text(parse_room(room)))).add(second)

    def _add_rate(self, scope: Scope) -> Rate:
        rate = self._rates.get(scope)
        if rate is None:
            rate = self._rates[scope] = Rate()
        return rate

    def rate(self, scope: Scope) -> Rate | None:
        """Return the rate of events, or None if there were none."""
        return self._rates.get(scope)

    def watch(self, key: Key | None) -> None:
        """Keep more records of this socket from now on."""
        self._watched = key
        self._watched_lines.clear()
        self._watched_lines.extend(pieces for owner, pieces in self._lines if owner == key)

    def watched_lines(self) -> Sequence[list[Piece]]:
        """Return the lines of the watched socket's records."""
        return self._watched_lines

    def shared_rooms(self, socket: Socket) -> list[str]:
        """Return the names of a socket's rooms in order, without those that are a socket's own."""
        shared = (room for room in socket.rooms if (socket.namespace, room) not in self.sockets)
        return [room_text(room) for room in sorted(shared, key=room_order)]

    def members(self, namespace: str, room: str | None) -> list[Socket]:
        """Return the sockets of a room, or of the whole namespace if the room is None."""
        return [
            each
            for each in self.snapshot.sockets
            if each.namespace == namespace and (room is None or room in map(room_text, each.rooms))
        ]
