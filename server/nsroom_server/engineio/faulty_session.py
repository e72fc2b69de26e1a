"""A session that misbehaves on purpose (--fault)."""

import asyncio
import random
from collections import deque

from nsroom_server.engineio.close_reasons import SERVER, CloseReason
from nsroom_server.engineio.packets import Incoming, Kind, Outgoing
from nsroom_server.engineio.session import Session, SessionServer

_LOSSES_OUT = frozenset("2356")
_LOSSES_IN = frozenset("23")
"""Not binary packets: their attachments would arrive alone."""


class FaultySession(Session):
    """A session that delays or drops packets, or closes by itself."""

    def __init__(self, server: SessionServer, sid: str, address: str) -> None:
        super().__init__(server, sid, address)
        self._faults = server.options.faults
        self._late: deque[tuple[float, tuple[Outgoing, ...]]] = deque()
        self._timer_of_late: asyncio.TimerHandle | None = None
        self._kick: asyncio.TimerHandle | None = None
        if self._faults.kick:
            self._kick = self._loop.call_later(self._faults.kick, self.close, SERVER)

    def send(self, *packets: Outgoing) -> None:
        """Send packets, late or not at all."""
        text = packets[0].text
        if text[:1] == Kind.MESSAGE and text[1:2] in _LOSSES_OUT and self._is_lost():
            return
        if not self._faults.latency or self.closed:
            super().send(*packets)
            return
        self._late.append((self._loop.time() + self._faults.latency, packets))
        if len(self._late) == 1:
            self._schedule()

    def _schedule(self) -> None:
        self._timer_of_late = self._loop.call_at(self._late[0][0], self._send_due)

    def _send_due(self) -> None:
        now = self._loop.time()
        while self._late and self._late[0][0] <= now:
            super().send(*self._late.popleft()[1])
        if self._late:
            self._schedule()

    async def receive(self, packet: Incoming) -> None:
        """Handle a packet, or drop it."""
        if packet.kind is Kind.MESSAGE and packet.data[:1] in _LOSSES_IN and self._is_lost():
            return
        await super().receive(packet)

    def _is_lost(self) -> bool:
        return random.random() < self._faults.drop

    def close(self, reason: CloseReason) -> None:
        """Close the session, after sending the delayed packets."""
        for timer in filter(None, (self._kick, self._timer_of_late)):
            timer.cancel()
        while self._late:
            super().send(*self._late.popleft()[1])
        super().close(reason)
