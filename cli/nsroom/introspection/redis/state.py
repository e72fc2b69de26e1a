"""What the servers behind a Redis report: lists of sockets in, changes as records out. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from nsroom.introspection.inventory import Inventory, Key, Socket
from nsroom.introspection.redis.payloads import Broadcast
from nsroom.output.room_names import Room
from nsroom.record import Direction, Kind, Record


class Silence(NamedTuple):
    """The servers that did not answer."""

    silent: int
    servers: int


class Listing(NamedTuple):
    """The sockets of all servers that answered, at a time in microseconds since the epoch."""

    at: int
    sockets: Mapping[Key, Socket]
    silences: Mapping[str, Silence]
    """The namespaces for which servers did not answer."""


class State(Inventory):
    """The sockets behind a Redis, as they were listed last."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.blind = "through python-socketio's Redis manager"
        self.silences: Mapping[str, Silence] = {}

    def is_disconnected(self, key: Key) -> bool:
        """Return whether a socket has disconnected: all servers have answered, and none of them has it."""
        return self.listed and key[0] not in self.silences and key not in self.sockets

    @property
    def worst(self) -> Silence:
        """The largest number of servers that did not answer for a namespace."""
        return max(self.silences.values(), default=Silence(0, 0))

    def take(self, listing: Listing) -> list[Record]:
        """Apply a list of all sockets; return what has changed since the last one.

        The sockets of a server that does not answer are unknown, not disconnected.
        """
        before, was_listed = self.sockets, self.listed
        kept = {key: each for key, each in before.items() if key[0] in listing.silences}
        self.sockets = {**kept, **listing.sockets}
        self.silences, self.listed = listing.silences, True
        return list(self._changes(before, listing.at)) if was_listed else []

    def _changes(self, before: Mapping[Key, Socket], at: int) -> Iterator[Record]:
        for key in before:
            if key not in self.sockets:
                yield self.record(at, Kind.DISCONNECT, key)
        for key, socket in self.sockets.items():
            if key not in before:
                yield self.record(at, Kind.CONNECT, key, data={"address": socket.address})
            old = before[key].rooms if key in before else frozenset()
            if old != socket.rooms:
                yield from self._presence(at, "leave-room", key, old - socket.rooms)
                yield from self._presence(at, "join-room", key, socket.rooms - old)

    def _presence(self, at: int, event: str, key: Key, rooms: frozenset[Room]) -> Iterator[Record]:
        for room in sorted(rooms, key=str):
            yield from self.room_change(at, event, key, room)

    def broadcast(self, at: int, sent: Broadcast) -> Record:
        """Return an event for several clients, with its rooms; for one client, with its sid."""
        only = sent.rooms[0] if len(sent.rooms) == 1 else None
        is_sid = (sent.namespace, only) in self.sockets
        lists = {"rooms": list(sent.rooms), "except": list(sent.skipped)}
        data = {} if is_sid else {key: value for key, value in lists.items() if value}
        return Record(
            at,
            next(self._sequence),
            Direction.IN,
            Kind.EVENT,
            sent.namespace,
            event=sent.event,
            args=sent.args,
            sid=str(only) if is_sid else None,
            data=data or None,
        )
