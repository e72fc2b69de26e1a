"""Commands of the Admin UI: join, leave, emit, disconnect."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from nsroom_server.admin.descriptions import portraits
from nsroom_server.chat import policy
from nsroom_server.chat.backend import Peers, QueryHandler
from nsroom_server.chat.presence import Presence
from nsroom_server.errors import Code, Refusal
from nsroom_server.socketio.application import Answer, Args, Client, Handler
from nsroom_server.socketio.server import Server

_LISTED = 200
"""Sockets in one part of an answer to another server."""


class Commands:
    """The commands of administrators, from the Admin UI or from other servers.

    Each applies to the sockets of all servers: every server applies it to its own and answers to how many.
    """

    def __init__(self, server: Server, presence: Presence, peers: Peers) -> None:
        self._server = server
        self._presence = presence
        self._peers = peers
        self._longest = server.options.limits.room_name
        self._acts: dict[str, Callable[[Args], Awaitable[int | None]]] = {
            "emit": self._emit,
            "join": self._join,
            "leave": self._leave,
            "_disconnect": self._disconnect,
        }

    @property
    def handlers(self) -> dict[str, Handler]:
        """The handlers by event name."""
        return {name: partial(self._act, name) for name in self._acts}

    @property
    def query_handlers(self) -> Mapping[str, QueryHandler]:
        """The handlers of the other servers' queries, on behalf of their administrators."""
        acts: dict[str, QueryHandler] = {name: partial(self._count, name) for name in self._acts}
        return {**acts, "sockets": self._sockets}

    async def sockets(self) -> list[dict[str, Any]]:
        """Describe the sockets of all servers that answer."""
        own = portraits(self._server)
        try:
            parts = await self._peers.query("sockets", ())
        except Refusal:
            return own
        return [*own, *(socket for part in parts for socket in part or ())]

    async def _sockets(self, _: Args) -> list[Any]:
        own = portraits(self._server)
        return [own[at : at + _LISTED] for at in range(0, len(own), _LISTED)] or [[]]

    async def _count(self, name: str, args: Args) -> list[Any]:
        return [await self._acts[name](args)]

    async def _act(self, name: str, _: Client, args: Args) -> Answer:
        """Apply a command here, then on the other servers; the answer says if the bus does not work."""
        counts = [await self._acts[name](args), *await self._peers.query(name, args)]
        reached = [count for count in counts if count is not None]
        if not reached:
            raise Refusal(Code.BAD_REQUEST, "unknown namespace")
        return ({"ok": True, **({"recipients": sum(reached)} if name == "emit" else {})},)

    async def _emit(self, args: Args) -> int | None:
        """`namespace, room or sid or null, event, …`: emit an event."""
        namespace, to, event, *rest = _padded(args, 3)
        name = policy.event_name(event)
        targets = self._targets(namespace, to)
        if targets:
            self._server.emit(name, *rest, namespace=namespace, to=_text(to))
        return _size(targets)

    async def _join(self, args: Args) -> int | None:
        """`namespace, room, room or sid or null`: put sockets into a room."""
        namespace, room, of = _padded(args, 3)
        name = policy.room_name(room, self._longest)
        targets = self._targets(namespace, of)
        for client in targets or ():
            policy.require_shared(name, partial(self._presence.is_sid, client.namespace))
            await self._presence.enter(client, name)
        return _size(targets)

    async def _leave(self, args: Args) -> int | None:
        """`namespace, room, room or sid or null`: take sockets out of a room."""
        namespace, room, of = _padded(args, 3)
        name = policy.room_name(room, self._longest)
        targets = self._targets(namespace, of)
        for client in targets or ():
            if name in self._presence.rooms(client):
                await self._presence.leave(client, name)
        return _size(targets)

    async def _disconnect(self, args: Args) -> int | None:
        """`namespace, whether to close the connection, room or sid or null`: disconnect sockets."""
        namespace, close, of = _padded(args, 3)
        targets = self._targets(namespace, of)
        for client in targets or ():
            await self._server.disconnect(client, close=close is True)
        return _size(targets)

    def _targets(self, namespace: Any, of: Any) -> list[Client] | None:
        """Return this server's sockets, or None if it has none in the namespace."""
        name, room = _text(namespace), _text(of)
        if name is None:
            raise Refusal(Code.BAD_REQUEST, "unknown namespace")
        if name not in self._server.rooms.namespaces:
            return None
        return [Client(name, sid) for sid in self._server.rooms.recipients(name, room)]


def _size(targets: list[Client] | None) -> int | None:
    return None if targets is None else len(targets)


def _padded(args: Args, count: int) -> list[Any]:
    return [*args, *[None] * (count - len(args))]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise Refusal(Code.BAD_REQUEST, "a name must be a string")
