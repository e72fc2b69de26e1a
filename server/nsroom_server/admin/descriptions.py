"""Describe sockets and the server for the Admin UI."""

import os
import secrets
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

from aiohttp import web

from nsroom_server.socketio.application import Client
from nsroom_server.socketio.server import Server
from nsroom_server.strict_json import gc_paused

_CLIENT_ID = 12
"""Characters of an Engine.IO sid to show: the whole sid is a secret that lets one act as the client."""
_HEADERS = ("user-agent", "origin", "host", "accept-language")
"""Headers without secrets."""


def now() -> str:
    """Return the time as JavaScript formats it."""
    return _iso(time())


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def describe(server: Server, client: Client) -> dict[str, Any] | None:
    """Describe a socket, or return None if its connection is closed."""
    connection = server.connection(client)
    if connection is None or connection.session.closed:
        return None
    session = connection.session
    return {
        "id": client.sid,
        "clientId": session.sid[:_CLIENT_ID],
        "transport": session.transport,
        "nsp": client.namespace,
        "data": {},
        "handshake": _handshake(connection.request, session.opened_at),
        "rooms": [client.sid, *server.rooms.joined(client)],
    }


def portraits(server: Server) -> list[dict[str, Any]]:
    """Describe all sockets of this server."""
    rooms = server.rooms
    clients = [Client(name, sid) for name in rooms.namespaces for sid in rooms.sockets(name)]
    with gc_paused(len(clients)):
        return [described for client in clients if (described := describe(server, client))]


def _handshake(request: web.Request, at: float) -> dict[str, Any]:
    return {
        "address": request.remote or "",
        "headers": {name: request.headers[name] for name in _HEADERS if name in request.headers},
        "query": {name: request.query[name] for name in ("EIO", "transport") if name in request.query},
        "issued": round(at * 1000),
        "time": _iso(at),
        "secure": request.secure,
        "url": request.path,
        "xdomain": "Origin" in request.headers,
    }


class Statistics:
    """The server in numbers."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._begun = monotonic()
        self._id = secrets.token_hex(4)
        self._before = self._totals()

    def now(self) -> dict[str, Any]:
        """Describe the server, and its traffic since the last call."""
        sessions = list(self._server.engine.sessions.values())
        rooms = self._server.rooms
        return {
            "serverId": self._id,
            "hostname": socket.gethostname(),
            "pid": os.getpid(),
            "uptime": monotonic() - self._begun,
            "clientsCount": len(sessions),
            "pollingClientsCount": sum(session.transport == "polling" for session in sessions),
            "aggregatedEvents": list(self._events()),
            "namespaces": [
                {"name": name, "socketsCount": len(rooms.sockets(name))} for name in rooms.namespaces
            ],
        }

    def _events(self) -> Iterator[dict[str, Any]]:
        before, self._before = self._before, self._totals()
        at = round(time() * 1000)
        for kind, total in self._before.items():
            if total > before[kind]:
                yield {"timestamp": at, "type": kind, "count": total - before[kind]}

    def _totals(self) -> dict[str, int]:
        engine = self._server.engine
        ended = sum(engine.close_reasons.values())
        return {
            "rawConnection": ended + len(engine.sessions),
            "rawDisconnection": ended,
            "packetsIn": engine.traffic.events_in,
            "packetsOut": engine.traffic.events_out,
            "bytesIn": engine.traffic.bytes_in,
            "bytesOut": engine.traffic.bytes_out,
        }
