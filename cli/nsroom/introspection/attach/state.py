"""The state that the hooks in the processes report: changes in, sockets and records out. Pure.

A change is what `hook.js` writes. Directions are the client's, as in every Record: `out` is what a client
emitted, `in` what the server sent to it.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from nsroom.introspection.inventory import Feature, Inventory, Key, Server, Socket, parse_socket
from nsroom.output.room_names import Room, parse_room
from nsroom.record import Direction, Json, Kind, Record, unescape

_MAX_UNANSWERED = 10_000
"""Events whose acknowledgement may still come."""
_OTHER = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}


class Change(NamedTuple):
    """What a hook reports, and from which process."""

    server: str
    item: dict[str, Json]
    at: int
    """The time of arrival, in microseconds since the epoch."""


ENDED: dict[str, Json] = {"kind": "ended"}
"""What is reported of a process that is no longer observed."""


class _Asked(NamedTuple):
    event: Json
    at: int


class State(Inventory):
    """The sockets of the observed processes."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.features = [Feature.EMIT, Feature.JOIN, Feature.LEAVE, Feature.DISCONNECT, Feature.ALL_EVENTS]
        self.unlisted: set[str] = set()
        """The processes whose list of sockets has not arrived yet."""
        self.shows_servers = False
        """Whether there are several processes, so that each socket is shown with its own."""
        self._owners: dict[Key, str] = {}
        self._listing: dict[str, set[Key]] = {}
        self._unanswered: OrderedDict[tuple[Direction, str, str, Json], _Asked] = OrderedDict()

    def servers(self, now: int) -> list[Server]:
        """Return the processes with the number of their sockets."""
        counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        clients: dict[str, set[str | None]] = defaultdict(set)
        for key, server in self._owners.items():
            counts[server][key[0]] += 1
            clients[server].add(self.sockets[key].client)
        return [Server(name, found, len(clients[name]), now) for name, found in counts.items()]

    def feed(self, change: Change) -> list[Record]:
        """Apply a change, and return the actions of sockets that it reports."""
        handle = _KINDS.get(str(change.item.get("kind")))
        return handle(self, change) if handle else []

    def _ended(self, change: Change) -> list[Record]:
        """Remove the sockets of a process that has ended."""
        lost = [key for key, owner in self._owners.items() if owner == change.server]
        for key in lost:
            self._remove(key)
        self._listed_by(change.server)
        reason = "process ended"
        return [self.record(change.at, Kind.DISCONNECT, key, reason=reason) for key in lost]

    def _listed_by(self, server: str) -> None:
        self.unlisted.discard(server)
        self.listed = not self.unlisted

    def _listing_begins(self, change: Change) -> list[Record]:
        self._listing[change.server] = set()
        return []

    def _listed(self, change: Change) -> list[Record]:
        found = self._listing.pop(change.server, set())
        for key in [
            key for key, owner in self._owners.items() if owner == change.server and key not in found
        ]:
            self._remove(key)
        self._listed_by(change.server)
        return []

    def _socket(self, change: Change) -> list[Record]:
        self._add(change)
        return []

    def _add(self, change: Change) -> Socket | None:
        socket = parse_socket(change.item)
        if socket is None:
            return None
        data = _plain(socket.data)
        socket = replace(socket, data=data, server=change.server if self.shows_servers else None)
        self.sockets[socket.key] = socket
        self._owners[socket.key] = change.server
        if change.server in self._listing:
            self._listing[change.server].add(socket.key)
        return socket

    def _connect(self, change: Change) -> list[Record]:
        socket = self._add(change)
        if socket is None:
            return []
        data = {"transport": socket.transport, "address": socket.address}
        return [self.record(_time(change), Kind.CONNECT, socket.key, data=data)]

    def _disconnect(self, change: Change) -> list[Record]:
        key = _key(change)
        if key not in self.sockets:
            return []
        self._remove(key)
        reason = str(change.item.get("reason"))
        return [self.record(_time(change), Kind.DISCONNECT, key, reason=reason)]

    def _remove(self, key: Key) -> None:
        self._owners.pop(key, None)
        self.remove(key)

    def _upgrade(self, change: Change) -> list[Record]:
        socket, transport = self.sockets.get(_key(change)), change.item.get("transport")
        if socket is not None and isinstance(transport, str):
            self.sockets[socket.key] = replace(socket, transport=transport)
        return []

    def _join(self, change: Change) -> list[Record]:
        return self._move("join-room", change, lambda rooms, room: rooms | {room})

    def _leave(self, change: Change) -> list[Record]:
        return self._move("leave-room", change, lambda rooms, room: rooms - {room})

    def _move(
        self, event: str, change: Change, apply: Callable[[frozenset[Room], Room], frozenset[Room]]
    ) -> list[Record]:
        key, room = _key(change), change.item.get("room")
        socket = self.sockets.get(key)
        if socket is None or isinstance(room, bool) or not isinstance(room, str | int | float):
            return []
        self.sockets[key] = replace(socket, rooms=apply(socket.rooms, parse_room(room)))
        return self.room_change(_time(change), event, key, room)

    def _event(self, change: Change) -> list[Record]:
        match change.item.get("data"):
            case [str() | int() | float() as event, *args]:
                key, direction, id = _key(change), _direction(change), _id(change)
                if id is not None:
                    self._expect((direction, *key, id), _Asked(event, _time(change)))
                args = [_plain(each) for each in args]
                return [self.record(_time(change), Kind.EVENT, key, direction, id=id, event=event, args=args)]
        return []

    def _expect(self, question: tuple[Direction, str, str, Json], asked: _Asked) -> None:
        self._unanswered[question] = asked
        if len(self._unanswered) > _MAX_UNANSWERED:
            self._unanswered.popitem(last=False)

    def _ack(self, change: Change) -> list[Record]:
        key, direction, id, at = _key(change), _direction(change), _id(change), _time(change)
        asked = self._unanswered.pop((_OTHER[direction], *key, id), None)
        data = change.item.get("data")
        args = [_plain(each) for each in data] if isinstance(data, list) else []
        event, rtt = (asked.event, max(0, at - asked.at) / 1000) if asked else (None, None)
        return [self.record(at, Kind.ACK, key, direction, id=id, event=event, args=args, rtt_ms=rtt)]

    def _gap(self, change: Change) -> list[Record]:
        dropped = change.item.get("dropped")
        if not isinstance(dropped, int) or dropped <= 0:
            return []
        message = f"{dropped} packets of {change.server} came faster than they were read, and are missing"
        return [
            Record(
                change.at,
                next(self._sequence),
                Direction.LOCAL,
                Kind.GAP,
                message=message,
                data={"missing": dropped},
            )
        ]


_KINDS: dict[str, Callable[[State, Change], list[Record]]] = {
    "listing": State._listing_begins,
    "listed": State._listed,
    "socket": State._socket,
    "connect": State._connect,
    "disconnect": State._disconnect,
    "upgrade": State._upgrade,
    "join": State._join,
    "leave": State._leave,
    "event": State._event,
    "ack": State._ack,
    "gap": State._gap,
    "ended": State._ended,
}


def _key(change: Change) -> Key:
    return str(change.item.get("nsp")), str(change.item.get("id"))


def _direction(change: Change) -> Direction:
    return Direction.OUT if change.item.get("direction") == "out" else Direction.IN


def _id(change: Change) -> int | None:
    id = change.item.get("ack")
    return id if isinstance(id, int) and not isinstance(id, bool) else None


def _time(change: Change) -> int:
    """Return the process' time, or else that of arrival."""
    at = change.item.get("at")
    return at if isinstance(at, int) and 0 < at < 1 << 53 else change.at


def _plain(value: Json) -> Json:
    try:
        return unescape(value)
    except ValueError:
        return value
