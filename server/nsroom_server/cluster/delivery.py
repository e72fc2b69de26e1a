"""Presence, messages and events where there are other servers: what is asked for goes over the bus."""

import asyncio
import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any

from nsroom_server import strict_json
from nsroom_server.chat.requests import Relay
from nsroom_server.chat.sqlite_history import Body
from nsroom_server.cluster.entries import Entry, Op
from nsroom_server.cluster.history import SharedHistory
from nsroom_server.cluster.members import Membership
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.engineio.packets import Outgoing, messages
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.application import Answer, Later
from nsroom_server.socketio.packet import Packet, PacketType
from nsroom_server.socketio.server import Server

Parts = Sequence[str | bytes]
"""A packet's text, and its attachments."""


class SharedDeliveries:
    """Ways of messages and events into rooms: Deliveries."""

    def __init__(
        self,
        server: Server,
        publisher: Publisher,
        membership: Membership,
        history: SharedHistory,
        took: Callable[[float], object],
    ) -> None:
        self._server = server
        self._publisher = publisher
        self._membership = membership
        self._history = history
        self._took = took

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
        self._server.emit("message", {"id": None, **body}, namespace=namespace, to=body["room"])

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event to its rooms: here at once, elsewhere over the bus; answer when that has it."""
        to, skip = request.to, request.skip
        arguments = [request.event, *request.args]
        parts = Packet(PacketType.EVENT, arguments, namespace).encode()
        recipients = self._membership.recipients(namespace, to, skip)
        # First to Redis: it works while the members here are written to.
        told = self._publisher.submit(relayed(namespace, parts, to, skip))
        skipped = self._server.rooms.members(namespace, *skip)
        self._server.broadcast(messages(parts), namespace, to, skipped, arguments)
        return Later(self._acknowledge(told, recipients))

    async def _acknowledge(self, told: asyncio.Future[int], recipients: int) -> Answer:
        await told
        return ({"ok": True, "recipients": recipients},)


def relayed(
    namespace: str, parts: Parts, to: Collection[str] | None = None, skip: Collection[str] = ()
) -> Entry:
    """Return the entry of an event for rooms, or for the whole namespace when `to` is None."""
    data = strict_json.dumps({"to": to, "skip": skip, **encoded(parts)})
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
    return messages((f'{PacketType.EVENT}{namespace}["message",{{"id":{number},{entry.data[1:]}]',))


def deliver(server: Server, entry: Entry) -> None:
    """Send this server's clients an event from another server; it does not reach a socket's own room."""
    event: dict[str, Any] = strict_json.restore(entry.data)
    to: list[str] | None = event["to"]
    if to is not None:
        to = [room for room in to if not server.rooms.is_sid(entry.namespace, room)]
    if to == []:
        return
    binary = [base64.b64decode(octets) for octets in event["binary"]]
    packets = messages((event["text"], *binary))
    server.broadcast(packets, entry.namespace, to, server.rooms.members(entry.namespace, *event["skip"]))
