"""Messages on their way to their rooms, in the order of their ids."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from nsroom_server.application import Answer, Later
from nsroom_server.history import Body, History
from nsroom_server.requests import Relay
from nsroom_server.server import Server


class Ways(Protocol):
    """Ways of messages and events into rooms."""

    def send(self, namespace: str, body: Body) -> asyncio.Future[int]:
        """Store a message and deliver it to `body["room"]`; the result is its id, once that is done.

        Raises (from the future): HistoryError, Refusal.
        """

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event that is not stored to its rooms; answer how many got it."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    namespace: str
    body: Body
    stored: asyncio.Future[int]
    delivered: asyncio.Future[int]


class Deliveries:
    """Delivers each message once it is durable, one after the other.

    A task for each would not do: one that starts late finds its message stored and overtakes those that wait.
    """

    def __init__(self, server: Server, history: History) -> None:
        self._server = server
        self._history = history
        self._waiting: asyncio.Queue[_Delivery] = asyncio.Queue()
        server.start_background_task(self._deliver_all)

    def send(self, namespace: str, body: Body) -> asyncio.Future[int]:
        """Store a message and deliver it to `body["room"]`; the result is its id, once that is done.

        Raises (from the future): HistoryError.
        """
        stored = self._history.append(namespace, body["room"], body)
        delivered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Delivery(namespace, body, stored, delivered))
        return delivered

    async def relay(self, namespace: str, request: Relay) -> Answer | Later:
        """Send an event that is not stored to its rooms; answer how many got it."""
        members = self._server.manager.members(namespace, *request.to)
        skipped = self._server.manager.members(namespace, *request.skip)
        await self._server.emit(
            request.event,
            tuple(request.args),
            to=list(request.to),
            skip_sid=list(skipped),
            namespace=namespace,
        )
        return ({"ok": True, "recipients": len(members.keys() - skipped.keys())},)

    async def _deliver_all(self) -> None:
        while True:
            delivery = await self._waiting.get()
            try:
                number = await self._deliver(delivery)
            except Exception as error:  # noqa: BLE001 - whoever waits for this one gets it; the next go on
                delivery.delivered.set_exception(error)
            else:
                delivery.delivered.set_result(number)
            # A thousand may be durable at once: others want their turn in between.
            await asyncio.sleep(0)

    async def _deliver(self, delivery: _Delivery) -> int:
        number = await delivery.stored
        message = {"id": number, **delivery.body}
        await self._server.emit("message", message, to=message["room"], namespace=delivery.namespace)
        return number
