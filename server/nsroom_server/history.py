"""What was said, kept in SQLite: numbered from 1 in each room without holes, acknowledged when it is durable.

One thread writes. It takes whatever waits and commits it together, so that the cost of a sync to the disk
is shared; another thread reads. The event loop waits for neither.
"""

import asyncio
import json
import os
import queue
import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nsroom_server.errors import ConfigError
from nsroom_server.requests import Page

Body = dict[str, Any]

_BATCH = 1000
_VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS messages (
    namespace TEXT NOT NULL, room TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (namespace, room, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS store (epoch TEXT NOT NULL);
PRAGMA user_version = {_VERSION};
"""
# The next id is found in the store itself: nothing to load, nothing that could differ from it.
_INSERT = """
INSERT INTO messages SELECT :namespace, :room, COALESCE(MAX(id), 0) + 1, :body
FROM messages WHERE namespace = :namespace AND room = :room RETURNING id
"""
_LAST = "SELECT id, body FROM messages WHERE namespace = ? AND room = ? AND id > ? ORDER BY id DESC LIMIT ?"
_AFTER = "SELECT id, body FROM messages WHERE namespace = ? AND room = ? AND id > ? ORDER BY id LIMIT ?"


class HistoryError(Exception):
    """A message could not be stored, or the stored ones could not be read."""


class History(Protocol):
    """Where messages are numbered, and perhaps kept."""

    @property
    def epoch(self) -> str:
        """Changes when the store is new: an id of another epoch says nothing."""

    def append(self, namespace: str, room: str, body: Body) -> asyncio.Future[int]:
        """Number a message in the order of the calls; the result is its id, once it is durable."""

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:
        """Give a part of a room's messages, oldest first, of about `octets` bytes at most.

        Raises: HistoryError.
        """

    async def close(self) -> None:
        """Store what was appended and close."""


class Forgetful:
    """Numbers messages and keeps none."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self._last: Counter[tuple[str, str]] = Counter()

    def append(self, namespace: str, room: str, body: Body) -> asyncio.Future[int]:  # noqa: ARG002
        """Number a message."""
        self._last[namespace, room] += 1
        numbered = asyncio.get_running_loop().create_future()
        numbered.set_result(self._last[namespace, room])
        return numbered

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:  # noqa: ARG002
        """Give nothing."""
        return []

    async def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class _Append:
    row: dict[str, str]
    stored: asyncio.Future[int]


class Stored:
    """Keeps messages in an SQLite file.

    Raises: ConfigError when the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self.epoch = _prepare(path)
        self._waiting: queue.SimpleQueue[_Append | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="history-writer", daemon=True)
        self._reader = ThreadPoolExecutor(1, "history-reader")
        self._reading: sqlite3.Connection | None = None
        self._writer.start()

    def append(self, namespace: str, room: str, body: Body) -> asyncio.Future[int]:
        """Number and store a message."""
        stored: asyncio.Future[int] = self._loop.create_future()
        row = {"namespace": namespace, "room": room, "body": json.dumps(body, separators=(",", ":"))}
        self._waiting.put(_Append(row, stored))
        return stored

    async def read(self, namespace: str, page: Page, octets: int) -> list[Body]:
        """Read a part of a room's messages."""
        return await self._loop.run_in_executor(self._reader, self._read, namespace, page, octets)

    async def close(self) -> None:
        """Commit what waits, end both threads and close the file."""
        self._waiting.put(None)
        await self._loop.run_in_executor(self._reader, self._finish)
        self._reader.shutdown()

    def _finish(self) -> None:
        self._writer.join()
        if self._reading:
            self._reading.close()

    def _read(self, namespace: str, page: Page, octets: int) -> list[Body]:
        query = _LAST if page.after is None else _AFTER
        try:
            self._reading = self._reading or _connect(self._path)
            rows = self._reading.execute(query, (namespace, page.room, page.after or 0, page.limit))
            bodies = list(bounded(rows, octets))
        except sqlite3.Error as error:
            raise HistoryError(f"the history cannot be read: {error}") from error
        return bodies[::-1] if page.after is None else bodies

    def _write(self) -> None:
        connection = _connect(self._path)
        going = True
        while going:
            batch, going = self._next_batch()
            if batch:
                self._answer(batch, _commit(connection, batch))
        connection.close()

    def _next_batch(self) -> tuple[list[_Append], bool]:
        batch: list[_Append] = []
        item = self._waiting.get()
        while item is not None:
            batch.append(item)
            if len(batch) == _BATCH or self._waiting.empty():
                return batch, True
            item = self._waiting.get()
        return batch, False

    def _answer(self, batch: Sequence[_Append], outcome: list[int] | HistoryError) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, batch, outcome)
        except RuntimeError:
            # The loop is closed: nobody waits for the answer, and the messages are stored.
            return


def open_history(path: Path | None) -> History:
    """Open the history that is asked for; call it inside a running loop.

    Raises: ConfigError.
    """
    return Stored(path) if path else Forgetful()


def _settle(batch: Sequence[_Append], outcome: list[int] | HistoryError) -> None:
    for index, append in enumerate(batch):
        if append.stored.done():
            continue
        if isinstance(outcome, HistoryError):
            append.stored.set_exception(outcome)
        else:
            append.stored.set_result(outcome[index])


def _commit(connection: sqlite3.Connection, batch: Sequence[_Append]) -> list[int] | HistoryError:
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            return [connection.execute(_INSERT, append.row).fetchone()[0] for append in batch]
    except sqlite3.Error as error:
        return HistoryError(f"the message was not stored: {error}")


def bounded(rows: Iterator[tuple[int, str]], octets: int) -> Iterator[Body]:
    """Give the first message whatever its size, and further ones as long as they fit."""
    taken = 0
    for number, body in rows:
        taken += len(body)
        if taken > octets and taken > len(body):
            return
        yield {"id": number, **json.loads(body)}


def _prepare(path: Path) -> str:
    """Make the file if need be, for its owner only, and give the store's epoch."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = _connect(path)
        try:
            return _schema(connection, path)
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        cause = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"history {path}: {str(cause).lower()}; choose another file with --history, or --history none"
        ) from error


def _schema(connection: sqlite3.Connection, path: Path) -> str:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise ConfigError(f"history {path}: written by a newer nsroom; choose another file with --history")
    connection.executescript(_SCHEMA)
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        fresh = secrets.token_hex(8)
        connection.execute("INSERT INTO store SELECT ? WHERE NOT EXISTS (SELECT 1 FROM store)", (fresh,))
    (epoch,) = connection.execute("SELECT epoch FROM store").fetchone()
    return str(epoch)


def _connect(path: Path) -> sqlite3.Connection:
    # The reader's connection is made in its thread and closed there too; the writer's as well.
    connection = sqlite3.connect(path, timeout=5, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
