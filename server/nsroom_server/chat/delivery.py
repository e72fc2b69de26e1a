"""Messages on their way to their rooms, in the order of their ids."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from nsroom_server.chat.history import History, HistoryError
from nsroom_server.chat.requests import Relay
from nsroom_server.chat.sqlite_history import Body
from nsroom_server.logs import Sparing
from nsroom_server.socketio.application import Answer, Later
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

_AT_A_TIME = 16
"""Messages that are delivered before others get a turn."""


class Ways(Protocol):
    """Ways of messages and events into rooms."""

    @property
    def failing(self) -> bool:
        """Whether messages cannot be stored now."""

    def send(self, namespace: str, body: Body) -> Awaitable[int | None]:
        """Store a message and deliver it to `body["room"]`.

        The result is its id once that is done; None when it was delivered and could not be stored.
        Raises (when awaited): Refusal.
        """

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event that is not stored to its rooms; answer how many got it."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    namespace: str
    body: Body
    begun: float
    stored: asyncio.Future[int]
    delivered: asyncio.Future[int | None]


class Deliveries:
    """Delivers each message once it is durable, or known not to be, one after the other.

    A task for each would not do: one that starts late finds its message stored and overtakes those that wait.
    """

    def __init__(self, server: Server, history: History, took: Callable[[float], object] = float) -> None:
        self.failing = False
        """Whether the last message could not be stored."""
        self._took = took
        self._server = server
        self._history = history
        self._warn = Sparing(log)
        self._waiting: asyncio.Queue[_Delivery] = asyncio.Queue()
        server.engine.create_task(self._deliver_all())

    def send(self, namespace: str, body: Body) -> asyncio.Future[int | None]:
        """Store a message and deliver it to `body["room"]`.

        The result is its id once that is done; None when it was delivered and could not be stored.
        """
        stored = self._history.append(namespace, body["room"], body)
        delivered: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Delivery(namespace, body, monotonic(), stored, delivered))
        return delivered

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event that is not stored to its rooms; answer how many got it."""
        skip = self._server.rooms.members(namespace, *request.skip)
        count = self._server.emit(request.event, *request.args, namespace=namespace, to=request.to, skip=skip)
        return ({"ok": True, "recipients": count},)

    async def _deliver_all(self) -> None:
        delivered = 0
        while True:
            delivery = await self._waiting.get()
            try:
                number = await self._deliver(delivery)
            except Exception as error:  # noqa: BLE001 - whoever waits for this one gets it; the next go on
                delivery.delivered.set_exception(error)
            else:
                delivery.delivered.set_result(number)
            delivered += 1
            # Those of one turn share their system calls, but a thousand may be durable at once.
            if delivered >= _AT_A_TIME or self._waiting.empty():
                delivered = 0
                await asyncio.sleep(0)

    async def _deliver(self, delivery: _Delivery) -> int | None:
        number = await self._number(delivery)
        message = {"id": number, **delivery.body}
        self._server.emit("message", message, namespace=delivery.namespace, to=message["room"])
        return number

    async def _number(self, delivery: _Delivery) -> int | None:
        try:
            number = await delivery.stored
        except HistoryError as error:
            self.failing = True
            self._warn("history unavailable", cause=str(error))
            return None
        self.failing = False
        self._took(monotonic() - delivery.begun)
        return number
