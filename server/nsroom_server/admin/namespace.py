"""The /admin namespace, for the Socket.IO Admin UI and for `nsroom --via admin`.

The events are those of `@socket.io/admin-ui` 0.5: https://github.com/socketio/socket.io-admin-ui.
"""

import asyncio
import hmac
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from nsroom_server.admin.commands import Commands
from nsroom_server.admin.descriptions import Statistics, describe, now
from nsroom_server.chat.backend import Peers
from nsroom_server.settings.access import INVALID_CREDENTIALS
from nsroom_server.settings.config import Administrator
from nsroom_server.socketio.application import Application, Client, Handler
from nsroom_server.socketio.packet import Packet, PacketType
from nsroom_server.socketio.server import Server

NAMESPACE = "/admin"
_SESSIONS = 1000
"""The number of logins that are remembered."""
_EVERY = 2.0
"""Seconds between two statistics."""
_REFUSAL = {"message": INVALID_CREDENTIALS}


class Admin(Application):
    """An application that adds the admin namespace to another one, and the server's Watcher."""

    def __init__(
        self,
        inner: Application,
        administrator: Administrator,
        server: Server,
        commands: Commands,
        peers: Peers,
    ) -> None:
        self._inner = inner
        self._administrator = administrator
        self._server = server
        self._commands = commands
        self._handlers: Mapping[str, Handler] = commands.handlers if administrator.write else {}
        self._peers = peers
        self._statistics = Statistics(server)
        self._sessions: deque[str] = deque(maxlen=_SESSIONS)

    async def run(self) -> None:
        """Send statistics until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            statistics = self._statistics.now()
            if self._has_own:
                self._peers.watch()
            if self.awake:
                self._report("server_stats", statistics)

    # The application

    def refuse(self, namespace: str, auth: Any) -> Any:
        """Refuse everyone who is not an administrator."""
        if namespace != NAMESPACE:
            return self._inner.refuse(namespace, auth)
        fields = auth if isinstance(auth, Mapping) else {}
        return None if self._has_session(fields) or self._is_administrator(fields) else _REFUSAL

    def secret(self, namespace: str) -> str | None:
        """Return what is needed: a password here, perhaps a token elsewhere."""
        return "password" if namespace == NAMESPACE else self._inner.secret(namespace)

    def _has_session(self, auth: Mapping[str, Any]) -> bool:
        return any(_same(auth.get("sessionId"), each) for each in self._sessions)

    def _is_administrator(self, auth: Mapping[str, Any]) -> bool:
        user, password = self._administrator.user, self._administrator.password
        # Both are always compared: the time taken must not depend on which one is wrong.
        return _same(auth.get("username"), user) & _same(auth.get("password"), password)

    def is_recoverable(self, namespace: str) -> bool:
        """Return whether clients whose connection is lost can be recovered: not administrators."""
        return namespace != NAMESPACE and self._inner.is_recoverable(namespace)

    def handler(self, namespace: str, event: Any) -> Handler | None:
        """Return the handler of an event, or None."""
        return self._inner.handler(namespace, event) if namespace != NAMESPACE else self._handlers.get(event)

    async def connected(self, client: Client, auth: Any) -> None:
        """Describe the server to a new administrator."""
        if client.namespace != NAMESPACE:
            await self._inner.connected(client, auth)
            return
        if not self._has_session(auth):
            self._sessions.append(secrets.token_hex(16))
            self._show("session", self._sessions[-1], to=client.sid)
        self._show("config", {"supportedFeatures": self._features()}, to=client.sid)
        self._show("server_stats", self._statistics.now(), to=client.sid)
        # Before the other servers are asked: sockets that come and go during that are reported.
        self._peers.watch()
        # Describing 100,000 sockets takes two seconds: what was sent so far must leave before that.
        await asyncio.sleep(0)
        self._show("all_sockets", await self._commands.sockets(), to=client.sid)

    async def disconnected(self, client: Client) -> None:
        """Notify the inner application."""
        if client.namespace != NAMESPACE:
            await self._inner.disconnected(client)

    def _features(self) -> list[str]:
        acting = ["EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"]
        return [*(acting if self._administrator.write else ()), "ALL_EVENTS", "AGGREGATED_EVENTS"]

    # The watcher

    @property
    def awake(self) -> bool:
        """Whether an administrator is connected, to this server or to another one."""
        return self._has_own or self._peers.watching

    @property
    def _has_own(self) -> bool:
        return NAMESPACE in self._server.rooms.namespaces

    def connected_to(self, client: Client) -> None:
        """Report a new client."""
        self._report("socket_connected", describe(self._server, client), now())

    def disconnected_from(self, client: Client, reason: str) -> None:
        """Report a client that disconnected."""
        self._report("socket_disconnected", client.namespace, client.sid, reason, now())

    def upgraded(self, client: Client) -> None:
        """Report a client whose connection has changed to a WebSocket."""
        update = {"id": client.sid, "nsp": client.namespace, "transport": "websocket"}
        self._report("socket_updated", update)

    def joined(self, client: Client, room: str) -> None:
        """Report a client that has entered a room."""
        self._report("room_joined", client.namespace, room, client.sid, now())

    def left(self, client: Client, room: str) -> None:
        """Report a client that has left a room."""
        self._report("room_left", client.namespace, room, client.sid, now())

    def received(self, client: Client, arguments: Sequence[Any]) -> None:
        """Show this server's administrators an event of a client, except their own."""
        if client.namespace != NAMESPACE and self._has_own:
            self._show("event_received", client.namespace, client.sid, arguments, now())

    def sent(self, client: Client, arguments: Sequence[Any]) -> None:
        """Show this server's administrators an event that a client is sent, except their own."""
        if client.namespace != NAMESPACE and self._has_own:
            self._show("event_sent", client.namespace, client.sid, arguments, now())

    def _report(self, event: str, *args: Any) -> None:
        """Send an event to the administrators on all servers."""
        self._show(event, *args)
        if self._peers.watching:
            self._peers.emit(event, *args, namespace=NAMESPACE)

    def _show(self, event: str, *args: Any, to: str | None = None) -> None:
        """Send an event to one administrator of this server or to all; it is neither counted nor watched."""
        packets = Packet(PacketType.EVENT, [event, *args], NAMESPACE).outgoing()
        self._server.rooms.broadcast(packets, NAMESPACE, to)


def _same(given: Any, known: str) -> bool:
    text = given if isinstance(given, str) else ""
    return hmac.compare_digest(text.encode("utf-8", "surrogatepass"), known.encode("utf-8", "surrogatepass"))
