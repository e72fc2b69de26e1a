"""What waits for a reader that is slower than its rooms."""

import asyncio
from collections import deque

from nsroom_server.limits import Limits
from nsroom_server.payload import Outgoing


class Outbox:
    """A queue of packets that knows its bounds."""

    def __init__(self, limits: Limits) -> None:
        self._packets: deque[Outgoing] = deque()
        self._octets = 0
        self._limits = limits
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._packets)

    @property
    def is_over(self) -> bool:
        """Whether more waits than may."""
        return len(self._packets) > self._limits.queued_frames or self._octets > self._limits.queued_bytes

    def has_room(self, frames: int) -> bool:
        """Tell whether so many frames fit, and as much again as there is."""
        return (
            len(self._packets) + frames <= self._limits.queued_frames
            and self._octets <= self._limits.queued_bytes // 2
        )

    def put(self, packet: Outgoing) -> None:
        """Add a packet."""
        self._packets.append(packet)
        self._octets += packet.size
        self._empty.clear()

    def pop(self) -> Outgoing:
        """Take the oldest packet."""
        packet = self._packets.popleft()
        self._octets -= packet.size
        if not self._packets:
            self._empty.set()
        return packet

    def clear(self) -> list[Outgoing]:
        """Take all packets."""
        packets = list(self._packets)
        self._packets.clear()
        self._octets = 0
        self._empty.set()
        return packets

    async def emptied(self) -> None:
        """Wait until there is nothing."""
        await self._empty.wait()
