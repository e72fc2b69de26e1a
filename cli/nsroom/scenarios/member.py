"""A client with the records that it received, and expectations of them.

An expectation looks at what was received since the last one that was met, and then waits; so it does not
matter whether a record arrives before or after the expectation is made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from nsroom.client.client import Client
from nsroom.errors import NsroomError, OutputError
from nsroom.filters import Filter
from nsroom.record import Record

MAX_KEPT = 100_000
"""Records of a client that are kept for its expectations."""
Sink = Callable[[Sequence[Record]], Awaitable[None]]


class Missed(Exception):
    """An expectation was not met: `seen` are the records that it looked at, `ended` why none follow.

    `dropped` older ones were not kept.
    """

    def __init__(self, seen: Sequence[Record], found: int, ended: str, dropped: int = 0) -> None:
        super().__init__(f"{found} of {len(seen)} records matched")
        self.seen = seen
        self.found = found
        self.ended = ended
        self.dropped = dropped


class Member:
    """One client of a scenario or of a test."""

    def __init__(self, client: Client, sinks: Sequence[Sink] = (), kept: int = MAX_KEPT) -> None:
        self.client = client
        self.records: list[Record] = []
        """What was received; the oldest are dropped when there are too many."""
        self._sinks = sinks
        self._kept = kept
        self._first = self._next = 0
        """The numbers of the first record that is kept, and of the one after the last expectation."""
        self._changed = asyncio.Event()
        self._failure: NsroomError | None = None
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for records in self.client.records():
                self.records += records
                self._drop_oldest()
                self._changed.set()
                for sink in self._sinks:
                    await sink(records)
        except OutputError:
            raise  # of a sink; `expect` and `close` raise it
        except NsroomError as error:
            self._failure = error
        finally:
            self._changed.set()

    def _drop_oldest(self) -> None:
        extra = len(self.records) - self._kept
        if extra > self._kept // 10:
            del self.records[:extra]
            self._first += extra

    @property
    def unexpected(self) -> list[Record]:
        """The records since the last expectation that was met."""
        return self.records[max(self._next - self._first, 0) :]

    async def expect(self, test: Filter, count: int, seconds: float) -> list[Record]:
        """Wait for the next `count` records that match, and return them. Raises: Missed, OutputError."""
        found = await self._find(test, count, seconds)
        if len(found) < count:
            dropped = max(self._first - self._next, 0)
            raise Missed(self.unexpected, len(found), self._why_ended(), dropped)
        self._next = found[-1][0] + 1
        return [record for _, record in found]

    async def never(self, test: Filter, seconds: float) -> Record | None:
        """Return the first record that matches within the time, or None after it."""
        found = await self._find(test, 1, seconds)
        return found[0][1] if found else None

    async def _find(self, test: Filter, count: int, seconds: float) -> list[tuple[int, Record]]:
        """Return the first records that match, with their numbers; fewer after the time or the end."""
        keep, found, at = received(test), list[tuple[int, Record]](), self._next
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            self._changed.clear()
            for number, record in enumerate(self.records[max(at - self._first, 0) :], max(at, self._first)):
                if keep(record):
                    found.append((number, record))
                    if len(found) == count:
                        return found
            at = self._first + len(self.records)
            if self._reading.done() or not await self._wait_until(deadline):
                return found

    async def _wait_until(self, deadline: float) -> bool:
        """Wait for more records; return False at the deadline."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _why_ended(self) -> str:
        if not self._reading.done():
            return ""
        self._reading.result()
        return str(self._failure or "the connection is closed")

    async def close(self) -> None:
        """Disconnect, and read to the end. Raises: the error of a sink."""
        await self.client.close()
        await self._reading


def received(test: Filter) -> Callable[[Record], bool]:
    """Return the filter of an expectation: of received events, unless it names another kind or direction."""
    if test.fields & {"kind", "direction"}:
        return test
    return lambda record: record.kind == "event" and record.direction == "in" and test(record)
