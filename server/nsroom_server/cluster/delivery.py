"""Messages and relayed events, across servers."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any

from nsroom_server import strict_json
from nsroom_server.chat import policy
from nsroom_server.chat.delivery import broadcast_message
from nsroom_server.chat.requests import Relay
from nsroom_server.cluster.entries import Entry, Op
from nsroom_server.cluster.history import SharedHistory
from nsroom_server.cluster.members import Members
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.engineio.packets import messages
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.application import Answer, Later
from nsroom_server.socketio.packet import Packet, PacketType
from nsroom_server.socketio.server import Server

Parts = Sequence[str | bytes]
"""A packet's text, and its attachments."""


class SharedDeliveries:
    """Delivers messages and events to the rooms of all servers: implements `Ways`."""

    def __init__(
        self,
        server: Server,
        publisher: Publisher,
        members: Members,
        history: SharedHistory,
        on_stored: Callable[[float], object],
        count_elsewhere: Callable[[str], Awaitable[int]],
    ) -> None:
        """`on_stored` is called with the seconds that each message took to be stored.

        `count_elsewhere` returns the number of a namespace's clients on the other servers.
        """
        self._server = server
        self._publisher = publisher
        self._members = members
        self._history = history
        self._on_stored = on_stored
        self._count_elsewhere = count_elsewhere

    @property
    def failing(self) -> bool:
        """Whether messages cannot be stored now, because Redis does not answer."""
        return not self._publisher.available

    def send(self, namespace: str, room: str, text: str) -> asyncio.Future[int]:
        """Store a message, given as JSON, and deliver it; if refused, to this server's members only.

        Raises (from the future): Refusal.
        """
        stored = self._history.append(namespace, room, text)
        stored.add_done_callback(partial(self._handle_outcome, namespace, room, text, monotonic()))
        return stored

    def _handle_outcome(
        self, namespace: str, room: str, text: str, started: float, stored: asyncio.Future[int]
    ) -> None:
        if stored.cancelled():
            return
        if not stored.exception():
            self._on_stored(monotonic() - started)
            return
        broadcast_message(self._server, namespace, room, None, text)

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event: here at once, to the other servers over the bus.

        The answer follows when the event is on the bus.
        Raises: Refusal.
        """
        to, skip = request.to, request.skip
        arguments = [request.event, *request.args]
        parts = Packet(PacketType.EVENT, arguments, namespace).encode()
        packets = messages(parts)
        policy.require_deliverable(sum(packet.size for packet in packets), self._server.options.limits)
        counted = None if to is None else self._members.count_recipients(namespace, to, skip)
        # First to Redis: it works while the members here are written to.
        published = self._publisher.submit(event_entry(namespace, parts, to, skip))
        skipped = self._server.rooms.members(namespace, *skip)
        count = self._server.broadcast(packets, namespace, to, skipped, arguments)
        return Later(self._acknowledge(published, namespace, counted, count))

    async def _acknowledge(
        self, published: asyncio.Future[int], namespace: str, counted: int | None, here: int
    ) -> Answer:
        """Answer how many clients an event reaches; of a whole namespace only their own servers know."""
        await published
        recipients = here + await self._count_elsewhere(namespace) if counted is None else counted
        return ({"ok": True, "recipients": recipients},)


def event_entry(
    namespace: str, parts: Parts, to: Collection[str] | None = None, skip: Collection[str] = ()
) -> Entry:
    """Return the entry of an event for rooms, or for the whole namespace if `to` is None."""
    data = strict_json.dumps({"to": to, "skip": skip, **encode_packet(parts)})
    return Entry(Op.EVENT, namespace, data=data)


def encode_packet(parts: Parts) -> dict[str, Any]:
    """Return a packet's text and attachments as JSON values."""
    text, *attachments = parts
    binary = [base64.b64encode(data).decode() for data in attachments if isinstance(data, bytes)]
    return {"text": text, "binary": binary}


def decode_packet(fields: Mapping[str, Any], limits: Limits) -> Packet:
    """Return the packet of `encode_packet`'s result."""
    packet = Packet.parse(fields["text"], limits)
    for data in fields["binary"]:
        packet.attach(base64.b64decode(data))
    return packet


def deliver_event(server: Server, entry: Entry) -> None:
    """Send an event of another server to this server's clients, but not to a single socket."""
    event: dict[str, Any] = strict_json.loads_trusted(entry.data)
    to: list[str] | None = event["to"]
    if to is not None:
        to = [room for room in to if not server.rooms.is_sid(entry.namespace, room)]
    if to == []:
        return
    binary = [base64.b64decode(data) for data in event["binary"]]
    packets = messages((event["text"], *binary))
    server.broadcast(packets, entry.namespace, to, server.rooms.members(entry.namespace, *event["skip"]))
