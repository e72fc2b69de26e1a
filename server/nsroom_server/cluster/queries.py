"""Ask all servers a question and collect the answers."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from nsroom_server.chat.backend import QueryHandler
from nsroom_server.cluster.delivery import decode_packet, encode_packet, event_entry
from nsroom_server.cluster.entries import Entry, Op, ReceivedEntry
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.errors import Refusal
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.socketio.application import Json
from nsroom_server.socketio.packet import Packet, PacketType
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

_TIMEOUT = 1.0
"""Seconds to wait for all replies: a server that has just died does not reply."""
_CLIENTS = "clients"
_WATCH = 5.0
"""Seconds for which an administrator's server is sent events, after it has asked for them."""


@dataclass(slots=True)
class _Query:
    """A query under way, with the replies so far."""

    parts: list[Json] = field(default_factory=list)
    replies: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Queries:
    """Queries to the other servers, and their events, for the admin namespace: implements `Peers`."""

    def __init__(self, server: Server, publisher: Publisher) -> None:
        self._server = server
        self._publisher = publisher
        self._handlers: dict[str, QueryHandler] = {_CLIENTS: self._count_own}
        self._queries: dict[str, _Query] = {}
        self._numbers = map(str, count(1))
        self._watched_until = 0.0
        self._warn = RateLimitedWarnings(log)

    @property
    def watching(self) -> bool:
        """Whether an administrator is connected to another server."""
        return asyncio.get_running_loop().time() < self._watched_until

    def watch(self) -> None:
        """Ask the other servers to send their events to the administrators, for some seconds."""
        self._publisher.publish(Entry(Op.WATCH, ""))

    def emit(self, event: str, *args: Json, namespace: str) -> None:
        """Send an event to the other servers' clients in a namespace."""
        parts = Packet(PacketType.EVENT, [event, *args], namespace).encode()
        self._publisher.publish(event_entry(namespace, parts))

    def register_handlers(self, handlers: Mapping[str, QueryHandler]) -> None:
        """Register the handlers of the other servers' queries."""
        self._handlers |= handlers

    async def count_clients(self, namespace: str) -> int:
        """Return the number of a namespace's clients on the other servers that answer in time.

        Raises: Refusal.
        """
        return sum(part for part in await self.query(_CLIENTS, [namespace]) if isinstance(part, int))

    async def _count_own(self, args: Sequence[Json]) -> list[Json]:
        return [len(self._server.rooms.sockets(str(args[0])))]

    async def query(self, name: str, args: Sequence[Json]) -> list[Json]:
        """Return the parts of all replies that arrive in time.

        Raises: Refusal.
        """
        number = next(self._numbers)
        query = self._queries[number] = _Query()
        packet = encode_packet(Packet(PacketType.EVENT, [name, *args]).encode())
        data = json.dumps(packet, separators=(",", ":"))
        try:
            await self._publisher.submit(Entry(Op.QUERY, "", sid=number, data=data))
            with suppress(TimeoutError):
                async with asyncio.timeout(_TIMEOUT):
                    await self._all_replies(query)
        finally:
            del self._queries[number]
        return query.parts

    async def _all_replies(self, query: _Query) -> None:
        while query.replies < self._publisher.figures.servers - 1:
            query.changed.clear()
            await query.changed.wait()

    def handle_watch(self) -> None:
        """Handle a WATCH of another server."""
        self._watched_until = asyncio.get_running_loop().time() + _WATCH

    def handle_query(self, received: ReceivedEntry) -> None:
        """Reply to another server's query, in a task: the next entries do not wait for it."""
        self._server.engine.create_task(self._reply(received))

    async def _reply(self, received: ReceivedEntry) -> None:
        parts = await self._run_handler(received)
        for left, part in zip(range(len(parts) - 1, -1, -1), parts, strict=True):
            data = json.dumps({"part": part, "left": left}, separators=(",", ":"))
            self._publisher.publish(Entry(Op.REPLY, "", received.origin, received.entry.sid, data))
            # There can be many parts, and other tasks need their turn.
            await asyncio.sleep(0)

    async def _run_handler(self, received: ReceivedEntry) -> list[Json]:
        try:
            fields = json.loads(received.entry.data)
            name, *args = decode_packet(fields, self._server.options.limits).arguments
            handler = self._handlers[name]
        except Exception as error:  # noqa: BLE001 - whatever a forged entry holds
            self._warn("refused a query from another server", cause=type(error).__name__)
            return [None]
        try:
            return await handler(args)
        except Refusal as refusal:
            self._warn("refused a query from another server", cause=str(refusal.code))
        except Exception:
            log.exception("a query from another server failed")
        return [None]

    def handle_reply(self, received: ReceivedEntry) -> None:
        """Add a part of a reply to its query, if that is one of this server's and still waits."""
        own = received.entry.room == self._publisher.origin
        query = self._queries.get(received.entry.sid) if own else None
        if query is None:
            return
        reply = json.loads(received.entry.data)
        query.parts.append(reply["part"])
        query.replies += not reply["left"]
        query.changed.set()
