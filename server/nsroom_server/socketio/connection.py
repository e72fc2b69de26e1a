"""What a client does on its Engine.IO session, in all its namespaces."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from nsroom_server.engineio.session import Session
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.packet import Json, Packet


@dataclass(slots=True)
class Connection:
    """An Engine.IO session, and what the client does on it."""

    session: Session
    request: web.Request
    """The handshake."""
    absent: asyncio.TimerHandle
    """Closes the session if the client does not connect to a namespace."""
    slots: asyncio.Semaphore
    """Bounds the answers that are pending."""
    namespaces: dict[str, str] = field(default_factory=dict)
    """The namespaces it is connected to, and the client's sid in each."""
    asked: dict[tuple[str, int], "asyncio.Future[list[Json]]"] = field(default_factory=dict)
    """The acknowledgements that the client is asked for, by namespace and id."""
    partial: Packet | None = None
    """A packet whose attachments are not complete."""

    @property
    def clients(self) -> list[Client]:
        """The connection as each of its namespaces knows it."""
        return [Client(namespace, sid) for namespace, sid in self.namespaces.items()]
