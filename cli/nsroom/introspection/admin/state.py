"""The state that an admin namespace reports: records in, sockets and rooms out. Pure.

The events are those of `@socket.io/admin-ui` 0.5 and of `instrument()` in python-socketio 5. Directions
are the client's, as in every Record: `out` is what a client emitted, `in` what the server sent to it.
"""

from collections.abc import Callable
from dataclasses import replace

from nsroom.introspection.admin.offsets import without_offset
from nsroom.introspection.inventory import Inventory, Key, Socket, parse_server, parse_socket
from nsroom.output.room_names import parse_room
from nsroom.protocol.socketio import is_event
from nsroom.record import Direction, Json, Kind, Record, parse_time

# In Python 3.11 looking up an enum member takes 0.2 µs.
_EVENT, _IN, _OUT = Kind.EVENT, Direction.IN, Direction.OUT


class State(Inventory):
    """The servers and sockets behind one admin namespace; it starts over with each connection."""

    def __init__(self, namespace: str = "/admin") -> None:
        super().__init__(namespace, namespace)

    @property
    def is_python(self) -> bool:
        """Whether the server is python-socketio, recognised by the order of its features.

        Only python-socketio acknowledges commands, and describes its sockets at each heartbeat. In production
        mode it lists commands too, but has no handlers for them.
        """
        return (self.features or [""])[0] == "AGGREGATED_EVENTS"

    def feed(self, record: Record) -> list[Record]:
        """Apply one record of the connection, and return the socket actions that it reports as Records."""
        if record.namespace == self.own_namespace:
            if record.kind is _EVENT and record.direction is _IN:
                handle = _EVENTS.get(record.event)
                return handle(self, record) if handle else []
            if record.kind is Kind.CONNECT and record.direction is Direction.OUT:
                # Not on the answer: events that the server emits while it accepts us arrive before that.
                self.reset()
        elif record.kind is Kind.OPEN:
            self._open(record.data)
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
        return [self.record(_time(args[1:], record.time), Kind.CONNECT, socket.key, data=data)]

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
                self.remove((namespace, sid))
                return [
                    self.record(
                        _time(rest, record.time),
                        Kind.DISCONNECT,
                        (namespace, sid),
                        Direction.IN,
                        reason=str(reason),
                    )
                ]
        return []

    def _room_joined(self, record: Record) -> list[Record]:
        match record.args:
            case [str() as namespace, str() | int() | float() as room, str() as sid, *rest]:
                socket = self._known((namespace, sid))
                if socket is not None:
                    self.sockets[socket.key] = replace(socket, rooms=socket.rooms | {parse_room(room)})
                return self.room_change(_time(rest, record.time), "join-room", (namespace, sid), room)
        return []

    def _room_left(self, record: Record) -> list[Record]:
        match record.args:
            case [str() as namespace, str() | int() | float() as room, str() as sid, *rest]:
                socket = self.sockets.get((namespace, sid))
                if socket is not None:
                    self._leave(replace(socket, rooms=socket.rooms - {parse_room(room)}), rest)
                return self.room_change(_time(rest, record.time), "leave-room", (namespace, sid), room)
        return []

    def _leave(self, socket: Socket, rest: list[Json]) -> None:
        self.sockets[socket.key] = socket
        # python-socketio reports a socket before its handler refuses it, and never that it disconnected.
        if not socket.rooms and socket.is_described and not _is_javascript(rest):
            del self.sockets[socket.key]

    def _event_received(self, record: Record) -> list[Record]:
        return self._event(record, _OUT)

    def _event_sent(self, record: Record) -> list[Record]:
        return self._event(record, _IN)

    def _event(self, record: Record, direction: Direction) -> list[Record]:
        """Return the event of a socket that a record reports in its arguments, if they have one."""
        # For every event of a server: a pattern takes three times as long.
        if record.args is None or len(record.args) < 3:
            return []
        namespace, sid, packet, *rest = record.args
        if not (isinstance(namespace, str) and isinstance(sid, str) and is_event(packet)):
            return []
        args, at = packet[1:], _time(rest, record.time)
        if direction is _IN:
            if record.data and "offset" in record.data:
                args = without_offset(args, at)
            elif args == [None] and not _is_javascript(rest):
                args = []  # python-socketio reports an event without arguments like this
        self._known((namespace, sid))
        sequence = next(self._sequence)
        return [Record(at, sequence, direction, _EVENT, namespace, None, packet[0], args, None, sid)]

    def _known(self, key: Key) -> Socket | None:
        """Return a socket, creating one with only its key if it is not listed yet."""
        # python-socketio reports rooms two seconds late: the socket may have disconnected by then.
        socket = self.sockets.get(key)
        if socket is None and key not in self._disconnected:
            socket = self.sockets[key] = Socket(*key)
        return socket


_EVENTS: dict[Json, Callable[[State, Record], list[Record]]] = {
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
