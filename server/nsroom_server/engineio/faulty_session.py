"""A session that misbehaves on purpose (--fault)."""

import asyncio
import random
from collections import deque

from nsroom_server.engineio.close_reasons import SERVER_DISCONNECT, CloseReason
from nsroom_server.engineio.packets import Batch, Incoming, Outgoing, PacketType
from nsroom_server.engineio.session import Session, SessionServer

_DROPPABLE_OUT = frozenset("2356")
_DROPPABLE_IN = frozenset("23")
"""Not binary packets: their attachments would arrive alone."""


class FaultySession(Session):
    """A session that delays or drops packets, or closes by itself."""

    def __init__(self, server: SessionServer, sid: str, address: str) -> None:
        super().__init__(server, sid, address)
        self._faults = server.options.faults
        self._delayed: deque[tuple[float, tuple[Outgoing, ...]]] = deque()
        self._send_timer: asyncio.TimerHandle | None = None
        self._kick_timer: asyncio.TimerHandle | None = None
        if self._faults.kick:
            self._kick_timer = self.loop.call_later(self._faults.kick, self.close, SERVER_DISCONNECT)

    def send(self, *packets: Outgoing) -> None:
        """Send packets, late or not at all."""
        text = packets[0].text
        if text[:1] == PacketType.MESSAGE and text[1:2] in _DROPPABLE_OUT and self._is_dropped():
            return
        if not self._faults.latency or self.closed:
            super().send(*packets)
            return
        self._delayed.append((self.loop.time() + self._faults.latency, packets))
        if len(self._delayed) == 1:
            self._schedule()

    def send_batch(self, batch: Batch) -> None:
        """Send packets that many receive, late or not at all."""
        for packets in batch.groups:
            self.send(*packets)

    def _schedule(self) -> None:
        self._send_timer = self.loop.call_at(self._delayed[0][0], self._send_due)

    def _send_due(self) -> None:
        now = self.loop.time()
        while self._delayed and self._delayed[0][0] <= now:
            super().send(*self._delayed.popleft()[1])
        if self._delayed:
            self._schedule()

    async def receive(self, packet: Incoming) -> None:
        """Handle a packet, or drop it."""
        if packet.type is PacketType.MESSAGE and packet.data[:1] in _DROPPABLE_IN and self._is_dropped():
            return
        await super().receive(packet)

    def _is_dropped(self) -> bool:
        return random.random() < self._faults.drop

    def close(self, reason: CloseReason) -> None:
        """Close the session, after sending the delayed packets."""
        for timer in filter(None, (self._kick_timer, self._send_timer)):
            timer.cancel()
        while self._delayed:
            super().send(*self._delayed.popleft()[1])
        super().close(reason)
