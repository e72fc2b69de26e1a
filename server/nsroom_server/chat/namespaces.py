"""What the server does on each event: thin handlers between the policy, the rooms and the history."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from nsroom_server.chat.backend import Backing, Bus
from nsroom_server.chat.handlers import Chat
from nsroom_server.chat.lab import LAB, Lab
from nsroom_server.settings.config import Config
from nsroom_server.socketio.application import Client, Handler
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")


class Namespaces:
    """All that the server offers, by namespace: the Application of the Server."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._handlers: Mapping[str, Handler] = {}
        self._lab: Mapping[str, Handler] = {}
        self.parts: dict[str, Callable[[], bool]] = {}
        """The parts that can fail while the server goes on, and whether they work."""
        self.bus: Bus | None = None
        """What connects this server to others, if there are any."""
        self.took: Callable[[float], object] = float
        """Is told the seconds until each message was durable."""

    def attach(self, server: Server, backing: Backing) -> None:
        """Begin to answer, with what is behind it."""
        self._server = server
        self.presence = backing.presence
        self.parts["history"] = lambda: not backing.deliveries.failing
        if bus := backing.bus:
            self.bus = bus
            self.parts["bus"] = lambda: bus.works
        self._handlers = Chat(backing, server.options.limits, self._config.max_payload).handlers
        self._lab = {**self._handlers, **Lab(server, self._config.max_payload).handlers}

    def refuse(self, namespace: str, auth: Any) -> Any:
        """Refuse a client without the token, and a namespace that is not there."""
        return self._config.connect_refusal(namespace, auth)

    def handler(self, namespace: str, event: Any) -> Handler | None:
        """Find who handles an event."""
        return (self._lab if namespace == LAB else self._handlers).get(event)

    async def connected(self, client: Client, auth: Any) -> None:  # noqa: ARG002
        """Log it, and greet the namespace."""
        log.info("someone connected", extra={"fields": {"namespace": client.namespace, "sid": client.sid}})
        await self._server.emit("hi", "everyone!", namespace=client.namespace)

    async def disconnected(self, client: Client) -> None:
        """Log it, and tell the rooms; nobody is told when everybody leaves."""
        log.info("someone disconnected", extra={"fields": {"namespace": client.namespace, "sid": client.sid}})
        if not self._server.draining.is_set():
            await self.presence.forget(client)
