"""The client's records in order, across all its connections."""

from collections.abc import Iterator
from itertools import count

from nsroom.channel import Channel, now
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.protocol.session import Observer
from nsroom.record import Direction, Json, Kind, Record


class Journal:
    """Numbers the records of a client; without `watch` they have no reader and are dropped."""

    def __init__(self, *, watch: bool, raw: bool, limits: Limits = LIMITS) -> None:
        self.sequence: Iterator[int] = count(1)
        self.channel = Channel() if watch else None
        """The records to read, or None without `watch`."""
        self._raw = raw
        self._limits = limits

    def new_observer(self, is_old: bool = False) -> Observer:
        """Return a new observer of one connection."""
        return Observer(self.sequence, self._raw, self._limits, is_old)

    def note(self, kind: Kind, **fields: Json) -> None:
        """Add a record that no frame contains, such as a lost connection."""
        self.put([Record(now(), next(self.sequence), Direction.LOCAL, kind, **fields)])

    def put(self, records: list[Record]) -> None:
        """Add a few records."""
        if self.channel is not None:
            self.channel.put(records)

    async def put_many(self, records: list[Record]) -> None:
        """Add many records, then wait for a slow reader."""
        self.put(records)
        if self.channel is not None:
            await self.channel.room()

    def end(self) -> None:
        """End the reader's iteration after the last record."""
        if self.channel is not None:
            self.channel.close()
