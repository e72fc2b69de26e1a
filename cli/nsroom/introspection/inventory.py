"""The servers, sockets and rooms that are seen from inside, whatever the way. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from operator import attrgetter

from nsroom.output.room_names import Room, find_room, parse_room, room_order
from nsroom.record import Direction, Json, Kind, Record

Key = tuple[str, str]
"""A namespace, and a sid in it."""


_MAX_DISCONNECTED = 100_000
_SILENCE = 10_000_000
"""Microseconds without statistics, which arrive every two seconds, before a server is dropped."""


class Feature(StrEnum):
    """What a way to see a server supports, in the words of the Admin UI."""

    EMIT = "EMIT"
    JOIN = "JOIN"
    LEAVE = "LEAVE"
    DISCONNECT = "DISCONNECT"
    ALL_EVENTS = "ALL_EVENTS"
    """Development mode: it reports the sockets and every event of theirs."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket of the server: one client in one namespace."""

    namespace: str
    sid: str
    rooms: frozenset[Room] = frozenset()
    client: str | None = None
    """The Engine.IO id; Node sends its first 12 characters."""
    transport: str | None = None
    address: str | None = None
    connected: int | None = None
    """Microseconds since the epoch, by the server's clock."""
    data: Json = None
    server: str | None = None
    """The server process that has it, of several."""
    is_described: bool = False
    """Whether the server has described it; else it is only known from events."""

    @property
    def key(self) -> Key:
        """Its namespace and sid."""
        return self.namespace, self.sid


@dataclass(frozen=True, slots=True)
class Server:
    """A server process, as its statistics describe it."""

    id: str
    namespaces: Mapping[str, int]
    """The number of sockets in each."""
    clients: int
    at: int


class Inventory:
    """What is known of a server: its processes, and its sockets with their rooms."""

    def __init__(self, name: str, own_namespace: str = "") -> None:
        self.name = name
        """The way it is seen, for messages: `/admin`."""
        self.blind = "in production mode"
        """When the sockets are not reported, for messages."""
        self.own_namespace = own_namespace
        """The namespace through which it is seen, which is not listed."""
        self.heartbeat = 25.0
        """Seconds in which every socket is described, if the list of all of them does not arrive."""
        self._sequence = count(1)
        self.reset()

    def reset(self) -> None:
        """Start over: nothing is known."""
        self.features: list[str] | None = None
        """The features that the way supports, or None while that is not known."""
        self.listed = False
        """Whether the list of all sockets has arrived."""
        self.sockets: dict[Key, Socket] = {}
        self._servers: dict[str, Server] = {}
        self._disconnected: dict[Key, None] = {}

    @property
    def reports_sockets(self) -> bool:
        """Whether the sockets and their events are reported."""
        return Feature.ALL_EVENTS in (self.features or ())

    def servers(self, now: int) -> list[Server]:
        """Return the servers that have sent statistics recently."""
        return [each for each in self._servers.values() if now - each.at < _SILENCE]

    def socket_counts(self, now: int) -> dict[str, int]:
        """Return the number of sockets in each namespace, over all servers, from their statistics."""
        total: dict[str, int] = defaultdict(int)
        for server in self.servers(now):
            for namespace, number in server.namespaces.items():
                total[namespace] += number
        total.pop(self.own_namespace, None)
        return dict(sorted(total.items()))

    def is_disconnected(self, key: Key) -> bool:
        """Return whether a socket has disconnected."""
        return key in self._disconnected

    def select(self, namespaces: Collection[str] = (), all: bool = False) -> list[Socket]:
        """Return the sockets of these namespaces, or of all but the one through which they are seen."""
        chosen = (
            each
            for each in self.sockets.values()
            if (each.namespace in namespaces if namespaces else all or each.namespace != self.own_namespace)
        )
        return sorted(chosen, key=attrgetter("namespace", "sid"))

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

    def remove(self, key: Key) -> None:
        """Take note that a socket has disconnected."""
        self.sockets.pop(key, None)
        self._disconnected[key] = None
        if len(self._disconnected) > _MAX_DISCONNECTED:
            del self._disconnected[next(iter(self._disconnected))]

    def record(
        self, at: int, kind: Kind, key: Key, direction: Direction = Direction.IN, **fields: Json
    ) -> Record:
        """Return a record of a socket's action; the direction is the client's."""
        return Record(at, next(self._sequence), direction, kind, key[0], sid=key[1], **fields)

    def room_change(self, at: int, event: str, key: Key, room: Room) -> list[Record]:
        """Return the record of a change of rooms as the reference server reports it; none of its own room.

        Only the server saw it, so it is `local`.
        """
        if room == key[1]:
            return []
        args: list[Json] = [{"room": room, "sid": key[1]}]
        return [self.record(at, Kind.EVENT, key, Direction.LOCAL, event=event, args=args)]


def parse_socket(described: Json) -> Socket | None:
    """Return the socket that `all_sockets` or `socket_connected` describes, or None for anything else."""
    match described:
        case {"id": str() as sid, "nsp": str() as namespace, "rooms": [*rooms]}:
            shake = described.get("handshake")
            address, connected = _handshake(shake if isinstance(shake, dict) else {})
            return Socket(
                namespace,
                sid,
                frozenset(map(parse_room, rooms)),
                client=_text(described.get("clientId")),
                transport=_text(described.get("transport")),
                address=address,
                connected=connected,
                data=described.get("data"),
                is_described=True,
            )
    return None


def _handshake(shake: dict[str, Json]) -> tuple[str | None, int | None]:
    """Return the address and the time of a handshake, but not its headers, which contain secrets."""
    issued = shake.get("issued")
    # python-socketio sends 0 for sockets that connected before it was instrumented.
    connected = round(issued * 1000) if isinstance(issued, int | float) and issued > 0 else None
    return _text(shake.get("address")), connected


def parse_server(described: Json, at: int) -> Server | None:
    """Return the server that `server_stats`, received at `at`, describes, or None for anything else."""
    match described:
        case {"serverId": str() as id, "clientsCount": int() as clients, "namespaces": [*namespaces]}:
            counts = dict(filter(None, map(_count, namespaces)))
            return Server(id, counts, clients, at)
    return None


def _count(namespace: Json) -> tuple[str, int] | None:
    match namespace:
        case {"name": str() as name, "socketsCount": int() as number}:
            return name, number
    return None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
