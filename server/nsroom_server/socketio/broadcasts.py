"""Broadcasts that follow each other to the same audience in one turn of the loop, sent as one batch.

To write to each of many receivers costs the same for one packet and for a few. So broadcasts are collected
until the end of the turn, or until one goes to another audience.

Invariant: every receiver gets what it would get if each broadcast were sent at once, in the same order. So
`catch_up` is called before anything else is sent to a member of the audience, and before it leaves; `join`
when there is a new member, who gets later broadcasts only.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from nsroom_server.engineio.packets import Batch, Outgoing

_MOST = 16_384
"""Bytes to collect: as much as is written to a WebSocket before its reader is asked for."""


class Receiver(Protocol):
    """The connection of a socket: an Engine.IO session."""

    def send_batch(self, batch: Batch) -> None:
        """Send groups of packets, with nothing between the packets of a group."""


class Broadcasts:
    """The broadcasts to one audience that are not sent yet."""

    def __init__(self, schedule: Callable[[], None]) -> None:
        """`schedule` lets `send` be called before the next turn of the loop."""
        self._schedule = schedule
        self._audience: Mapping[str, Receiver] = {}
        self._groups: list[Sequence[Outgoing]] = []
        self._size = 0
        self._received: dict[str, int] = {}
        """How many of them a member has already received, or must not receive; 0 for all others."""

    def add(self, packets: Sequence[Outgoing], audience: Mapping[str, Receiver]) -> None:
        """Send packets to an audience before the next turn."""
        if audience is not self._audience:
            self.send()
            self._audience = audience
        if not self._groups:
            self._schedule()
        self._groups.append(packets)
        self._size += sum(len(packet.frame) for packet in packets)
        if self._size >= _MOST:
            self.send()

    def send(self) -> None:
        """Send what is collected."""
        audience, groups, received = self._audience, self._groups, self._received
        self._audience, self._groups, self._size, self._received = {}, [], 0, {}
        if not groups:
            return
        if received:
            audience = dict(audience)
            for sid, start in received.items():
                if receiver := audience.pop(sid, None):
                    self._send_rest(receiver, groups[start:])
        batch = Batch(groups)
        # Else not a copy: a connection that ends while it is written to is removed later, by its own task.
        for receiver in audience.values():
            receiver.send_batch(batch)

    def catch_up(self, sid: str) -> None:
        """Send what is collected to one socket, if it is in the audience."""
        if self._groups and (receiver := self._audience.get(sid)):
            self._send_rest(receiver, self._groups[self._received.get(sid, 0) :])
            self._received[sid] = len(self._groups)

    def join(self, sid: str, audience: Mapping[str, Receiver]) -> None:
        """Leave out what is collected so far for a new member of an audience."""
        if self._groups and audience is self._audience:
            self._received[sid] = len(self._groups)

    def _send_rest(self, receiver: Receiver, groups: Sequence[Sequence[Outgoing]]) -> None:
        if groups:
            receiver.send_batch(Batch(groups))
