"""The events that clients emit: each is handled after the one before, and acknowledged."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from socketio.packet import ACK

from nsroom_server.engineio.server import Engine
from nsroom_server.errors import Code, Refusal
from nsroom_server.socketio.application import Answer, Application, Client, Handler, Later
from nsroom_server.socketio.packet import RESERVED_EVENTS, Json, Packet

log = logging.getLogger("nsroom_server")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """An event that is being handled, and where its acknowledgement goes."""

    eio_sid: str
    client: Client
    event: Json
    id: int | None

    @property
    def fields(self) -> dict[str, Json]:
        """What the log says of it."""
        return {"namespace": self.client.namespace, "sid": self.client.sid, "event": self.event}


class Calls:
    """Finds the handler of each event, and answers with what it gives or how it fails."""

    def __init__(self, application: Application, engine: Engine, draining: asyncio.Event) -> None:
        self._application = application
        self._engine = engine
        self._draining = draining
        self._pending: set[asyncio.Task[None]] = set()

    async def answer(self, call: Call, args: Sequence[Json], in_time: bool, slots: asyncio.Semaphore) -> None:
        """Handle one event before the next.

        `slots` bounds the answers of one client that come later. Stock: without order, or each waits for the
        one before.
        """
        answer = await self._attempt(call, self._handle(call, args, in_time))
        if isinstance(answer, Later):
            await self._answer_later(call, answer, slots)
        else:
            self._acknowledge(call, answer)

    async def finish(self, timeout: float) -> int:
        """Wait for the answers that are under way, `timeout` seconds; give how many are late."""
        if not self._pending:
            return 0
        _, late = await asyncio.wait(self._pending, timeout=timeout)
        return len(late)

    async def _handle(self, call: Call, args: Sequence[Json], in_time: bool) -> Answer | Later | None:
        if not in_time:
            raise Refusal(Code.RATE_LIMITED, "too many events: send fewer in a second")
        return await self._find(call.client, call.event)(call.client, args)

    async def _attempt(self, call: Call, answer: Awaitable[_T]) -> _T | Answer:
        """Wait for an answer, or make one out of what went wrong."""
        try:
            return await answer
        except Refusal as refusal:
            if refusal.code is not Code.RATE_LIMITED:  # counted when it came
                self._engine.counts[refusal.code] += 1
            log.debug("refused", extra={"fields": {**call.fields, "error": str(refusal.code)}})
            return (refusal.answer,)
        except Exception:
            log.exception("handler failed", extra={"fields": call.fields})
            return (Refusal(Code.INTERNAL_ERROR, "the server failed; its log has more").answer,)

    def _find(self, client: Client, event: Json) -> Handler:
        if self._draining.is_set():
            raise Refusal(Code.DRAINING, "the server is about to end")
        if event in RESERVED_EVENTS:
            raise Refusal(Code.RESERVED_EVENT, f"{event}: Socket.IO keeps this name for itself")
        handler = self._application.handler(client.namespace, event)
        if handler is None:
            raise Refusal(Code.UNKNOWN_EVENT, f"nothing here handles {str(event)[:80]}")
        return handler

    async def _answer_later(self, call: Call, later: Later, slots: asyncio.Semaphore) -> None:
        """Acknowledge when the answer is there; a client with too many such answers waits for one of them."""
        await slots.acquire()
        task = self._engine.start_background_task(self._finish, call, later)
        task.add_done_callback(lambda _: slots.release())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _finish(self, call: Call, later: Later) -> None:
        self._acknowledge(call, await self._attempt(call, later.answer))

    def _acknowledge(self, call: Call, answer: Answer | None) -> None:
        if call.id is not None and answer is not None and not self._engine.options.faults.no_ack:
            packet = Packet(ACK, list(answer), call.client.namespace, call.id)
            self._engine.send(call.eio_sid, *packet.outgoing())
