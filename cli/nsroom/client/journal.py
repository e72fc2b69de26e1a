"""The Records of one client, in one order over all its connections, on their way to whoever reads them."""

from collections.abc import Iterator
from itertools import count

from nsroom.channel import Channel, now
from nsroom.protocol.session import Session
from nsroom.record import Direction, Json, Kind, Record


class Journal:
    """Numbers what a client sees; without `watch` nobody reads it, and nothing is kept."""

    def __init__(self, *, watch: bool, raw: bool) -> None:
        self.sequence: Iterator[int] = count(1)
        self.channel = Channel() if watch else None
        """Where they can be read."""
        self._raw = raw

    def session(self, is_old: bool = False) -> Session:
        """Make what observes one connection."""
        return Session(self.sequence, self._raw, is_old=is_old)

    def note(self, kind: Kind, **fields: Json) -> None:
        """Put down what no frame says."""
        self.put([Record(now(), next(self.sequence), Direction.LOCAL, kind, **fields)])

    def put(self, records: list[Record]) -> None:
        """Put down a few records."""
        if self.channel is not None:
            self.channel.put(records)

    async def put_slowly(self, records: list[Record]) -> None:
        """Put down many, as fast as they are read."""
        self.put(records)
        if self.channel is not None:
            await self.channel.room()

    def end(self) -> None:
        """End the reading once all is read."""
        if self.channel is not None:
            self.channel.close()
