"""Who is in which room, and broadcasting to it.

A socket is one client in one namespace, named by its sid. It is known from `add` to `remove`; in between it
may `enter` and `leave` rooms, in any order and any number of times. What always holds:

* A room exists while it has members, and a namespace while it has sockets: an empty one is dropped at once.
* `rooms` and `joined` of a namespace are two views of the same pairs: a sid is in `rooms[room]` if and only
  if the room is in `joined[sid]`. So `remove` costs as much as the socket has rooms, however many there are.
* Every socket is also in a room of its own, named by its sid. Nothing is stored for that room, and no other
  socket can enter it; it has a size and members, but it is neither in `names` nor in `joined`.
* Sockets and members are listed in the order in which they came.

What is returned may be a view of the tables themselves: read it before the next `await`, do not keep it.
"""

from collections.abc import Callable, Collection, KeysView, Mapping, Sequence
from typing import Generic, TypeVar

from nsroom_server.engineio.packets import Outgoing
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.broadcasts import Broadcasts, Receiver

Room = str | Collection[str] | None
"""A room, several rooms, or None for the whole namespace."""


R = TypeVar("R", bound=Receiver)


class _Namespace(Generic[R]):
    __slots__ = ("joined", "rooms", "sockets")

    def __init__(self) -> None:
        self.sockets: dict[str, R] = {}
        self.rooms: dict[str, dict[str, R]] = {}
        self.joined: dict[str, dict[str, None]] = {}

    def members(self, room: str) -> Mapping[str, R]:
        if (members := self.rooms.get(room)) is not None:
            return members
        return {room: self.sockets[room]} if room in self.sockets else {}


class Rooms(Generic[R]):
    """The sockets of every namespace, and the rooms they are in."""

    def __init__(self, schedule: Callable[[], None]) -> None:
        """`schedule` lets `catch_up` be called before the next turn of the loop."""
        self._namespaces: dict[str, _Namespace[R]] = {}
        self._broadcasts = Broadcasts(schedule)

    def add(self, client: Client, receiver: R) -> None:
        """Add a socket to its namespace, or give it another connection, in its rooms too."""
        namespace = self._namespaces.setdefault(client.namespace, _Namespace())
        self._broadcasts.catch_up(client.sid)
        namespace.sockets[client.sid] = receiver
        self._broadcasts.join(client.sid, namespace.sockets)
        for room in namespace.joined.get(client.sid, ()):
            namespace.rooms[room][client.sid] = receiver

    def remove(self, client: Client) -> None:
        """Remove a socket from its rooms and its namespace, if it is there."""
        for room in list(self.joined(client)):
            self.leave(client, room)
        if namespace := self._namespaces.get(client.namespace):
            self._broadcasts.catch_up(client.sid)
            namespace.sockets.pop(client.sid, None)
            if not namespace.sockets:
                del self._namespaces[client.namespace]

    def enter(self, client: Client, room: str) -> bool:
        """Put a socket into a room, and return whether it was not there before.

        Raises: KeyError for an unknown socket, ValueError for a room that is a socket's own.
        """
        namespace = self._namespaces[client.namespace]
        receiver = namespace.sockets[client.sid]
        if room in namespace.sockets:
            raise ValueError("this room is a socket's own")
        members = namespace.rooms.setdefault(room, {})
        if client.sid in members:
            return False
        members[client.sid] = receiver
        self._broadcasts.join(client.sid, members)
        namespace.joined.setdefault(client.sid, {})[room] = None
        return True

    def leave(self, client: Client, room: str) -> bool:
        """Take a socket out of a room, and return whether it was there."""
        namespace = self._namespaces.get(client.namespace)
        if not namespace or room not in (joined := namespace.joined.get(client.sid, {})):
            return False
        self._broadcasts.catch_up(client.sid)
        del joined[room], namespace.rooms[room][client.sid]
        if not joined:
            del namespace.joined[client.sid]
        if not namespace.rooms[room]:
            del namespace.rooms[room]
        return True

    @property
    def namespaces(self) -> KeysView[str]:
        """The namespaces that have sockets."""
        return self._namespaces.keys()

    def get(self, client: Client) -> R | None:
        """Return the connection of a socket."""
        return self.sockets(client.namespace).get(client.sid)

    def sockets(self, namespace: str) -> Mapping[str, R]:
        """Return the sockets of a namespace: sid to connection."""
        found = self._namespaces.get(namespace)
        return found.sockets if found else {}

    def joined(self, client: Client) -> KeysView[str]:
        """Return the rooms that a socket has entered, in order."""
        namespace = self._namespaces.get(client.namespace)
        # Not a copy: with every join and every message, that would cost as much as the socket has rooms.
        return (namespace.joined.get(client.sid) or {}).keys() if namespace else {}.keys()

    def names(self, namespace: str) -> list[str]:
        """Return the rooms of a namespace."""
        found = self._namespaces.get(namespace)
        return list(found.rooms) if found else []

    def is_sid(self, namespace: str, name: str) -> bool:
        """Return whether a name is a socket's own room."""
        return name in self.sockets(namespace)

    def members(self, namespace: str, *rooms: str) -> Mapping[str, R]:
        """Return the sockets that are in at least one of the rooms: sid to connection."""
        return self.recipients(namespace, rooms)

    def size(self, namespace: str, room: str) -> int:
        """Return the number of members of a room."""
        return len(self.members(namespace, room))

    def recipients(self, namespace: str, to: Room = None, skip: Collection[str] = ()) -> Mapping[str, R]:
        """Return the sockets that a broadcast reaches; `skip` is a collection of sids."""
        space = self._namespaces.get(namespace)
        if space is None:
            return {}
        if to is None:
            found: Mapping[str, R] = space.sockets
        elif isinstance(to, str):
            found = space.members(to)
        else:
            found = _union([space.members(room) for room in to])
        return _without(found, skip) if skip else found

    def broadcast(
        self, packets: Sequence[Outgoing], namespace: str, to: Room = None, skip: Collection[str] = ()
    ) -> int:
        """Send encoded packets to all recipients, before the next turn; return how many there are."""
        recipients = self.recipients(namespace, to, skip)
        if recipients:
            self._broadcasts.add(packets, recipients)
        return len(recipients)

    def catch_up(self, sid: str | None = None) -> None:
        """Send a socket, or all, what was broadcast: before something else is sent to it."""
        if sid is None:
            self._broadcasts.send()
        else:
            self._broadcasts.catch_up(sid)


def _union(rooms: Sequence[Mapping[str, R]]) -> Mapping[str, R]:
    if len(rooms) == 1:
        return rooms[0]
    united: dict[str, R] = {}
    for members in rooms:
        united.update(members)
    return united


def _without(found: Mapping[str, R], skip: Collection[str]) -> Mapping[str, R]:
    left = dict(found)
    for sid in skip:
        left.pop(sid, None)
    return left
