"""The server that the protocols' own test suites expect: `serve --conformance`.

https://github.com/socketio/socket.io/tree/main/docs
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from nsroom_server.engineio.packets import Kind, Outgoing
from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import Options
from nsroom_server.settings.config import Config
from nsroom_server.socketio.application import Answer, Client, Handler
from nsroom_server.socketio.server import Server

PATH = "/engine.io/"
_PAUSE = 0.01


class Conformance:
    """Namespaces that send back what they get: an Application."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def attach(self, server: Server) -> None:
        """Begin to answer."""
        self._server = server

    def refuse(self, namespace: str, auth: Any) -> Any:
        """Refuse a client without the token, and a namespace that is not there."""
        return self._config.connect_refusal(namespace, auth)

    def handler(self, _namespace: str, event: Any) -> Handler | None:
        """Find who handles an event."""
        return {"message": self._message, "message-with-ack": self._acknowledge}.get(event)

    async def connected(self, client: Client, auth: Any) -> None:
        """Show the client what it sent with its CONNECT, in time for it to have read the answer.

        The suites listen for one message after the other, and would miss one that comes in the same read.
        """
        await asyncio.sleep(_PAUSE)
        await self._send(client, "auth", auth or {})

    async def disconnected(self, client: Client) -> None:
        """Do nothing."""

    async def _message(self, client: Client, args: Sequence[Any]) -> None:
        await self._send(client, "message-back", *args)

    async def _acknowledge(self, _client: Client, args: Sequence[Any]) -> Answer:
        return tuple(args)

    async def _send(self, client: Client, event: str, *args: Any) -> None:
        await self._server.emit(event, args, to=client.sid, namespace=client.namespace)


def echo(options: Options) -> Engine:
    """Make a bare Engine.IO server that sends every message back."""
    engine = Engine(options)

    async def message(sid: str, data: str | bytes) -> None:
        engine.send(sid, Outgoing(Kind.MESSAGE, data))

    engine.on("message", message)
    return engine
