"""The log of what clients do: who connects, joins, sends and is refused; with --verbose, every event."""

import logging
import re
from collections.abc import Sequence

from nsroom_server.engineio.packets import Outgoing
from nsroom_server.engineio.session import Session
from nsroom_server.errors import Code
from nsroom_server.logs import RateLimitedLines, shorten
from nsroom_server.settings import cures
from nsroom_server.socketio.application import Client, Json
from nsroom_server.socketio.packet import Packet
from nsroom_server.socketio.rooms import Room

log = logging.getLogger("nsroom_server")

_NAME = 32
"""Bytes of a name that a client has chosen."""
_HEAD = 256
_EVENT = re.compile(r'4(?:2|5\d+-)(?:/[^,]*,)?\["([^"]*)').match
"""Matches an event's frame up to its name."""


class Activity:
    """Logs what clients do; a flood of messages does not hide who comes and goes."""

    def __init__(self) -> None:
        self.nicks: dict[str, str] = {}
        """What clients call themselves, by sid."""
        self._clients = RateLimitedLines(log, "clients")
        self._traffic = RateLimitedLines(log, "events")

    def connected(self, client: Client, session: Session, recovered: bool) -> None:
        """Log a new client, or one that is recovered."""
        if self._clients.admits():
            fields = {
                "namespace": shorten(client.namespace, _NAME),
                "sid": client.sid,
                "address": session.address,
                "transport": session.transport,
                **({"recovered": True} if recovered else {}),
            }
            self._clients.write("someone connected", fields)

    def disconnected(self, client: Client, reason: str, recoverable: bool = False) -> None:
        """Log a client that is disconnected."""
        if self._clients.admits():
            more = {"recoverable": True} if recoverable else {}
            self._clients.write("disconnected", {**self._of(client), "reason": reason, **more})

    def expired(self, client: Client) -> None:
        """Log a client that can no longer be recovered."""
        if self._clients.admits():
            self._clients.write("not recovered", self._of(client))

    def upgraded(self, client: Client) -> None:
        """Log a client whose connection has changed to a WebSocket."""
        if self._clients.admits(logging.DEBUG):
            self._clients.write("upgraded", {**self._of(client), "transport": "websocket"}, logging.DEBUG)

    def joined(self, client: Client, room: str) -> None:
        """Log a client that has entered a room."""
        if self._clients.admits():
            self._clients.write("joined", {**self._of(client), "room": shorten(room, _NAME)})

    def left(self, client: Client, room: str) -> None:
        """Log a client that has left a room."""
        if self._clients.admits():
            self._clients.write("left", {**self._of(client), "room": shorten(room, _NAME)})

    def refused(self, client: Client, event: Json, code: Code) -> None:
        """Log an event that is refused, with the option that lets it in if there is one."""
        if self._clients.admits():
            fields = {"event": shorten(event, _NAME), "error": str(code), "option": cures.option(code)}
            self._clients.write("refused", {**self._of(client), **fields})

    def message(self, client: Client, room: str | None, text: str) -> None:
        """Log the size of a message."""
        if self._traffic.admits():
            where = {} if room is None else {"room": shorten(room, _NAME)}
            self._traffic.write("message", {**self._of(client), **where, "bytes": len(text.encode())})

    def received(self, client: Client, packet: Packet) -> None:
        """Log any event, if every one is asked for."""
        if log.isEnabledFor(logging.DEBUG) and self._traffic.admits(logging.DEBUG):
            fields = {"event": shorten(packet.arguments[0], _NAME), "bytes": packet.octets, "id": packet.id}
            self._traffic.write("received", {**self._of(client), **fields}, logging.DEBUG)

    def sent(self, packets: Sequence[Outgoing], namespace: str, to: Room, recipients: int) -> None:
        """Log an event to clients, if every one is asked for."""
        if log.isEnabledFor(logging.DEBUG) and self._traffic.admits(logging.DEBUG):
            found = _EVENT(packets[0].text[:_HEAD])
            fields = {
                "namespace": shorten(namespace, _NAME),
                "event": shorten(found[1], _NAME) if found else None,
                "to": None if to is None else shorten(to if isinstance(to, str) else ",".join(to), _NAME),
                "bytes": sum(packet.size for packet in packets),
                "recipients": recipients,
            }
            self._traffic.write("sent", fields, logging.DEBUG)

    def _of(self, client: Client) -> dict[str, str | None]:
        nick = self.nicks.get(client.sid)
        return {
            "namespace": shorten(client.namespace, _NAME),
            "sid": client.sid,
            "nick": None if nick is None else shorten(nick, _NAME),
        }
