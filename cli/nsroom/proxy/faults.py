"""Parse --drop, and choose the packets that the proxy drops or delays on purpose."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from nsroom.errors import UsageError
from nsroom.record import Kind, Record

_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults for the packets that match `where`; without it, for events and acknowledgements."""

    drop: float = 0.0
    """The share of packets to drop, from 0 to 1."""
    delay: float = 0.0
    """Seconds; later packets in the same direction wait too."""
    where: Callable[[Record], bool] | None = None

    def apply_to(self, record: Record) -> bool:
        """Return whether the faults apply to this packet."""
        if self.where is not None:
            return record.kind in PACKETS and self.where(record)
        return record.kind is Kind.EVENT or record.kind is Kind.ACK

    def drops(self, record: Record) -> bool:
        """Return whether to drop this packet."""
        return self.apply_to(record) and random.random() < self.drop


PACKETS = frozenset(
    [Kind.EVENT, Kind.ACK, Kind.CONNECT, Kind.CONNECT_ERROR, Kind.DISCONNECT, Kind.PING, Kind.PONG]
)
"""The kinds that can be dropped, delayed or intercepted: without a handshake no connection would open."""


def parse_share(text: str) -> float:
    """Return `5%` or `0.05` as a number from 0 to 1. Raises: UsageError."""
    found = _SHARE.fullmatch(text)
    share = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"--drop {text!r}: write a share of the packets as 5% or 0.05")
    return share
