"""Faults on purpose: which packets the proxy drops or delays."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from nsroom.errors import UsageError
from nsroom.record import Kind, Record

_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")


@dataclass(frozen=True, slots=True)
class Faults:
    """What happens to the packets that `where` names: events and acknowledgements unless it says other."""

    drop: float = 0.0
    """The share that is lost, from 0 to 1."""
    delay: float = 0.0
    """Seconds; what is behind a packet in its direction waits with it."""
    where: Callable[[Record], bool] | None = None

    def concerns(self, record: Record) -> bool:
        """Tell whether the faults are meant for this packet."""
        if self.where is not None:
            return record.kind in _PACKETS and self.where(record)
        return record.kind is Kind.EVENT or record.kind is Kind.ACK

    def drops(self, record: Record) -> bool:
        """Decide whether this one is lost."""
        return self.concerns(record) and random.random() < self.drop


_PACKETS = frozenset(
    [Kind.EVENT, Kind.ACK, Kind.CONNECT, Kind.CONNECT_ERROR, Kind.DISCONNECT, Kind.PING, Kind.PONG]
)
"""Those that can be dropped: without its handshake nothing would come of a connection."""


def parse_share(text: str) -> float:
    """Read `5%` or `0.05`. Raises: UsageError."""
    found = _SHARE.fullmatch(text)
    share = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"--drop {text!r}: give a share of the packets, as 5% or 0.05")
    return share
