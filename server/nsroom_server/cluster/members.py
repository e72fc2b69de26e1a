"""Room members across all servers, replicated from the stream.

Each server has a copy, the same on all of them after the same entry. So all agree on whether a join creates a
room or a leave deletes it, without asking each other.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from nsroom_server.cluster.entries import Membership


class PresenceEvent(NamedTuple):
    """An event that reports a join or a leave, to a room or to the whole namespace if `room` is None."""

    event: str
    namespace: str
    room: str | None
    payload: dict[str, Any]


class Members:
    """The members of every room, in the order of their joins."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, dict[str, Membership]]] = {}
        """By namespace, room and sid."""
        self._by_server: dict[str, dict[Membership, None]] = {}
        self._nicks: dict[str, str | None] = {}
        self._room_counts: dict[str, int] = {}
        """The number of rooms that each sid is in."""

    @property
    def memberships(self) -> Iterator[Membership]:
        """All members of all rooms."""
        for memberships in self._by_server.values():
            yield from memberships

    def members(self, namespace: str, *rooms: str) -> dict[str, Membership]:
        """Return the members of the rooms, by sid."""
        found = self._rooms.get(namespace, {})
        return {sid: membership for room in rooms for sid, membership in found.get(room, {}).items()}

    def size(self, namespace: str, room: str) -> int:
        """Return the number of members of a room."""
        return len(self._rooms.get(namespace, {}).get(room, ()))

    def names(self, namespace: str) -> list[str]:
        """Return the rooms that have members."""
        return list(self._rooms.get(namespace, ()))

    def nick(self, sid: str) -> str | None:
        """Return a member's nick, or None if it has not set one."""
        return self._nicks.get(sid)

    def count_recipients(self, namespace: str, to: Iterable[str], skip: Iterable[str]) -> int:
        """Count the members of the rooms `to`, except the sids in `skip` and the members of rooms in it."""
        names = tuple(skip)
        skipped = self.members(namespace, *names).keys() | set(names)
        return len(self.members(namespace, *to).keys() - skipped)

    def join(self, membership: Membership, nick: str | None) -> list[PresenceEvent]:
        """Add a member to a room, or change its nick; return the events that report it."""
        room = self._rooms.setdefault(membership.namespace, {}).setdefault(membership.room, {})
        self._nicks[membership.sid] = nick
        if membership.sid in room:
            return []
        room[membership.sid] = membership
        self._by_server.setdefault(membership.server, {})[membership] = None
        self._room_counts[membership.sid] = self._room_counts.get(membership.sid, 0) + 1
        created = [self._event("create-room", membership, to=None)] if len(room) == 1 else []
        return [*created, self._event("join-room", membership, to=membership.room)]

    def leave(self, namespace: str, room: str, sid: str) -> list[PresenceEvent]:
        """Remove a member from a room; return the events that report it."""
        membership = self._rooms.get(namespace, {}).get(room, {}).pop(sid, None)
        if membership is None:
            return []
        self._by_server[membership.server].pop(membership, None)
        emptied = not self._rooms[namespace][room]
        if emptied:
            self._delete_room(namespace, room)
        name, to = ("delete-room", None) if emptied else ("leave-room", room)
        event = self._event(name, membership, to)
        self._forget_sid(sid)
        return [event]

    def remove_server(self, server: str) -> list[PresenceEvent]:
        """Remove all members of a server; return the events that report it."""
        memberships = tuple(self._by_server.get(server, ()))
        events = [event for each in memberships for event in self.leave(each.namespace, each.room, each.sid)]
        self._by_server.pop(server, None)
        return events

    def _delete_room(self, namespace: str, room: str) -> None:
        del self._rooms[namespace][room]
        if not self._rooms[namespace]:
            del self._rooms[namespace]

    def _forget_sid(self, sid: str) -> None:
        self._room_counts[sid] -= 1
        if not self._room_counts[sid]:
            del self._room_counts[sid], self._nicks[sid]

    def _event(self, name: str, membership: Membership, to: str | None) -> PresenceEvent:
        payload = {
            "room": membership.room,
            "sid": membership.sid,
            "nick": self._nicks.get(membership.sid),
            "members": self.size(membership.namespace, membership.room),
        }
        return PresenceEvent(name, membership.namespace, to, payload)
