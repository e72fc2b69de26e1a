"""What the servers of `nsroom serve --redis` keep in Redis and send to each other. Pure.

| key | type | contents |
|---|---|---|
| `nsroom:servers` | sorted set | the servers |
| `nsroom:members:SERVER` | hash | `NAMESPACE LF ROOM LF SID`: the nick as JSON, of each member of a room |
| `nsroom:bus` | stream | entries of one field `row`: nine texts with line feeds between them |

Sockets that are in no room are not known. Nothing can be changed through the bus: only a server with a lease
may add entries.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from nsroom.errors import DecodeError
from nsroom.introspection.inventory import Feature, Key, Socket
from nsroom.introspection.redis.adapter import Adapter, Subscription
from nsroom.introspection.redis.payloads import Broadcast, Reply, attachment, rooms
from nsroom.output.room_names import Room
from nsroom.protocol import socketio, strict_json
from nsroom.record import Json

SERVERS = "nsroom:servers"
MEMBERS = "nsroom:members:"
_STREAM = "nsroom:bus"
_MESSAGE, _EVENT = "m", "e"
_OTHERS = ("j", "l", "q", "r", "w", "g")
"""Joins, leaves, queries, replies, and the states of servers."""


@dataclass(frozen=True, slots=True)
class Bus(Adapter):
    """All namespaces of the servers."""

    package: ClassVar[str] = "nsroom serve --redis"
    features: ClassVar[frozenset[Feature]] = frozenset({Feature.ALL_EVENTS})
    unseen: ClassVar[str] = "sockets that are in no room of `nsroom serve`"

    def subscriptions(self) -> list[Subscription]:
        """Return nothing: entries are read from the stream."""
        return []

    def streams_to_read(self, is_cluster: bool) -> list[str]:  # noqa: ARG002
        """Return the stream."""
        return [_STREAM]

    def read(self, channel: str, data: bytes) -> Reply | Broadcast | None:  # noqa: ARG002
        """Return None: no channel is read."""
        return None

    def read_entry(self, fields: Mapping[str, str]) -> Broadcast | None:
        """Return the message or the event for clients in an entry, or None. Raises: DecodeError."""
        row = fields.get("row", "").split("\n")
        if len(row) != 9:
            raise DecodeError("an entry without its nine parts", b"")
        _, _, _, number, kind, namespace, room, _, data = row
        if kind in _OTHERS:
            return None
        if kind == _MESSAGE:
            return Broadcast(namespace, "message", [_message(number, data)], [room])
        if kind == _EVENT:
            return _event(namespace, data)
        raise DecodeError("an entry of an unknown kind", b"")


def _message(number: str, data: str) -> Json:
    body = strict_json.load(data)
    if not isinstance(body, dict) or not number.isdecimal() or len(number) > 18:
        raise DecodeError("not a message with its number", b"")
    return {"id": int(number), **body}


def _event(namespace: str, data: str) -> Broadcast:
    match strict_json.load(data):
        case {"to": to, "skip": skip, "text": str() as text, "binary": [*binary]}:
            packet = socketio.join(socketio.decode(text), [attachment(each) for each in binary])
            if packet.type in (socketio.PacketType.EVENT, socketio.PacketType.BINARY_EVENT):
                event, *args = packet.data
                return Broadcast(namespace, event, args, rooms(to or []), rooms(skip))
    raise DecodeError("not an event with its rooms", b"")


def sockets(server: str, members: Iterable[tuple[str, str]]) -> dict[Key, Socket]:
    """Return a server's sockets, given the members of its rooms with their nicks.

    What does not name a member is left out.
    """
    found: dict[Key, tuple[set[Room], Json]] = {}
    for member, nick in members:
        match member.split("\n"):
            case [namespace, room, sid]:
                joined, _ = found.setdefault((namespace, sid), ({sid}, _nick(nick)))
                joined.add(room)
    return {
        key: Socket(*key, frozenset(joined), data=data, server=server, is_described=True)
        for key, (joined, data) in found.items()
    }


def _nick(text: str) -> Json:
    try:
        nick = strict_json.load(text)
    except DecodeError:
        return None
    return {"nick": nick} if isinstance(nick, str) else None
