"""Run event handlers, in order, and send their acknowledgements."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import Session
from nsroom_server.errors import Code, Refusal
from nsroom_server.socketio.activity import Activity
from nsroom_server.socketio.application import Answer, Client, Handler, Later
from nsroom_server.socketio.packet import RESERVED_EVENTS, Json, Packet, PacketType

log = logging.getLogger("nsroom_server")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """An event that is being handled, and where its acknowledgement goes."""

    session: Session
    client: Client
    event: Json
    id: int | None
    handler: Handler | None
    """None if the application does not know the event."""

    @property
    def fields(self) -> dict[str, Json]:
        """The fields that identify the event in the log."""
        return {"namespace": self.client.namespace, "sid": self.client.sid, "event": self.event}


class Calls:
    """Runs the handler of each event, and acknowledges with its answer or with its failure."""

    def __init__(
        self,
        engine: Engine,
        send: Callable[[Session, Packet], None],
        activity: Activity,
        draining: asyncio.Event,
    ) -> None:
        self._engine = engine
        self._send = send
        self._activity = activity
        self._draining = draining
        self._pending: set[asyncio.Task[None]] = set()

    async def answer(self, call: Call, args: Sequence[Json], in_time: bool, slots: asyncio.Semaphore) -> None:
        """Handle one event; the client's next one is handled after it.

        `slots` bounds the answers of one client that are pending, see `Later`.
        """
        answer = await self._attempt(call, self._handle(call, args, in_time))
        if isinstance(answer, Later):
            await self._answer_later(call, answer, slots)
        else:
            self._acknowledge(call, answer)

    async def finish(self, timeout: float) -> int:
        """Wait up to `timeout` seconds for the pending answers, and return how many are still missing."""
        if not self._pending:
            return 0
        _, late = await asyncio.wait(self._pending, timeout=timeout)
        return len(late)

    async def _handle(self, call: Call, args: Sequence[Json], in_time: bool) -> Answer | Later | None:
        if not in_time:
            raise Refusal(Code.RATE_LIMITED, "too many events: send fewer in a second")
        if self._draining.is_set():
            raise Refusal(Code.DRAINING, "the server is stopping")
        if call.event in RESERVED_EVENTS:
            raise Refusal(Code.RESERVED_EVENT, f"{call.event}: Socket.IO reserves this name")
        if call.handler is None:
            raise Refusal(Code.UNKNOWN_EVENT, f"no handler for {str(call.event)[:80]}")
        return await call.handler(call.client, args)

    async def _attempt(self, call: Call, answer: Awaitable[_T]) -> _T | Answer:
        """Wait for an answer, or turn its failure into one."""
        try:
            return await answer
        except Refusal as refusal:
            if refusal.code is not Code.RATE_LIMITED:  # counted when the packet was received
                self._engine.refusals[refusal.code] += 1
                self._activity.refused(call.client, call.event, refusal.code)
            return (refusal.answer,)
        except Exception:
            log.exception("handler failed", extra={"fields": call.fields})
            return (Refusal(Code.INTERNAL_ERROR, "the server failed; its log has more").answer,)

    async def _answer_later(self, call: Call, later: Later, slots: asyncio.Semaphore) -> None:
        """Acknowledge when the answer is known; a client with too many pending answers waits for one."""
        await slots.acquire()
        task = self._engine.create_task(self._finish(call, later))
        task.add_done_callback(lambda _: slots.release())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _finish(self, call: Call, later: Later) -> None:
        self._acknowledge(call, await self._attempt(call, later.answer))

    def _acknowledge(self, call: Call, answer: Answer | None) -> None:
        if call.id is not None and answer is not None and not self._engine.options.faults.no_ack:
            packet = Packet(PacketType.ACK, list(answer), call.client.namespace, call.id)
            self._send(call.session, packet)
