"""Deliver messages to their rooms, in the order of their ids."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from nsroom_server import strict_json
from nsroom_server.chat import policy
from nsroom_server.chat.history import History, HistoryError
from nsroom_server.chat.requests import Relay
from nsroom_server.engineio.packets import Outgoing, messages
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.socketio.application import Answer, Later
from nsroom_server.socketio.packet import Packet, PacketType
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

_AT_A_TIME = 16
"""Messages to deliver before other tasks get a turn."""


def message_packets(namespace: str, number: int | None, text: str) -> list[Outgoing]:
    """Return the packet of a message, built around its JSON without parsing or encoding that."""
    prefix = "" if namespace == "/" else f"{namespace},"
    id = "null" if number is None else number
    return messages((f'{PacketType.EVENT}{prefix}["message",{{"id":{id},{text[1:]}]',))


def broadcast_message(server: Server, namespace: str, room: str, number: int | None, text: str) -> None:
    """Send a message to this server's members of its room."""
    watched = server.watcher is not None
    arguments = ["message", {"id": number, **strict_json.loads_trusted(text)}] if watched else ()
    server.broadcast(message_packets(namespace, number, text), namespace, room, arguments=arguments)


class Ways(Protocol):
    """Delivers messages and relayed events to rooms."""

    @property
    def failing(self) -> bool:
        """Whether messages cannot be stored at the moment."""

    def send(self, namespace: str, room: str, text: str) -> Awaitable[int | None]:
        """Store a message, given as JSON, and deliver it to its room.

        The result is its id once it is delivered, or None if it was delivered but could not be stored.
        Raises (when awaited): Refusal.
        """

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event without storing it, and answer how many clients it was sent to."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    namespace: str
    room: str
    text: str
    begun: float
    stored: asyncio.Future[int]
    delivered: asyncio.Future[int | None]


class Deliveries:
    """Delivers messages one after the other, each once it is stored or storing it has failed.

    Not a task for each message: one that starts late would find its message stored and overtake the others.
    """

    def __init__(self, server: Server, history: History, took: Callable[[float], object] = float) -> None:
        self._failed = False
        """Whether the last message could not be stored."""
        self._took = took
        self._server = server
        self._history = history
        self._warn = RateLimitedWarnings(log)
        self._waiting: asyncio.Queue[_Delivery] = asyncio.Queue()
        server.engine.create_task(self._deliver_all())

    @property
    def failing(self) -> bool:
        """Whether the last message could not be stored, or the next one cannot be."""
        return self._failed or self._history.lost

    def send(self, namespace: str, room: str, text: str) -> asyncio.Future[int | None]:
        """Store a message, given as JSON, and deliver it to its room.

        The result is its id once it is delivered, or None if it was delivered but could not be stored.
        """
        stored = self._history.append(namespace, room, text)
        delivered: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Delivery(namespace, room, text, monotonic(), stored, delivered))
        return delivered

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event without storing it, and answer how many clients it was sent to."""
        arguments = [request.event, *request.args]
        packets = Packet(PacketType.EVENT, arguments, namespace).outgoing()
        policy.require_deliverable(sum(packet.size for packet in packets), self._server.options.limits)
        skip = self._server.rooms.members(namespace, *request.skip)
        count = self._server.broadcast(packets, namespace, request.to, skip, arguments)
        return ({"ok": True, "recipients": count},)

    async def _deliver_all(self) -> None:
        delivered = 0
        while True:
            delivery = await self._waiting.get()
            try:
                number = await self._deliver(delivery)
            except Exception as error:  # noqa: BLE001 - raised where this message is awaited; the next ones are delivered
                delivery.delivered.set_exception(error)
            else:
                delivery.delivered.set_result(number)
            delivered += 1
            # Messages of one turn share their system calls, but a thousand may become durable at once.
            if delivered >= _AT_A_TIME or self._waiting.empty():
                delivered = 0
                await asyncio.sleep(0)

    async def _deliver(self, delivery: _Delivery) -> int | None:
        number = await self._number(delivery)
        broadcast_message(self._server, delivery.namespace, delivery.room, number, delivery.text)
        return number

    async def _number(self, delivery: _Delivery) -> int | None:
        try:
            number = await delivery.stored
        except HistoryError as error:
            self._failed = True
            self._warn("history unavailable", cause=str(error))
            return None
        self._failed = False
        self._took(monotonic() - delivery.begun)
        return number
