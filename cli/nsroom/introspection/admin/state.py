"""The state that an admin namespace reports: records in, sockets and rooms out. Pure.

The events are those of `@socket.io/admin-ui` 0.5 and of `instrument()` in python-socketio 5. Directions
are the client's, as in every Record: `out` is what a client emitted, `in` what the server sent to it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import count

from nsroom.introspection.admin.offsets import without_offset
from nsroom.introspection.inventory import Feature, Key, Server, Socket, parse_server, parse_socket
from nsroom.output.room_names import Room, find_room, parse_room, room_order
from nsroom.record import Direction, Json, Kind, Record, parse_time

_MAX_DISCONNECTED = 100_000
_SILENCE = 10_000_000
"""Microseconds without statistics, which arrive every two seconds, before a server is dropped."""


class State:
    """The servers and sockets behind one admin namespace; it starts over with each connection."""

    def __init__(self, namespace: str = "/admin") -> None:
        self.namespace = namespace
        self.heartbeat = 25.0
        """Seconds in which python-socketio describes every socket again."""
        self._sequence = count(1)
        self._reset()

    def _reset(self) -> None:
        self.features: list[str] | None = None
        """The features that the server reports, or None until it has."""
        self.listed = False
        """Whether the list of all sockets has arrived."""
        self.sockets: dict[Key, Socket] = {}
        self._servers: dict[str, Server] = {}
        self._disconnected: dict[Key, None] = {}

    @property
    def reports_sockets(self) -> bool:
        """Whether the server reports sockets and events: not in production mode."""
        return Feature.ALL_EVENTS in (self.features or ())

    @property
    def acknowledges(self) -> bool:
        """Whether commands are acknowledged: by python-socketio, recognised by the order of its features.

        In production mode it lists commands too, but has no handlers for them.
        """
        return (self.features or [""])[0] == "AGGREGATED_EVENTS"

    def servers(self, now: int) -> list[Server]:
        """Return the servers that have sent statistics recently."""
        return [each for each in self._servers.values() if now - each.at < _SILENCE]

    def socket_counts(self, now: int) -> dict[str, int]:
        """Return the number of sockets in each namespace, over all servers, from their statistics."""
        total: dict[str, int] = defaultdict(int)
        for server in self.servers(now):
            for namespace, number in server.namespaces.items():
                total[namespace] += number
        total.pop(self.namespace, None)
        return dict(sorted(total.items()))

    def is_disconnected(self, key: Key) -> bool:
        """Return whether a socket has disconnected."""
        return key in self._disconnected

    def select(self, namespaces: Collection[str] = (), all: bool = False) -> list[Socket]:
        """Return the sockets of these namespaces, or of all but the admin namespace itself."""
        chosen = (
            each
            for each in self.sockets.values()
            if (each.namespace in namespaces if namespaces else all or each.namespace != self.namespace)
        )
        return sorted(chosen, key=lambda each: each.key)

    def rooms(
        self, namespaces: Collection[str] = (), all: bool = False
    ) -> dict[tuple[str, Room], list[Socket]]:
        """Return the rooms with their members; the room of each socket itself only with `all`."""
        found: dict[tuple[str, Room], list[Socket]] = defaultdict(list)
        for socket in self.select(namespaces, all):
            for room in socket.rooms:
                if all or (socket.namespace, room) not in self.sockets:
                    found[socket.namespace, room].append(socket)
        return dict(sorted(found.items(), key=lambda item: (item[0][0], room_order(item[0][1]))))

    def find_room(self, name: str, namespaces: Collection[str] = ()) -> Room:
        """Return the room that a user names; see `output.room_names`."""
        return find_room(name, (room for _, room in self.rooms(namespaces)))

    def feed(self, record: Record) -> list[Record]:
        """Apply one record of the connection, and return the socket actions that it reports as Records."""
        if record.kind is Kind.OPEN:
            self._open(record.data)
        elif record.namespace == self.namespace:
            if record.kind is Kind.EVENT and record.direction is Direction.IN:
                handle = _EVENTS.get(str(record.event))
                return handle(self, record) if handle else []
            if record.kind is Kind.CONNECT and record.direction is Direction.OUT:
                # Not on the answer: events that the server emits while it accepts us arrive before that.
                self._reset()
        return []

    def _open(self, data: Json) -> None:
        match data:
            case {"pingInterval": int() as milliseconds}:
                self.heartbeat = milliseconds / 1000

    def _config(self, record: Record) -> list[Record]:
        match record.args:
            case [{"supportedFeatures": [*features]}, *_]:
                self.features = [str(each) for each in features]
        return []

    def _server_stats(self, record: Record) -> list[Record]:
        server = parse_server((record.args or [None])[0], record.time)
        if server is not None:
            self._servers[server.id] = server
        return []

    def _all_sockets(self, record: Record) -> list[Record]:
        match record.args:
            case [[*sockets], *_]:
                self.listed = True
                for socket in filter(None, map(parse_socket, sockets)):
                    if socket.key not in self._disconnected:
                        self.sockets[socket.key] = socket
        return []

    def _socket_connected(self, record: Record) -> list[Record]:
        args = record.args or [None]
        socket = parse_socket(args[0])
        if socket is None:
            return []
        new = socket.key not in self.sockets or not self.sockets[socket.key].is_described
        self._disconnected.pop(socket.key, None)
        self.sockets[socket.key] = socket
        if not new or not _is_arrival(args):
            return []
        data = {"transport": socket.transport, "address": socket.address}
        return [self._record(Kind.CONNECT, record, args[1:], socket.key, Direction.IN, data=data)]

    def _socket_updated(self, record: Record) -> list[Record]:
        match record.args:
            case [{"nsp": str() as namespace, "id": str() as sid, **changes}, *_]:
                socket = self.sockets.get((namespace, sid))
                known: dict[str, Json] = {
                    key: changes[key] for key in ("transport", "data") if key in changes
                }
                if socket is not None:
                    self.sockets[socket.key] = replace(socket, **known)
        return []

    def _socket_disconnected(self, record: Record) -> list[Record]:
        match record.args:
            case [str() as namespace, str() as sid, reason, *rest]:
                self._remove((namespace, sid))
                return [
                    self._record(
                        Kind.DISCONNECT, record, rest, (namespace, sid), Direction.IN, reason=str(reason)
                    )
                ]
        return []

    def _room_joined(self, record: Record) -> list[Record]:
        match record.args:
            case [str() as namespace, str() | int() | float() as room, str() as sid, *rest]:
                socket = self._known((namespace, sid))
                if socket is not None:
                    self.sockets[socket.key] = replace(socket, rooms=socket.rooms | {parse_room(room)})
                return self._presence("join-room", record, rest, (namespace, sid), room)
        return []

    def _room_left(self, record: Record) -> list[Record]:
        match record.args:
            case [str() as namespace, str() | int() | float() as room, str() as sid, *rest]:
                socket = self.sockets.get((namespace, sid))
                if socket is not None:
                    self._leave(replace(socket, rooms=socket.rooms - {parse_room(room)}), rest)
                return self._presence("leave-room", record, rest, (namespace, sid), room)
        return []

    def _leave(self, socket: Socket, rest: list[Json]) -> None:
        self.sockets[socket.key] = socket
        # python-socketio reports a socket before its handler refuses it, and never that it disconnected.
        if not socket.rooms and socket.is_described and not _is_javascript(rest):
            del self.sockets[socket.key]

    def _presence(self, event: str, record: Record, rest: list[Json], key: Key, room: Room) -> list[Record]:
        """Report a room change as the reference server does; only the server saw it, so it is `local`."""
        if room == key[1]:
            return []
        args = [{"room": room, "sid": key[1]}]
        return [self._record(Kind.EVENT, record, rest, key, Direction.LOCAL, event=event, args=args)]

    def _event_received(self, record: Record) -> list[Record]:
        match record.args:
            case [str() as namespace, str() as sid, [event, *args], *rest]:
                self._known((namespace, sid))
                return [
                    self._record(
                        Kind.EVENT, record, rest, (namespace, sid), Direction.OUT, event=event, args=args
                    )
                ]
        return []

    def _event_sent(self, record: Record) -> list[Record]:
        match record.args:
            case [str() as namespace, str() as sid, [event, *args], *rest]:
                self._known((namespace, sid))
                if record.data and "offset" in record.data:
                    args = without_offset(args, _time(rest, record.time))
                elif args == [None] and not _is_javascript(rest):
                    args = []  # python-socketio reports an event without arguments like this
                return [
                    self._record(
                        Kind.EVENT, record, rest, (namespace, sid), Direction.IN, event=event, args=args
                    )
                ]
        return []

    def _known(self, key: Key) -> Socket | None:
        """Return a socket, creating one with only its key if it is not listed yet."""
        # python-socketio reports rooms two seconds late: the socket may have disconnected by then.
        if key not in self.sockets and key not in self._disconnected:
            self.sockets[key] = Socket(*key)
        return self.sockets.get(key)

    def _remove(self, key: Key) -> None:
        self.sockets.pop(key, None)
        self._disconnected[key] = None
        if len(self._disconnected) > _MAX_DISCONNECTED:
            del self._disconnected[next(iter(self._disconnected))]

    def _record(
        self, kind: Kind, record: Record, rest: list[Json], key: Key, direction: Direction, **fields: Json
    ) -> Record:
        at = _time(rest, record.time)
        return Record(at, next(self._sequence), direction, kind, key[0], sid=key[1], **fields)


_EVENTS: dict[str, Callable[[State, Record], list[Record]]] = {
    "config": State._config,
    "server_stats": State._server_stats,
    "all_sockets": State._all_sockets,
    "socket_connected": State._socket_connected,
    "socket_updated": State._socket_updated,
    "socket_disconnected": State._socket_disconnected,
    "room_joined": State._room_joined,
    "room_left": State._room_left,
    "event_received": State._event_received,
    "event_sent": State._event_sent,
}


def _is_arrival(args: list[Json]) -> bool:
    """Return whether a socket connects, or is described again by python-socketio at a heartbeat."""
    match args:
        case [{"handshake": {"time": str() as connected}}, str() as at, *_]:
            return _is_javascript([at]) or connected == at
    return True


def _is_javascript(rest: list[Json]) -> bool:
    """Return whether a time is in JavaScript's format, not Python's."""
    return bool(rest) and str(rest[0]).endswith("Z")


def _time(rest: list[Json], default: int) -> int:
    """Return the server's time at the end of an event's arguments."""
    try:
        return parse_time(rest[0])
    except (IndexError, TypeError, ValueError, OverflowError):
        return default
