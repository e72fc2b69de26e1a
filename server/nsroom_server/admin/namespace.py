"""The admin namespace: what happens on the server, for the official Socket.IO Admin UI and its like.

The words are those of `@socket.io/admin-ui` 0.5: https://github.com/socketio/socket.io-admin-ui.
"""

import asyncio
import hmac
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from nsroom_server.admin.commands import Commands
from nsroom_server.admin.descriptions import Statistics, describe, now
from nsroom_server.chat.backend import Others
from nsroom_server.settings.config import Administrator
from nsroom_server.socketio.application import Application, Client, Handler
from nsroom_server.socketio.packet import Packet
from nsroom_server.socketio.server import Server

NAMESPACE = "/admin"
_SESSIONS = 1000
"""Logins that are remembered."""
_EVERY = 2.0
"""Seconds between two statistics."""
_REFUSAL = {"message": "invalid credentials"}
_EVENT = 2


class Admin:
    """An Application that has the admin namespace beside another one's, and the Watcher of its server."""

    def __init__(self, inner: Application, administrator: Administrator) -> None:
        self._inner = inner
        self._administrator = administrator
        self._sessions: deque[str] = deque(maxlen=_SESSIONS)
        self._commands: Mapping[str, Handler] = {}

    def attach(self, server: Server, commands: Commands, others: Others) -> None:
        """Begin to watch; the namespaces have to be attached before."""
        self._server = server
        self._everybody, self._others = commands, others
        self._statistics = Statistics(server)
        if self._administrator.write:
            self._commands = commands.handlers
        server.watcher = self
        server.eio.on("upgrade", self._upgraded)
        server.start_background_task(self._tell_statistics)

    # The application

    def refuse(self, namespace: str, auth: Any) -> Any:
        """Refuse whoever is no administrator."""
        if namespace != NAMESPACE:
            return self._inner.refuse(namespace, auth)
        fields = auth if isinstance(auth, Mapping) else {}
        return None if self._has_session(fields) or self._is_administrator(fields) else _REFUSAL

    def _has_session(self, auth: Mapping[str, Any]) -> bool:
        return any(_same(auth.get("sessionId"), each) for each in self._sessions)

    def _is_administrator(self, auth: Mapping[str, Any]) -> bool:
        user, password = self._administrator.user, self._administrator.password
        # Both are compared, whatever comes of the first: the time tells nothing.
        return _same(auth.get("username"), user) & _same(auth.get("password"), password)

    def handler(self, namespace: str, event: Any) -> Handler | None:
        """Find who handles an event."""
        return self._inner.handler(namespace, event) if namespace != NAMESPACE else self._commands.get(event)

    async def connected(self, client: Client, auth: Any) -> None:
        """Tell an administrator what there is."""
        if client.namespace != NAMESPACE:
            await self._inner.connected(client, auth)
            return
        if not self._has_session(auth):
            self._sessions.append(secrets.token_hex(16))
            self._show("session", self._sessions[-1], to=client.sid)
        self._show("config", {"supportedFeatures": self._features()}, to=client.sid)
        self._show("server_stats", self._statistics.now(), to=client.sid)
        # Those who come and go meanwhile are told of.
        self._others.watch()
        self._show("all_sockets", await self._everybody.sockets(), to=client.sid)

    async def disconnected(self, client: Client) -> None:
        """Pass it on."""
        if client.namespace != NAMESPACE:
            await self._inner.disconnected(client)

    def _features(self) -> list[str]:
        acting = ["EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"]
        return [*(acting if self._administrator.write else ()), "ALL_EVENTS", "AGGREGATED_EVENTS"]

    # The watcher

    @property
    def awake(self) -> bool:
        """Whether an administrator is there, on this server or on another one."""
        return self._has_own or self._others.watching

    @property
    def _has_own(self) -> bool:
        return NAMESPACE in self._server.manager.rooms

    def connected_to(self, client: Client) -> None:
        """Tell of a new client."""
        self._tell("socket_connected", describe(self._server, client), now())

    def disconnected_from(self, client: Client, reason: str) -> None:
        """Tell of one that has gone."""
        self._tell("socket_disconnected", client.namespace, client.sid, reason, now())

    def joined(self, namespace: str, room: str, sid: str) -> None:
        """Tell who has come into a room."""
        self._tell("room_joined", namespace, room, sid, now())

    def left(self, namespace: str, room: str, sid: str) -> None:
        """Tell who has left a room."""
        self._tell("room_left", namespace, room, sid, now())

    def received(self, client: Client, arguments: Sequence[Any]) -> None:
        """Tell of a client's event; not of what administrators do here."""
        if client.namespace != NAMESPACE and self._has_own:
            self._show("event_received", client.namespace, client.sid, arguments, now())

    def sent(self, namespace: str, sid: str, arguments: Sequence[Any]) -> None:
        """Tell of an event that a client is sent; not of those that tell of it."""
        if namespace != NAMESPACE and self._has_own:
            self._show("event_sent", namespace, sid, arguments, now())

    async def _upgraded(self, eio_sid: str) -> None:
        manager = self._server.manager
        sids = [(name, manager.sid_from_eio_sid(eio_sid, name)) for name in manager.rooms]
        for namespace, sid in sids:
            if sid is not None and self.awake:
                self._tell("socket_updated", {"id": sid, "nsp": namespace, "transport": "websocket"})

    async def _tell_statistics(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            told = self._statistics.now()
            if self._has_own:
                self._others.watch()
            if self.awake:
                self._tell("server_stats", told)

    def _tell(self, event: str, *args: Any) -> None:
        """Send an event to all administrators, on whichever server."""
        packet = self._show(event, *args)
        if self._others.watching and self._server.manager.elsewhere:
            self._server.manager.elsewhere(packet, None, [])

    def _show(self, event: str, *args: Any, to: str | None = None) -> Packet:
        """Send an event to one administrator of this server or to all, without telling of it."""
        packet = Packet(_EVENT, [event, *args], NAMESPACE)
        packets = packet.outgoing()
        for _, eio_sid in self._server.manager.get_participants(NAMESPACE, to):
            self._server.eio.send(eio_sid, *packets)
        return packet


def _same(given: Any, known: str) -> bool:
    text = given if isinstance(given, str) else ""
    return hmac.compare_digest(text.encode("utf-8", "surrogatepass"), known.encode("utf-8", "surrogatepass"))
