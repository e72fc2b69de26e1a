"""Presence, messages and events where there are other servers: what is asked for goes over the bus."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any

from redis.asyncio import Redis
from socketio.packet import EVENT

from nsroom_server import identity, strictjson
from nsroom_server.application import Answer, Client, Later
from nsroom_server.entries import Entry, Op, key
from nsroom_server.fanout import FanOut, Room
from nsroom_server.history import HistoryError
from nsroom_server.ledger import Body, bounded
from nsroom_server.limits import Limits
from nsroom_server.line import FAILURES
from nsroom_server.membership import Membership
from nsroom_server.packet import Packet
from nsroom_server.payload import Outgoing, messages
from nsroom_server.policy import Refusal
from nsroom_server.presence import Presence
from nsroom_server.publisher import Publisher
from nsroom_server.requests import Page, Relay
from nsroom_server.scripts import FLOOR, IDS, ROOM
from nsroom_server.server import Server

Parts = Sequence[str | bytes]
"""A packet's text, and its attachments."""

_UNREADABLE = "the history cannot be read: Redis does not answer"
_FIRST_READ = 16
"""Messages read at first: nobody knows how long they are."""


class SharedPresence(Presence):
    """Rooms with the members of all servers. What changes them takes effect when the bus has it."""

    def __init__(
        self, server: Server, publisher: Publisher, membership: Membership, nicks: dict[str, str]
    ) -> None:
        super().__init__(server, membership)
        self._publisher = publisher
        self._everywhere = membership
        self._nicks = nicks

    def is_sid(self, namespace: str, name: str) -> bool:  # noqa: ARG002
        """Tell whether a name is a socket's own room, on whichever server."""
        return identity.is_one(name)

    def nick_of(self, sid: str) -> str | None:
        """Give the nick of a room's member."""
        return self._everywhere.nick(sid)

    async def rename(self, client: Client, nick: str) -> None:
        """Set a client's nick, in all its rooms.

        Raises: Refusal.
        """
        before = self._nicks.get(client.sid)
        await super().rename(client, nick)
        told = [self._publisher.submit(self._entry(Op.JOIN, client, room)) for room in self.rooms(client)]
        try:
            await asyncio.gather(*told)
        except Refusal:
            self._restore(client, nick, before)
            raise

    def _restore(self, client: Client, nick: str, before: str | None) -> None:
        # Who has gone meanwhile has none.
        if self._nicks.get(client.sid) == nick:
            del self._nicks[client.sid]
            if before is not None:
                self._nicks[client.sid] = before

    async def enter(self, client: Client, room: str) -> None:
        """Put a client into a room.

        Raises: Refusal.
        """
        if room not in self.rooms(client):
            await self._publisher.submit(self._entry(Op.JOIN, client, room))

    async def leave(self, client: Client, room: str, gone: bool = False) -> None:
        """Take a client out of a room; one that is gone does not wait for it.

        Raises: Refusal.
        """
        entry = self._entry(Op.LEAVE, client, room)
        if gone:
            self._publisher.publish(entry, lasting=True)
        else:
            await self._publisher.submit(entry)

    def _entry(self, op: Op, client: Client, room: str) -> Entry:
        data = json.dumps(self.nick(client)) if op is Op.JOIN else ""
        return Entry(op, client.namespace, room, client.sid, data)


class SharedHistory:
    """What was said, numbered and kept by Redis: a History."""

    def __init__(self, redis: Redis, publisher: Publisher) -> None:
        self._redis = redis
        self._publisher = publisher

    @property
    def epoch(self) -> str:
        """Changes when Redis has lost something."""
        return self._publisher.epoch

    def append(self, namespace: str, room: str, body: Body) -> asyncio.Future[int]:
        """Number and store a message; it is delivered by then.

        Raises (from the future): Refusal.
        """
        return self._publisher.submit(Entry(Op.MESSAGE, namespace, room, data=strictjson.dumps(body)))

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:
        """Read a part of a room's messages, in larger and larger pieces."""
        rows: list[tuple[int, str]] = []
        step, size = _FIRST_READ, 0
        while len(rows) < page.limit and size < octets:
            piece = await self._piece(key(namespace, page.room), page, rows, step)
            rows += piece
            size += sum(len(body) for _, body in piece)
            if len(piece) < min(step, page.limit):
                break
            step *= 2
        bodies = list(bounded(iter(rows[: page.limit]), octets))
        return bodies[::-1] if page.after is None else bodies

    async def _piece(
        self, name: str, page: Page, rows: Sequence[tuple[int, str]], step: int
    ) -> list[tuple[int, str]]:
        count = min(step, page.limit)
        found: Any
        try:
            if page.after is None:
                last = f"({rows[-1][0]}-0" if rows else "+"
                found = await self._redis.xrevrange(ROOM + name, last, "-", count=count)
            else:
                first = rows[-1][0] if rows else page.after
                found = await self._redis.xrange(ROOM + name, f"({first}-0", "+", count=count)
        except FAILURES as error:
            raise HistoryError(_UNREADABLE) from error
        return [(int(position.partition("-")[0]), fields["body"]) for position, fields in found]

    async def last(self, namespace: str, room: str) -> int:
        """Read the id of a room's last message.

        Raises: HistoryError.
        """
        asked = self._redis.pipeline(transaction=False)
        asked.hget(IDS, key(namespace, room))
        asked.get(FLOOR)
        try:
            number, floor = await asked.execute()
        except FAILURES as error:
            raise HistoryError(_UNREADABLE) from error
        return int(number or floor or 0)

    async def close(self) -> None:
        """Do nothing: whoever opened Redis closes it."""


class SharedDeliveries:
    """Ways of messages and events into rooms: Deliveries."""

    def __init__(
        self,
        fan_out: FanOut,
        publisher: Publisher,
        membership: Membership,
        history: SharedHistory,
        took: Callable[[float], object],
    ) -> None:
        self._fan_out = fan_out
        self._publisher = publisher
        self._membership = membership
        self._history = history
        self._took = took
        fan_out.elsewhere = self._tell

    @property
    def failing(self) -> bool:
        """Whether messages cannot be stored now: the bus is away."""
        return not self._publisher.available

    def send(self, namespace: str, body: Body) -> asyncio.Future[int]:
        """Store a message and deliver it; without the bus, to this server's own clients and without an id.

        Raises (from the future): Refusal.
        """
        sent = self._history.append(namespace, body["room"], body)
        sent.add_done_callback(partial(self._finish, namespace, body, monotonic()))
        return sent

    def _finish(self, namespace: str, body: Body, begun: float, sent: asyncio.Future[int]) -> None:
        if sent.cancelled():
            return
        if not sent.exception():
            self._took(monotonic() - begun)
            return
        packet = Packet(EVENT, ["message", {"id": None, **body}], namespace)
        self._fan_out.fan_out(packet.outgoing(), namespace, body["room"], arguments=packet.data)

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event to its rooms: here at once, elsewhere over the bus; answer when that has it."""
        to, skip = list(request.to), list(request.skip)
        packet = Packet(EVENT, [request.event, *request.args], namespace)
        parts = packet.encode()
        recipients = self._membership.recipients(namespace, to, skip)
        # Redis has it before the members here: it works while they are written to.
        told = self._publisher.submit(_relayed(namespace, parts, to, skip))
        skipped = self._fan_out.members(namespace, *skip)
        self._fan_out.fan_out(messages(parts), namespace, to, skipped, packet.data)
        return Later(self._acknowledge(told, recipients))

    async def _acknowledge(self, told: asyncio.Future[int], recipients: int) -> Answer:
        await told
        return ({"ok": True, "recipients": recipients},)

    def _tell(self, packet: Packet, to: Room, skipped: list[str]) -> None:
        rooms = [to] if isinstance(to, str) else to
        self._publisher.publish(_relayed(packet.namespace, packet.encode(), rooms, skipped))


def _relayed(namespace: str, parts: Parts, to: list[str] | None, skip: list[str]) -> Entry:
    data = strictjson.dumps({"to": to, "skip": skip, **encoded(parts)})
    return Entry(Op.EVENT, namespace, data=data)


def encoded(parts: Parts) -> dict[str, Any]:
    """Make JSON of a packet's text and attachments."""
    text, *attachments = parts
    binary = [base64.b64encode(octets).decode() for octets in attachments if isinstance(octets, bytes)]
    return {"text": text, "binary": binary}


def decoded(fields: Mapping[str, Any], limits: Limits) -> Packet:
    """Make a packet of its JSON."""
    packet = Packet.parse(fields["text"], limits)
    for octets in fields["binary"]:
        packet.attach(base64.b64decode(octets))
    return packet


def numbered(entry: Entry, number: int) -> list[Outgoing]:
    """Make the packet of a message around the JSON that it came in: nobody has to read that."""
    namespace = "" if entry.namespace == "/" else f"{entry.namespace},"
    return messages((f'{EVENT}{namespace}["message",{{"id":{number},{entry.data[1:]}]',))


def deliver(fan_out: FanOut, entry: Entry) -> None:
    """Give this server's clients what was emitted on another one; a socket's own room is not in its reach."""
    relayed: dict[str, Any] = strictjson.restore(entry.data)
    to: list[str] | None = relayed["to"]
    if to is not None:
        to = [room for room in to if not fan_out.is_sid_room(entry.namespace, room)]
    if to == []:
        return
    binary = [base64.b64decode(octets) for octets in relayed["binary"]]
    packets = messages((relayed["text"], *binary))
    fan_out.fan_out(packets, entry.namespace, to, fan_out.members(entry.namespace, *relayed["skip"]))
