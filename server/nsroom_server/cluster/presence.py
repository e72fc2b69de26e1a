"""Presence across servers."""

import asyncio
import json

from nsroom_server.chat.presence import Presence
from nsroom_server.cluster.entries import Entry, Op
from nsroom_server.cluster.members import Members
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.engineio import ids
from nsroom_server.errors import Refusal
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.server import Server


class SharedPresence(Presence):
    """Rooms with the members of all servers; a change takes effect when its entry is read from the bus."""

    def __init__(self, server: Server, publisher: Publisher, members: Members, nicks: dict[str, str]) -> None:
        super().__init__(server, members)
        self._publisher = publisher
        self._all_members = members
        self._nicks = nicks

    def is_sid(self, namespace: str, name: str) -> bool:  # noqa: ARG002
        """Return whether a name is a socket's own room, on any server."""
        return ids.is_sid(name)

    def nick_of(self, sid: str) -> str | None:
        """Return the nick of a room's member."""
        return self._all_members.nick(sid)

    async def rename(self, client: Client, nick: str) -> None:
        """Set a client's nick, in all its rooms.

        Raises: Refusal.
        """
        before = self._nicks.get(client.sid)
        await super().rename(client, nick)
        joins = [self._publisher.submit(self._entry(Op.JOIN, client, room)) for room in self.rooms(client)]
        try:
            await asyncio.gather(*joins)
        except Refusal:
            self._restore_nick(client, nick, before)
            raise

    def _restore_nick(self, client: Client, nick: str, before: str | None) -> None:
        # A client that has disconnected since then must not get a nick again.
        if self._nicks.get(client.sid) == nick:
            del self._nicks[client.sid]
            if before is not None:
                self._nicks[client.sid] = before

    async def enter(self, client: Client, room: str) -> None:
        """Put a client into a room.

        Raises: Refusal.
        """
        if room not in self.rooms(client):
            await self._publisher.submit(self._entry(Op.JOIN, client, room))

    async def leave(self, client: Client, room: str, gone: bool = False) -> None:
        """Take a client out of a room; without waiting if it is disconnected.

        Raises: Refusal.
        """
        entry = self._entry(Op.LEAVE, client, room)
        if gone:
            self._publisher.publish(entry, persistent=True)
        else:
            await self._publisher.submit(entry)

    def _entry(self, op: Op, client: Client, room: str) -> Entry:
        data = json.dumps(self.nick(client)) if op is Op.JOIN else ""
        return Entry(op, client.namespace, room, client.sid, data)
