"""A queue of records that makes a fast connection wait for a slow reader; and the clock of records."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator

from nsroom.record import Record

# Linux' CLOCK_MONOTONIC stands still while the machine sleeps; elsewhere (macOS) it goes on.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def _elapsed() -> int:
    """Return microseconds since a fixed moment; they go on while the machine sleeps."""
    if sys.platform == "win32" or _CLOCK is None:
        return time.monotonic_ns() // 1000
    return time.clock_gettime_ns(_CLOCK) // 1000


_WALL = time.time_ns() // 1000 - _elapsed()
_MAX_BYTES = 8 * 2**20
"""Wire bytes that may wait for a slow reader, however few records they are."""


def now() -> int:
    """Return the time in microseconds since the epoch; it never runs backwards within a process."""
    return _WALL + _elapsed()


class Channel:
    """A queue of records with one reader; it is iterated in batches."""

    def __init__(self, bound: int = 1024) -> None:
        self._bound = bound
        self._bytes = 0
        self._records: list[Record] = []
        self._closed = False
        # Not full until reading starts: the answer that the reader needs first may come after a flood.
        self._read = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def put(self, records: list[Record], size: int = 0) -> None:
        """Add records that took `size` bytes on the wire; to add many, await `room` in between."""
        if self._closed:
            return
        self._records += records
        self._bytes += size
        self._readable.set()
        if self._read and (len(self._records) >= self._bound or self._bytes >= _MAX_BYTES):
            self._writable.clear()

    @property
    def full(self) -> bool:
        """Whether the reader must catch up before more is read from the wire."""
        return not self._writable.is_set()

    async def room(self) -> None:
        """Wait until the reader has caught up."""
        await self._writable.wait()

    def close(self) -> None:
        """End the reader's iteration after the remaining records."""
        self._closed = True
        self._readable.set()
        self._writable.set()

    async def __aiter__(self) -> AsyncIterator[list[Record]]:
        self._read = True
        while self._records or not self._closed:
            await self._readable.wait()
            self._readable.clear()
            records, self._records, self._bytes = self._records, [], 0
            self._writable.set()
            if records:
                yield records
