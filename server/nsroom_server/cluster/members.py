"""Who is in which room on all servers: each server's copy, the same on all at the same entry of the bus.

Whether a room is new or empty follows from the order of the entries: all servers agree without asking.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from nsroom_server.cluster.entries import Place


class Notice(NamedTuple):
    """An event that says who comes or goes; for a room, or for the whole namespace when `room` is None."""

    event: str
    namespace: str
    room: str | None
    payload: dict[str, Any]


class Membership:
    """The members of every room, in the order in which they came."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, dict[str, Place]]] = {}
        self._places: dict[str, dict[Place, None]] = {}
        """By server."""
        self._nicks: dict[str, str | None] = {}
        self._counts: dict[str, int] = {}
        """In how many rooms each sid is."""

    @property
    def places(self) -> Iterator[Place]:
        """Everybody, wherever they are."""
        for places in self._places.values():
            yield from places

    def members(self, namespace: str, *rooms: str) -> dict[str, Place]:
        """Give whoever is in one of the rooms, by sid."""
        found = self._rooms.get(namespace, {})
        return {sid: place for room in rooms for sid, place in found.get(room, {}).items()}

    def size(self, namespace: str, room: str) -> int:
        """Count a room's members."""
        return len(self._rooms.get(namespace, {}).get(room, ()))

    def names(self, namespace: str) -> list[str]:
        """Return the rooms that have members."""
        return list(self._rooms.get(namespace, ()))

    def nick(self, sid: str) -> str | None:
        """Give a member's nick, if it has told one."""
        return self._nicks.get(sid)

    def recipients(self, namespace: str, to: Iterable[str], skip: Iterable[str]) -> int:
        """Count whoever is in one of the rooms and neither in nor itself one of those to skip."""
        names = tuple(skip)
        skipped = self.members(namespace, *names).keys() | set(names)
        return len(self.members(namespace, *to).keys() - skipped)

    def join(self, place: Place, nick: str | None) -> list[Notice]:
        """Put a socket into a room, or give a member another nick."""
        room = self._rooms.setdefault(place.namespace, {}).setdefault(place.room, {})
        self._nicks[place.sid] = nick
        if place.sid in room:
            return []
        room[place.sid] = place
        self._places.setdefault(place.server, {})[place] = None
        self._counts[place.sid] = self._counts.get(place.sid, 0) + 1
        created = [self._notice("create-room", place, to=None)] if len(room) == 1 else []
        return [*created, self._notice("join-room", place, to=place.room)]

    def leave(self, namespace: str, room: str, sid: str) -> list[Notice]:
        """Take a socket out of a room."""
        place = self._rooms.get(namespace, {}).get(room, {}).pop(sid, None)
        if place is None:
            return []
        self._places[place.server].pop(place, None)
        emptied = not self._rooms[namespace][room]
        if emptied:
            self._drop(namespace, room)
        event, to = ("delete-room", None) if emptied else ("leave-room", room)
        notice = self._notice(event, place, to)
        self._forget(sid)
        return [notice]

    def gone(self, server: str) -> list[Notice]:
        """Take a server's members out of all rooms."""
        places = tuple(self._places.get(server, ()))
        notices = [notice for each in places for notice in self.leave(each.namespace, each.room, each.sid)]
        self._places.pop(server, None)
        return notices

    def _drop(self, namespace: str, room: str) -> None:
        del self._rooms[namespace][room]
        if not self._rooms[namespace]:
            del self._rooms[namespace]

    def _forget(self, sid: str) -> None:
        self._counts[sid] -= 1
        if not self._counts[sid]:
            del self._counts[sid], self._nicks[sid]

    def _notice(self, event: str, place: Place, to: str | None) -> Notice:
        payload = {
            "room": place.room,
            "sid": place.sid,
            "nick": self._nicks.get(place.sid),
            "members": self.size(place.namespace, place.room),
        }
        return Notice(event, place.namespace, to, payload)
