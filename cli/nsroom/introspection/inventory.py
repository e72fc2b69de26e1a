"""Sockets and servers as an admin namespace describes them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from nsroom.output.room_names import Room, parse_room
from nsroom.record import Json

Key = tuple[str, str]
"""A namespace, and a sid in it."""


class Feature(StrEnum):
    """A feature that an admin namespace supports."""

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
