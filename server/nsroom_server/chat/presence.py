"""Presence: nicks, and the events that report who enters and leaves a room.

The members themselves are in the server's `Rooms`, or in the cluster's table if there are other servers.
"""

from collections.abc import Collection, KeysView, Mapping
from itertools import islice
from typing import Any, Protocol

from nsroom_server.socketio.application import Client
from nsroom_server.socketio.server import Server


class Members(Protocol):
    """Who is in which room."""

    def members(self, namespace: str, *rooms: str) -> Mapping[str, Any]:
        """Return the members of the rooms, by sid."""

    def size(self, namespace: str, room: str) -> int:
        """Return the number of members of a room."""

    def names(self, namespace: str) -> list[str]:
        """Return the rooms that have members."""


class Presence:
    """Rooms as their members see them."""

    def __init__(self, server: Server, members: Members | None = None) -> None:
        self._server = server
        self._members = members or server.rooms
        self._listed = server.options.limits.listed
        self._nicks = server.activity.nicks

    def nick(self, client: Client) -> str | None:
        """Return a client's nick, or None if it has not set one."""
        return self._nicks.get(client.sid)

    def nick_of(self, sid: str) -> str | None:
        """Return the nick of a room's member."""
        return self._nicks.get(sid)

    async def rename(self, client: Client, nick: str) -> None:
        """Set a client's nick."""
        self._nicks[client.sid] = nick

    def rooms(self, client: Client) -> KeysView[str]:
        """Return the rooms that a client has joined."""
        return self._server.rooms.joined(client)

    def is_sid(self, namespace: str, name: str) -> bool:
        """Return whether a name is a socket's own room."""
        return self._server.rooms.is_sid(namespace, name)

    def describe(self, namespace: str, room: str) -> dict[str, Any]:
        """Return the name, the size and the first members of a room."""
        sids = self._members.members(namespace, room)
        listed = [{"sid": sid, "nick": self.nick_of(sid)} for sid in islice(sids, self._listed)]
        return {"room": room, "count": len(sids), "members": listed}

    def overview(self, namespace: str) -> list[dict[str, Any]]:
        """Describe the rooms of a namespace, as many as fit into one answer."""
        described: list[dict[str, Any]] = []
        left = self._listed
        for room in self._members.names(namespace)[: self._listed]:
            described.append(self.describe(namespace, room))
            described[-1]["members"] = described[-1]["members"][:left]
            left -= len(described[-1]["members"])
        return described

    async def enter(self, client: Client, room: str) -> None:
        """Put a client into a room and report it; do nothing if it is there already."""
        if room in self.rooms(client):
            return
        created = not self._members.size(client.namespace, room)
        self._server.enter_room(client, room)
        if created:
            self._report("create-room", client, room, to=None)
        self._report("join-room", client, room, to=room)

    async def leave(self, client: Client, room: str, gone: bool = False) -> None:
        """Take a client out of a room and report it, to a client that is `gone` nothing."""
        self._server.leave_room(client, room)
        if self._members.size(client.namespace, room):
            self._report("leave-room", client, room, to=room)
        else:
            self._report("delete-room", client, room, to=None, skip=(client.sid,) if gone else ())

    async def forget(self, client: Client) -> None:
        """Take a client out of all rooms."""
        for room in list(self.rooms(client)):
            await self.leave(client, room, gone=True)
        self._nicks.pop(client.sid, None)

    def _report(
        self, event: str, client: Client, room: str, to: str | None, skip: Collection[str] = ()
    ) -> None:
        payload = {
            "room": room,
            "sid": client.sid,
            "nick": self.nick(client),
            "members": self._members.size(client.namespace, room),
        }
        self._server.emit(event, payload, namespace=client.namespace, to=to, skip=skip)
