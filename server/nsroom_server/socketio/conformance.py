"""The application that the protocol test suites expect: `serve --conformance`.

https://github.com/socketio/socket.io/tree/main/docs
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from nsroom_server.engineio.packets import Outgoing, PacketType
from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import Options, Session
from nsroom_server.settings.config import Config
from nsroom_server.socketio.application import Answer, Client, ConfiguredApplication, Handler
from nsroom_server.socketio.server import Server

PATH = "/engine.io/"
_PAUSE = 0.01


class Conformance(ConfiguredApplication):
    """Namespaces that send back what they receive."""

    def __init__(self, config: Config, server: Server) -> None:
        super().__init__(config)
        self._server = server

    def handler(self, _namespace: str, event: Any) -> Handler | None:
        """Return the handler of an event, or None."""
        return {"message": self._message, "message-with-ack": self._acknowledge}.get(event)

    async def connected(self, client: Client, auth: Any) -> None:
        """Send the client what it sent with its CONNECT, after it has had time to read the answer.

        The suites wait for one message after the other, and would miss one that arrives in the same read.
        """
        await asyncio.sleep(_PAUSE)
        self._emit(client, "auth", auth or {})

    async def _message(self, client: Client, args: Sequence[Any]) -> None:
        self._emit(client, "message-back", *args)

    async def _acknowledge(self, _client: Client, args: Sequence[Any]) -> Answer:
        return tuple(args)

    def _emit(self, client: Client, event: str, *args: Any) -> None:
        self._server.emit(event, *args, namespace=client.namespace, to=client.sid)


def echo(options: Options) -> Engine:
    """Return a bare Engine.IO server that sends every message back."""
    engine = Engine(options)

    async def message(session: Session, data: str | bytes) -> None:
        session.send(Outgoing(PacketType.MESSAGE, data))

    engine.on("message", message)
    return engine
