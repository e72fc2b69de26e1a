"""The sockets and servers behind an admin namespace, and how its events describe them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from nsroom.record import Json

Key = tuple[str, str]
"""A namespace, and a sid or a room in it."""


class Feature(StrEnum):
    """What an admin namespace offers."""

    EMIT = "EMIT"
    JOIN = "JOIN"
    LEAVE = "LEAVE"
    DISCONNECT = "DISCONNECT"
    ALL_EVENTS = "ALL_EVENTS"
    """Development mode: the sockets, and every event of theirs."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket of the server: one client in one namespace."""

    namespace: str
    sid: str
    rooms: frozenset[str] = frozenset()
    client: str | None = None
    """The Engine.IO id; Node tells its first 12 characters."""
    transport: str | None = None
    address: str | None = None
    connected: int | None = None
    """Microseconds since the epoch, by the server's clock."""
    data: Json = None
    whole: bool = False
    """Whether it has been described; else it is only known from its events."""

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.namespace, self.sid


@dataclass(frozen=True, slots=True)
class Server:
    """A server process, as its statistics describe it."""

    id: str
    namespaces: Mapping[str, int]
    """How many sockets each has."""
    clients: int
    at: int


def parse_socket(described: Json) -> Socket | None:
    """Read a socket as `all_sockets` and `socket_connected` describe it; None for anything else."""
    match described:
        case {"id": str() as sid, "nsp": str() as namespace, "rooms": [*rooms]}:
            shake = described.get("handshake")
            address, connected = _handshake(shake if isinstance(shake, dict) else {})
            return Socket(
                namespace,
                sid,
                frozenset(map(str, rooms)),
                client=_text(described.get("clientId")),
                transport=_text(described.get("transport")),
                address=address,
                connected=connected,
                data=described.get("data"),
                whole=True,
            )
    return None


def _handshake(shake: dict[str, Json]) -> tuple[str | None, int | None]:
    """Give the address and the time; the headers, which hold secrets, stay out."""
    issued = shake.get("issued")
    # 0 is what python-socketio says of sockets that were there before it was instrumented.
    connected = round(issued * 1000) if isinstance(issued, int | float) and issued > 0 else None
    return _text(shake.get("address")), connected


def parse_server(described: Json, at: int) -> Server | None:
    """Read a server as `server_stats`, which came at `at`, describes it; None for anything else."""
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
