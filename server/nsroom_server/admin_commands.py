"""What administrators may do to a socket, a room or a namespace: emit, join, leave and disconnect."""

from collections.abc import Iterator, Sequence
from typing import Any

from nsroom_server import policy
from nsroom_server.application import Answer, Client, Handler
from nsroom_server.endings import SERVER
from nsroom_server.policy import Code, Refusal
from nsroom_server.presence import Presence
from nsroom_server.server import Server

Args = Sequence[Any]


class Commands:
    """The events of an administrator, as the Admin UI sends them."""

    def __init__(self, server: Server, presence: Presence) -> None:
        self._server = server
        self._presence = presence
        self._longest = server.options.limits.room_name

    @property
    def handlers(self) -> dict[str, Handler]:
        """The events by name."""
        return {
            "emit": self.emit,
            "join": self.join,
            "leave": self.leave,
            "_disconnect": self.disconnect,
        }

    async def emit(self, _: Client, args: Args) -> Answer:
        """`namespace, room or sid or null, event, …`: emit an event."""
        namespace, to, event, *rest = _padded(args, 3)
        name = policy.event_name(event)
        targets = list(self._targets(namespace, to))
        await self._server.emit(name, tuple(rest), to=_text(to), namespace=_text(namespace))
        return ({"ok": True, "recipients": len(targets)},)

    async def join(self, _: Client, args: Args) -> Answer:
        """`namespace, room, room or sid or null`: put sockets into a room."""
        namespace, room, of = _padded(args, 3)
        name = policy.room_name(room, self._longest)
        for client in list(self._targets(namespace, of)):
            await self._presence.enter(client, name)
        return ({"ok": True},)

    async def leave(self, _: Client, args: Args) -> Answer:
        """`namespace, room, room or sid or null`: take sockets out of a room."""
        namespace, room, of = _padded(args, 3)
        name = policy.room_name(room, self._longest)
        for client in list(self._targets(namespace, of)):
            if name in self._presence.rooms(client):
                await self._presence.leave(client, name)
        return ({"ok": True},)

    async def disconnect(self, _: Client, args: Args) -> Answer:
        """`namespace, whether to close the connection, room or sid or null`: disconnect sockets."""
        namespace, close, of = _padded(args, 3)
        for client in list(self._targets(namespace, of)):
            session = self._server.session(client)
            if close is True and session:
                session.close(SERVER)
            else:
                await self._server.disconnect(client.sid, client.namespace)
        return ({"ok": True},)

    def _targets(self, namespace: Any, of: Any) -> Iterator[Client]:
        name = _text(namespace)
        if name is None or name not in self._server.manager.rooms:
            raise Refusal(Code.BAD_REQUEST, "there is no such namespace")
        for sid, _ in self._server.manager.get_participants(name, _text(of)):
            yield Client(name, sid)


def _padded(args: Args, count: int) -> list[Any]:
    return [*args, *[None] * (count - len(args))]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise Refusal(Code.BAD_REQUEST, "a name has to be text")
