"""Presence across servers."""

import asyncio
import json

from nsroom_server.chat.presence import Presence
from nsroom_server.cluster.entries import Entry, Op
from nsroom_server.cluster.members import Membership
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.engineio import ids
from nsroom_server.errors import Refusal
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.server import Server


class SharedPresence(Presence):
    """Rooms with the members of all servers. What changes them takes effect when the bus has it."""

    def __init__(
        self, server: Server, publisher: Publisher, membership: Membership, nicks: dict[str, str]
    ) -> None:
        super().__init__(server, membership)
        self._publisher = publisher
        self._everywhere = membership
        self._nicks = nicks

    def is_sid(self, namespace: str, name: str) -> bool:  # noqa: ARG002
        """Tell whether a name is a socket's own room, on whichever server."""
        return ids.is_sid(name)

    def nick_of(self, sid: str) -> str | None:
        """Give the nick of a room's member."""
        return self._everywhere.nick(sid)

    async def rename(self, client: Client, nick: str) -> None:
        """Set a client's nick, in all its rooms.

        Raises: Refusal.
        """
        before = self._nicks.get(client.sid)
        await super().rename(client, nick)
        told = [self._publisher.submit(self._entry(Op.JOIN, client, room)) for room in self.rooms(client)]
        try:
            await asyncio.gather(*told)
        except Refusal:
            self._restore(client, nick, before)
            raise

    def _restore(self, client: Client, nick: str, before: str | None) -> None:
        # Who has gone meanwhile has none.
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
        """Take a client out of a room; one that is gone does not wait for it.

        Raises: Refusal.
        """
        entry = self._entry(Op.LEAVE, client, room)
        if gone:
            self._publisher.publish(entry, lasting=True)
        else:
            await self._publisher.submit(entry)

    def _entry(self, op: Op, client: Client, room: str) -> Entry:
        data = json.dumps(self.nick(client)) if op is Op.JOIN else ""
        return Entry(op, client.namespace, room, client.sid, data)
