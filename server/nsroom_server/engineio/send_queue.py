"""Packets waiting for a slow client, bounded."""

import asyncio
from collections import deque

from nsroom_server.engineio.packets import Outgoing
from nsroom_server.settings.limits import Limits


class SendQueue:
    """A queue of packets with bounds on their number and size."""

    __slots__ = ("_empty", "_limits", "_size", "packets")

    def __init__(self, limits: Limits) -> None:
        self.packets: deque[Outgoing] | None = None
        """The queued packets, or None: most clients never need a queue, and an empty deque is 600 bytes."""
        self._size = 0
        self._limits = limits
        self._empty: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self.packets or ())

    @property
    def is_over_limit(self) -> bool:
        """Whether the bounds are exceeded, that of bytes by more than the newest packet.

        A client may ask for an answer of any size that is accepted, and for its acknowledgement.
        """
        newest = self.packets[-1].size if self.packets else 0
        return len(self) > self._limits.queued_frames or self._size - newest > self._limits.queued_bytes

    def has_space(self, packets: int) -> bool:
        """Return whether `packets` more fit, and half of the bytes are free."""
        return (
            len(self) + packets <= self._limits.queued_frames and self._size <= self._limits.queued_bytes // 2
        )

    def put(self, packet: Outgoing) -> None:
        """Add a packet."""
        if self.packets is None:
            self.packets = deque()
        self.packets.append(packet)
        self._size += packet.size

    def pop(self) -> Outgoing:
        """Remove and return the oldest packet."""
        assert self.packets
        packet = self.packets.popleft()
        self._size -= packet.size
        if not self.packets:
            self.clear()
        return packet

    def take(self, limit: int | None) -> list[Outgoing]:
        """Remove and return up to `limit` of the oldest packets, or all."""
        if limit is None or limit >= len(self):
            return self.clear()
        return [self.pop() for _ in range(limit)]

    def clear(self) -> list[Outgoing]:
        """Remove and return all packets."""
        packets = list(self.packets or ())
        self.packets, self._size = None, 0
        if self._empty:
            self._empty.set()
            self._empty = None
        return packets

    async def wait_empty(self) -> None:
        """Wait until the queue is empty."""
        if self.packets:
            self._empty = self._empty or asyncio.Event()
            await self._empty.wait()
