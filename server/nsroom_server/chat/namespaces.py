"""The chat namespaces: connect, handlers, disconnect."""

from typing import Any

from nsroom_server.chat.backend import Backend
from nsroom_server.chat.handlers import Chat
from nsroom_server.chat.lab import LAB, Lab
from nsroom_server.settings.config import Config
from nsroom_server.socketio.application import Client, ConfiguredApplication, Handler
from nsroom_server.socketio.server import Server


class Namespaces(ConfiguredApplication):
    """The chat in every namespace, and the handlers of /lab."""

    def __init__(self, config: Config, server: Server, backend: Backend) -> None:
        super().__init__(config)
        self._server = server
        self._presence = backend.presence
        self._peers = backend.peers
        chat = Chat(
            history=backend.history,
            presence=backend.presence,
            deliveries=backend.deliveries,
            activity=server.activity,
            limits=server.options.limits,
            octets=config.max_payload,
        )
        self._handlers = chat.handlers
        self._lab = Lab(server, config.max_payload)
        self._lab_handlers = {**self._handlers, **self._lab.handlers}

    def is_recoverable(self, namespace: str) -> bool:  # noqa: ARG002
        """Return whether clients whose connection is lost can be recovered."""
        return True

    def handler(self, namespace: str, event: Any) -> Handler | None:
        """Return the handler of an event, or None."""
        return (self._lab_handlers if namespace == LAB else self._handlers).get(event)

    async def connected(self, client: Client, auth: Any) -> None:
        """Greet the namespace of a new client, on all servers."""
        if client.namespace == LAB:
            self._lab.connected(client, auth)
        for servers in (self._server, self._peers) if self._config.greeting else ():
            servers.emit("hi", "everyone!", namespace=client.namespace)

    async def disconnected(self, client: Client) -> None:
        """Report to the rooms of a client that it disconnected, unless the server stops."""
        self._lab.disconnected(client)
        if not self._server.draining.is_set():
            await self._presence.forget(client)
