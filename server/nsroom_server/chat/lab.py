"""/lab: handlers to test clients with."""

import asyncio
from time import monotonic
from typing import Any, Final

from nsroom_server.chat import requests
from nsroom_server.chat.masking import mask, mask_header
from nsroom_server.errors import Code, Refusal
from nsroom_server.socketio.application import Answer, Args, Client, Handler, Later
from nsroom_server.socketio.connection import Connection
from nsroom_server.socketio.server import Server

LAB: Final = "/lab"
LONGEST_DELAY: Final = 60_000
"""Milliseconds."""
LONGEST_FLOOD: Final = 1_000_000
"""Events."""
LONGEST_ANSWER: Final = 10.0
"""Seconds to wait for the acknowledgement of `ask`."""
_CHUNK: Final = 65_536
"""Bytes to send before waiting for the client."""


class Lab:
    """The handlers of /lab."""

    def __init__(self, server: Server, octets: int) -> None:
        self._server = server
        self._octets = octets
        self._auth: dict[str, Any] = {}
        """The payload of each client's CONNECT, by sid."""

    @property
    def handlers(self) -> dict[str, Handler]:
        """The handlers by event name."""
        names = (
            "echo",
            "delay",
            "never",
            "error",
            "binary",
            "flood",
            "kick",
            "ask",
            "upgrade",
            "headers",
            "auth",
        )
        return {name: getattr(self, name) for name in names}

    async def echo(self, client: Client, args: Args) -> Answer:
        """Send the arguments back, as an event and as the acknowledgement."""
        self._emit(client, "echo", *args)
        return tuple(args)

    async def delay(self, client: Client, args: Args) -> Later:  # noqa: ARG002
        """Acknowledge after `ms` milliseconds."""
        with requests.wants("delay", '{"ms": …}'):
            milliseconds = requests.integer(args, "ms", 0, LONGEST_DELAY)
        return Later(self._acknowledge_after(milliseconds))

    async def _acknowledge_after(self, milliseconds: int) -> Answer:
        try:
            await asyncio.wait_for(self._server.draining.wait(), milliseconds / 1000)
        except TimeoutError:
            return ({"ok": True, "ms": milliseconds},)
        raise Refusal(Code.DRAINING, "the server is stopping")

    async def never(self, client: Client, args: Args) -> None:
        """Do not acknowledge."""

    async def error(self, client: Client, args: Args) -> Answer:  # noqa: ARG002
        """Refuse."""
        raise Refusal(Code.LAB_ERROR, "this is the error that was asked for")

    async def binary(self, client: Client, args: Args) -> Answer:
        """Send binary data, as an event and as the acknowledgement: the client's own, or `size` bytes."""
        own = args[0] if args and isinstance(args[0], bytes) else None
        with requests.wants("binary", 'binary data or {"size": …}'):
            size = requests.integer(args, "size", 0, self._octets, 16) if own is None else 0
        payload = own if own is not None else bytes(number % 256 for number in range(size))
        self._emit(client, "binary", payload)
        return (payload,)

    async def flood(self, client: Client, args: Args) -> Later:
        """Send many events as fast as the client takes them."""
        with requests.wants("flood", '{"count": …, "size": …}; size may be left out'):
            count = requests.integer(args, "count", 0, LONGEST_FLOOD)
            size = requests.integer(args, "size", 0, self._octets, 0)
        return Later(self._flood(client, count, "x" * size))

    async def _flood(self, client: Client, count: int, pad: str) -> Answer:
        step = max(1, min(_CHUNK // (len(pad) + 64), self._server.options.limits.queued_frames // 4))
        for start in range(0, count, step):
            for number in range(start, min(start + step, count)):
                self._emit(client, "flood", {"n": number, "pad": pad})
            connection = self._server.connection(client)
            if self._server.draining.is_set() or not (connection and await connection.session.drain()):
                raise Refusal(Code.DRAINING, "the connection is closing")
        return ({"ok": True, "count": count},)

    async def kick(self, client: Client, args: Args) -> None:  # noqa: ARG002
        """Disconnect the client from the namespace, without an acknowledgement."""
        await self._server.disconnect(client)

    async def ask(self, client: Client, args: Args) -> Later:
        """Emit an event that asks for an acknowledgement, and answer with that and the time it took."""
        request = requests.question(args)
        return Later(self._ask(client, request.event, request.args))

    async def _ask(self, client: Client, event: str, args: Args) -> Answer:
        begun = monotonic()
        try:
            async with asyncio.timeout(LONGEST_ANSWER):
                answer = await self._server.ask(client, event, *args)
        except TimeoutError:
            text = f"{event}: no acknowledgement within {LONGEST_ANSWER:g} s"
            raise Refusal(Code.NO_ACKNOWLEDGEMENT, text) from None
        return ({"ok": True, "answer": answer, "ms": round((monotonic() - begun) * 1000, 1)},)

    async def upgrade(self, client: Client, args: Args) -> Answer:  # noqa: ARG002
        """Answer with the transport of the connection, and whether it has changed to that."""
        connection = self._connection(client)
        began = connection.request.query.get("transport")
        transport = connection.session.transport
        return ({"ok": True, "transport": transport, "upgraded": transport != began},)

    async def headers(self, client: Client, args: Args) -> Answer:  # noqa: ARG002
        """Answer with the headers of the handshake, their secrets masked."""
        headers = [
            [name, mask_header(name, value)]
            for name, value in self._connection(client).request.headers.items()
        ]
        return ({"ok": True, "headers": headers},)

    async def auth(self, client: Client, args: Args) -> Answer:  # noqa: ARG002
        """Answer with the payload of the client's CONNECT, its secrets masked."""
        return ({"ok": True, "auth": mask(self._auth.get(client.sid))},)

    def connected(self, client: Client, auth: Any) -> None:
        """Remember the payload of a CONNECT."""
        self._auth[client.sid] = auth

    def disconnected(self, client: Client) -> None:
        """Forget it."""
        self._auth.pop(client.sid, None)

    def _connection(self, client: Client) -> Connection:
        connection = self._server.connection(client)
        if connection is None:
            raise Refusal(Code.DRAINING, "the connection is closing")
        return connection

    def _emit(self, client: Client, event: str, *args: Any) -> None:
        self._server.emit(event, *args, namespace=client.namespace, to=client.sid)
