"""Who is there: nicks, and the events that say who comes and goes.

The members themselves are in python-socketio's table; there is no second one, unless there are other servers.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Protocol

from nsroom_server.socketio.application import Client
from nsroom_server.socketio.server import Server


class Members(Protocol):
    """Who is in which room."""

    def members(self, namespace: str, *rooms: str) -> Mapping[str, Any]:
        """Give whoever is in one of the rooms, by sid."""

    def size(self, namespace: str, room: str) -> int:
        """Count a room's members."""

    def room_names(self, namespace: str) -> list[str]:
        """Give the rooms that have members."""


class Presence:
    """Rooms as their members see them."""

    def __init__(self, server: Server, members: Members | None = None) -> None:
        self._server = server
        self._members = members or server.manager
        self._listed = server.options.limits.listed
        self._nicks: dict[str, str] = {}

    def nick(self, client: Client) -> str | None:
        """Give a client's nick, if it has told one."""
        return self._nicks.get(client.sid)

    def nick_of(self, sid: str) -> str | None:
        """Give the nick of a room's member."""
        return self._nicks.get(sid)

    async def rename(self, client: Client, nick: str) -> None:
        """Set a client's nick."""
        self._nicks[client.sid] = nick

    def rooms(self, client: Client) -> list[str]:
        """Give the rooms that a client has joined."""
        return self._server.manager.get_rooms(client.sid, client.namespace)

    def is_sid(self, namespace: str, name: str) -> bool:
        """Tell whether a name is a socket's own room."""
        return bool(self._server.manager.is_sid_room(namespace, name))

    def describe(self, namespace: str, room: str) -> dict[str, Any]:
        """Give a room's name, how many are in it, and the first of them."""
        sids = self._members.members(namespace, room)
        listed = [{"sid": sid, "nick": self.nick_of(sid)} for sid in islice(sids, self._listed)]
        return {"room": room, "count": len(sids), "members": listed}

    def overview(self, namespace: str) -> list[dict[str, Any]]:
        """Describe a namespace's rooms, as many as fit into one answer."""
        described: list[dict[str, Any]] = []
        left = self._listed
        for room in self._members.room_names(namespace)[: self._listed]:
            described.append(self.describe(namespace, room))
            described[-1]["members"] = described[-1]["members"][:left]
            left -= len(described[-1]["members"])
        return described

    async def enter(self, client: Client, room: str) -> None:
        """Put a client into a room and say so; nothing happens when it is there."""
        if room in self.rooms(client):
            return
        created = not self._members.size(client.namespace, room)
        await self._server.enter_room(client.sid, room, client.namespace)
        if created:
            await self._say("create-room", client, room, to=None)
        await self._say("join-room", client, room, to=room)

    async def leave(self, client: Client, room: str, gone: bool = False) -> None:
        """Take a client out of a room and say so; one that is gone is not told itself."""
        await self._server.leave_room(client.sid, room, client.namespace)
        if self._members.size(client.namespace, room):
            await self._say("leave-room", client, room, to=room)
        else:
            await self._say("delete-room", client, room, to=None, skip=client.sid if gone else None)

    async def forget(self, client: Client) -> None:
        """Take a client out of all rooms."""
        for room in self.rooms(client):
            await self.leave(client, room, gone=True)
        self._nicks.pop(client.sid, None)

    async def _say(
        self, event: str, client: Client, room: str, to: str | None, skip: str | None = None
    ) -> None:
        payload = {
            "room": room,
            "sid": client.sid,
            "nick": self.nick(client),
            "members": self._members.size(client.namespace, room),
        }
        await self._server.emit(event, payload, to=to, skip_sid=skip, namespace=client.namespace)
