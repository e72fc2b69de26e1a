"""The message history: in SQLite, written in batches.

Messages are numbered from 1 in each room, without holes, and acknowledged when they are durable. One thread
writes: it commits all waiting messages together, so that they share the cost of a sync to the disk. Another
thread reads. The event loop waits for neither.
"""

import asyncio
import logging
import queue
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time
from typing import Protocol, TypeVar

from nsroom_server.chat.age_clock import AgeClock
from nsroom_server.chat.requests import Page
from nsroom_server.chat.sqlite_history import FAILURES, Body, Ledger, Row, prepare
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.settings.limits import Retention

log = logging.getLogger("nsroom_server")

_T = TypeVar("_T")
_BATCH = 1000
_TRIM_EVERY = 1.0
"""Seconds between deletions of old messages, while messages are being stored."""
_LOOK_EVERY = 60.0
"""Seconds between them otherwise."""
_CHECK_EVERY = 1.0
"""Seconds between checks that the file is still there."""
_LAST_COMMIT = 0.5
"""Seconds to store waiting messages when the history closes."""
KEEP = Retention(messages=2**31, age=2**31, size=2**53)
"""Keep every message."""


class HistoryError(Exception):
    """A message could not be stored, or stored messages could not be read."""


class History(Protocol):
    """Numbers messages, and may keep them."""

    @property
    def epoch(self) -> str:
        """Identifies the store: ids of another epoch cannot be compared."""

    @property
    def lost(self) -> bool:
        """Whether the store was removed or replaced, so that nothing can be stored."""

    def append(self, namespace: str, room: str, text: str) -> asyncio.Future[int]:
        """Number a message, given as JSON, in the order of the calls; the result is its id, once durable.

        Raises (from the future): HistoryError.
        """

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:
        """Return a page of a room's messages, oldest first, of about `octets` bytes at most.

        Raises: HistoryError.
        """

    async def last(self, namespace: str, room: str) -> int:
        """Return the id of a room's last message, even if it was deleted, or 0 if there was none.

        Raises: HistoryError.
        """

    async def oldest(self, namespace: str, room: str) -> int | None:
        """Return the first id of a room that is stored, readable or not, or None without any.

        Raises: HistoryError.
        """

    async def close(self) -> None:
        """Store the appended messages and close."""


class Forgetful:
    """Numbers messages and keeps none."""

    lost = False

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self._last: Counter[tuple[str, str]] = Counter()

    def append(self, namespace: str, room: str, text: str) -> asyncio.Future[int]:  # noqa: ARG002
        """Number a message."""
        self._last[namespace, room] += 1
        numbered = asyncio.get_running_loop().create_future()
        numbered.set_result(self._last[namespace, room])
        return numbered

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:  # noqa: ARG002
        """Return nothing."""
        return []

    async def last(self, namespace: str, room: str) -> int:
        """Return the last number."""
        return self._last[namespace, room]

    async def oldest(self, namespace: str, room: str) -> None:
        """Return None."""

    async def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class _Append:
    row: Row
    stored: asyncio.Future[int]


class Stored:
    """Keeps messages in an SQLite file.

    Raises: ConfigError when the file cannot be opened.
    """

    def __init__(
        self, path: Path, retention: Retention = KEEP, wall_clock: Callable[[], float] = time
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._retention = retention
        self._wall_clock = wall_clock
        self._warn = RateLimitedWarnings(log)
        self.epoch = prepare(path)
        self.lost = False
        self._waiting: queue.SimpleQueue[_Append | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="history-writer", daemon=True)
        self._reader = ThreadPoolExecutor(1, "history-reader")
        self._reading: Ledger | None = None
        self._writer.start()
        # The reader opens the file now: later, another one may be in its place.
        self._reader.submit(self._read, lambda _: None)

    def append(self, namespace: str, room: str, text: str) -> asyncio.Future[int]:
        """Number and store a message."""
        stored: asyncio.Future[int] = self._loop.create_future()
        self._waiting.put(_Append((namespace, room, text), stored))
        return stored

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:
        """Return a page of a room's messages."""
        return await self._ask(lambda ledger: ledger.page(namespace, page, octets))

    async def last(self, namespace: str, room: str) -> int:
        """Return the id of a room's last message."""
        return await self._ask(lambda ledger: ledger.last(namespace, room))

    async def oldest(self, namespace: str, room: str) -> int | None:
        """Return the first id of a room that is stored."""
        return await self._ask(lambda ledger: ledger.oldest(namespace, room))

    async def close(self) -> None:
        """Commit the waiting messages, end both threads and close the file."""
        self._waiting.put(None)
        await self._loop.run_in_executor(self._reader, self._finish)
        self._reader.shutdown()

    def _finish(self) -> None:
        self._writer.join(_LAST_COMMIT)
        if self._reading:
            self._reading.close()

    async def _ask(self, question: Callable[[Ledger], _T]) -> _T:
        return await self._loop.run_in_executor(self._reader, self._read, question)

    def _read(self, question: Callable[[Ledger], _T]) -> _T:
        try:
            # Made in this thread, and closed in it.
            self._reading = self._reading or Ledger(self._path, self.epoch)
            return question(self._reading)
        except FAILURES as error:
            raise HistoryError(f"the history cannot be read: {error}") from error

    def _write(self) -> None:
        try:
            ledger = Ledger(self._path, self.epoch)
            clock = AgeClock(ledger.newest(), self._warn_of_jump, self._wall_clock)
        except FAILURES as error:
            self._refuse_all(error)
        else:
            self._store_all(ledger, clock)

    def _refuse_all(self, error: Exception) -> None:
        """Refuse every message, until the history closes."""
        self.lost = going = True
        while going:
            batch, going = self._next_batch(_CHECK_EVERY)
            self._answer(batch, HistoryError(f"the message was not stored: {error}"))

    def _store_all(self, ledger: Ledger, clock: AgeClock) -> None:
        """Store the messages, until the history closes."""
        going, due = True, monotonic()
        while going:
            batch, going = self._next_batch(min(max(due - monotonic(), 0), _CHECK_EVERY))
            if batch:
                self._answer(batch, self._commit(ledger, batch, clock.now()))
                due = min(due, monotonic() + _TRIM_EVERY)
            else:
                self.lost = not ledger.in_place
            if going and monotonic() >= due:
                due = monotonic() + (0 if self._trim(ledger, clock.now()) else _LOOK_EVERY)
        ledger.close()

    def _warn_of_jump(self, seconds: float) -> None:
        self._warn("the wall clock has jumped: old messages are kept longer", seconds=round(seconds))

    def _next_batch(self, wait: float) -> tuple[list[_Append], bool]:
        batch: list[_Append] = []
        try:
            item = self._waiting.get(timeout=wait)
        except queue.Empty:
            return batch, True
        while item is not None:
            batch.append(item)
            if len(batch) == _BATCH or self._waiting.empty():
                return batch, True
            item = self._waiting.get()
        return batch, False

    def _commit(self, ledger: Ledger, batch: Sequence[_Append], now: float) -> list[int] | HistoryError:
        try:
            ids = ledger.append([append.row for append in batch], self._retention, now)
        except FAILURES as error:
            self.lost = not ledger.in_place
            return HistoryError(f"the message was not stored: {error}")
        self.lost = False
        return ids

    def _trim(self, ledger: Ledger, now: float) -> bool:
        """Delete some of the messages beyond the limits, and return whether there may be more."""
        try:
            return ledger.trim(self._retention, now)
        except FAILURES:
            return False  # storing the next message reports it

    def _answer(self, batch: Sequence[_Append], outcome: list[int] | HistoryError) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, batch, outcome)
        except RuntimeError:
            # The loop is closed: the messages are stored, and nothing waits for the answer.
            return


def open_history(path: Path | None, retention: Retention = KEEP) -> History:
    """Open the configured history; call it inside a running loop.

    Raises: ConfigError.
    """
    return Stored(path, retention) if path else Forgetful()


def _settle(batch: Sequence[_Append], outcome: list[int] | HistoryError) -> None:
    for index, append in enumerate(batch):
        if append.stored.done():
            continue
        if isinstance(outcome, HistoryError):
            append.stored.set_exception(outcome)
        else:
            append.stored.set_result(outcome[index])
