"""What waits for a reader that is slower than its rooms."""

import asyncio
from collections import deque

from nsroom_server.engineio.packets import Outgoing
from nsroom_server.settings.limits import Limits


class Outbox:
    """A queue of packets that knows its bounds."""

    __slots__ = ("_emptied", "_limits", "_octets", "packets")

    def __init__(self, limits: Limits) -> None:
        self.packets: deque[Outgoing] | None = None
        """What waits, or None: for most nothing ever does, and an empty deque is 600 bytes."""
        self._octets = 0
        self._limits = limits
        self._emptied: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self.packets or ())

    @property
    def is_over(self) -> bool:
        """Whether more waits than may."""
        return len(self) > self._limits.queued_frames or self._octets > self._limits.queued_bytes

    def has_room(self, frames: int) -> bool:
        """Tell whether so many frames fit, and as much again as there is."""
        return (
            len(self) + frames <= self._limits.queued_frames
            and self._octets <= self._limits.queued_bytes // 2
        )

    def put(self, packet: Outgoing) -> None:
        """Add a packet."""
        if self.packets is None:
            self.packets = deque()
        self.packets.append(packet)
        self._octets += packet.size

    def pop(self) -> Outgoing:
        """Take the oldest packet."""
        assert self.packets
        packet = self.packets.popleft()
        self._octets -= packet.size
        if not self.packets:
            self.clear()
        return packet

    def take(self, most: int | None) -> list[Outgoing]:
        """Take the oldest packets, or all."""
        if most is None or most >= len(self):
            return self.clear()
        return [self.pop() for _ in range(most)]

    def clear(self) -> list[Outgoing]:
        """Take all packets."""
        packets = list(self.packets or ())
        self.packets, self._octets = None, 0
        if self._emptied:
            self._emptied.set()
            self._emptied = None
        return packets

    async def emptied(self) -> None:
        """Wait until there is nothing."""
        if self.packets:
            self._emptied = self._emptied or asyncio.Event()
            await self._emptied.wait()
