"""Tables and statements of the history in SQLite."""

import os
import secrets
import sqlite3
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from nsroom_server import strict_json
from nsroom_server.chat.requests import Page
from nsroom_server.engineio.packets import size_of
from nsroom_server.errors import ConfigError
from nsroom_server.settings.limits import Retention

Body = dict[str, Any]
Row = tuple[str, str, str]
"""A message to store: namespace, room, body."""

_VERSION = 3
_PATIENCE = 500
"""Milliseconds to wait for a lock of another process."""
_CONVERSION = 30_000
"""Milliseconds to wait when the server starts: another one may be converting a large file."""
_IMPATIENCE = 20
"""Milliseconds to wait while storing fails: senders should not wait that long for each message."""
_STEP = 2000
"""Messages to delete at once: messages to store wait no longer than that takes."""
_EVER = float("inf")
# A new room starts after `floor`, the highest id of the rooms that were deleted: no id is used twice.
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS messages (
    namespace TEXT NOT NULL, room TEXT NOT NULL, id INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL,
    checksum INTEGER, PRIMARY KEY (namespace, room, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_at ON messages (at);
CREATE TABLE IF NOT EXISTS rooms (
    namespace TEXT NOT NULL, room TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (namespace, room)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS store (epoch TEXT NOT NULL, floor INTEGER NOT NULL DEFAULT 0);
PRAGMA user_version = {_VERSION};
"""
_FROM_VERSION_1 = """
ALTER TABLE messages RENAME TO messages_1;
ALTER TABLE store ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
CREATE TABLE messages (
    namespace TEXT NOT NULL, room TEXT NOT NULL, id INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (namespace, room, id)
) WITHOUT ROWID;
INSERT INTO messages SELECT namespace, room, id,
    COALESCE((julianday(json_extract(body, '$.time')) - 2440587.5) * 86400, 0), body FROM messages_1;
CREATE TABLE rooms (
    namespace TEXT NOT NULL, room TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (namespace, room)
) WITHOUT ROWID;
INSERT INTO rooms SELECT namespace, room, MAX(id) FROM messages_1 GROUP BY namespace, room;
DROP TABLE messages_1;
PRAGMA user_version = 2;
"""
# Rows of before have no checksum.
_FROM_VERSION_2 = """
ALTER TABLE messages ADD COLUMN checksum INTEGER;
PRAGMA user_version = 3;
"""
_MIGRATIONS = (_FROM_VERSION_1, _FROM_VERSION_2)
"""The first turns version 1 into version 2, and so on."""
_NUMBER = """
INSERT INTO rooms SELECT ?, ?, floor + 1 FROM store WHERE true
ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last
"""
_HIGHEST = """
(SELECT MAX(id) FROM messages WHERE messages.namespace = rooms.namespace AND messages.room = rooms.room)
"""
_RAISE_LAST = f"UPDATE rooms SET last = {_HIGHEST} WHERE last < {_HIGHEST}"
_INSERT = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)"
# As bytes: text that is not UTF-8 would end the query instead of one row.
_AFTER = """
SELECT id, CAST(body AS BLOB), checksum FROM messages WHERE namespace = ? AND room = ? AND id > ? ORDER BY id
"""
_LAST = f"{_AFTER} DESC"
_NEWEST = "SELECT COALESCE((SELECT last FROM rooms WHERE namespace = ? AND room = ?), floor) FROM store"
_OLDEST = "SELECT MIN(id) FROM messages WHERE namespace = ? AND room = ?"
_SHORTEN = "DELETE FROM messages WHERE namespace = ? AND room = ? AND id <= ?"
_FORGET = """
DELETE FROM messages WHERE at <= MIN(?, (
    SELECT COALESCE(MAX(at), 0) FROM (SELECT at FROM messages ORDER BY at LIMIT ?)
))
"""
_EMPTY = """FROM rooms WHERE NOT EXISTS (
    SELECT 1 FROM messages WHERE messages.namespace = rooms.namespace AND messages.room = rooms.room
)
"""
_RAISE_FLOOR = f"UPDATE store SET floor = MAX(floor, (SELECT COALESCE(MAX(last), 0) {_EMPTY}))"
_FORGET_ROOMS = f"DELETE {_EMPTY}"


class UnreadableError(sqlite3.DatabaseError):
    """None of the stored messages can be read."""


class MovedError(sqlite3.OperationalError):
    """The file was removed or replaced."""

    def __init__(self) -> None:
        super().__init__("its file was removed or replaced; put it back, or start the server again")


FAILURES = (sqlite3.Error, TypeError, ValueError, OverflowError)
"""The exceptions of a ledger: a damaged file may hold values of any type, or none."""


class Ledger:
    """A connection to the file, for one thread. Every method raises one of FAILURES.

    SQLite keeps writing to a file that was removed or replaced, and its data is lost when it closes. So
    nothing is committed or read while the path, or that of the write-ahead log, leads to another file or to
    none. The same files at the same paths work again. Another file is never opened: its ids may be older, and
    ids of one epoch must not be given twice.
    """

    def __init__(self, path: Path, epoch: str) -> None:
        self._connection = _connect(path)
        self._patient = True
        # Reading makes SQLite open the write-ahead log, too.
        (found,) = self._connection.execute("SELECT epoch FROM store").fetchone()
        # As texts: with each message, paths would cost as much as two statements.
        self._paths = (str(path), str(_companions(path)[0]))
        self._files = [_identity(each) for each in self._paths]
        if found != epoch:
            raise MovedError

    def newest(self) -> float | None:
        """Return the time of the newest message, or None if there are none."""
        return _newest(self._connection)

    def append(self, rows: Sequence[Row], retention: Retention, now: float) -> list[int]:
        """Store all messages or none, and return their ids once they are durable."""
        try:
            with self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                ids = [_append(connection, row, now) for row in rows]
                newest = {row[:2]: id for row, id in zip(rows, ids, strict=True)}
                for room, last in newest.items():
                    if last > retention.messages:
                        connection.execute(_SHORTEN, (*room, last - retention.messages))
                self._require_in_place()
                # Here, not at the end of the block: this statement stays prepared.
                connection.execute("COMMIT")
        except sqlite3.Error:
            self._wait(_IMPATIENCE, patient=False)
            raise
        self._wait(_PATIENCE, patient=True)
        return ids

    @property
    def in_place(self) -> bool:
        """Whether the path still leads to the file that was opened."""
        return [_identity(each) for each in self._paths] == self._files

    def _require_in_place(self) -> None:
        if not self.in_place:
            raise MovedError

    def _wait(self, milliseconds: int, patient: bool) -> None:
        if self._patient != patient:
            self._patient = patient
            self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def trim(self, retention: Retention, now: float) -> bool:
        """Delete some of the messages beyond the limits, and return whether there may be more."""
        self._require_in_place()
        removed = self._forget(now - retention.age)
        if self._size() > retention.size:
            removed += self._forget(_EVER) + self._forget_rooms()
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return removed > 0

    def _forget(self, until: float) -> int:
        return self._connection.execute(_FORGET, (until, _STEP)).rowcount

    def _forget_rooms(self) -> int:
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_RAISE_FLOOR)
            return connection.execute(_FORGET_ROOMS).rowcount

    def _size(self) -> int:
        pages, unused, octets = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - unused) * octets)

    def page(self, namespace: str, page: Page, octets: int) -> list[Body]:
        """Return the readable messages, oldest first, of about `octets` bytes at most."""
        self._require_in_place()
        query = _LAST if page.after is None else _AFTER
        rows = self._connection.execute(query, (namespace, page.room, page.after or 0))
        bodies = list(islice(bounded(_undamaged(rows, namespace, page.room), octets), page.limit))
        return bodies[::-1] if page.after is None else bodies

    def last(self, namespace: str, room: str) -> int:
        """Return the last id of a room, or 0 if there was none."""
        self._require_in_place()
        return int(self._connection.execute(_NEWEST, (namespace, room)).fetchone()[0])

    def oldest(self, namespace: str, room: str) -> int | None:
        """Return the first id of a room that is stored, readable or not, or None without any."""
        found: int | None = self._connection.execute(_OLDEST, (namespace, room)).fetchone()[0]
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def prepare(path: Path) -> str:
    """Create the file if needed, readable by its owner only, and return the store's epoch.

    Raises: ConfigError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        _make_private(path)
        connection = _connect(path, _CONVERSION)
        try:
            epoch = _schema(connection, path)
            # What the writer reads first; of a damaged file that fails.
            _newest(connection)
            return epoch
        finally:
            connection.close()
    except (OSError, *FAILURES) as error:
        cause = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"history {path}: {str(cause).lower()}; choose another file with --history, or --history none"
        ) from error


def _make_private(path: Path) -> None:
    """Let only the owner read the file and those that SQLite left next to it."""
    for each in (path, *_companions(path)):
        with suppress(FileNotFoundError):
            if stat.S_IMODE(each.stat().st_mode) & 0o077:
                each.chmod(0o600)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _companions(path: Path) -> tuple[Path, Path]:
    """Return the paths of the write-ahead log and of its index."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _schema(connection: sqlite3.Connection, path: Path) -> str:
    """Create or convert the tables, in one transaction: another server may start on the same file."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise ConfigError(
                f"history {path}: written by a newer nsroom; choose another file with --history"
            )
        for script in (*(_MIGRATIONS[version - 1 :] if version else ()), _SCHEMA):
            # `executescript` would commit first.
            for statement in script.split(";"):
                connection.execute(statement)
        fresh = secrets.token_hex(8)
        connection.execute(
            "INSERT INTO store (epoch) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM store)", (fresh,)
        )
        # A damaged file may have a lower one than its messages, and no id is given twice.
        connection.execute(_RAISE_LAST)
        (epoch,) = connection.execute("SELECT epoch FROM store").fetchone()
    return str(epoch)


def _newest(connection: sqlite3.Connection) -> float | None:
    (at,) = connection.execute("SELECT MAX(at) FROM messages").fetchone()
    return at if isinstance(at, float) else None


def _connect(path: Path, patience: int = _PATIENCE) -> sqlite3.Connection:
    # A file that was removed is not created again: only `prepare` creates files.
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, timeout=patience / 1000, isolation_level=None, uri=True)
    _use_write_ahead_log(connection, monotonic() + patience / 1000)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection, deadline: float) -> None:
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # While another connection does the same, SQLite fails at once, whatever the time-out.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
        sleep(0.01)


def _append(connection: sqlite3.Connection, row: Row, at: float) -> int:
    namespace, room, body = row
    (number,) = connection.execute(_NUMBER, (namespace, room)).fetchone()
    place = namespace, room, int(number)
    connection.execute(_INSERT, (*place, at, body, _checksum(place, body.encode())))
    return place[2]


def _checksum(place: tuple[str, str, int], body: bytes) -> int:
    """Return the checksum of a message, with its namespace, room and id."""
    return zlib.crc32(body, zlib.crc32("\n".join(map(str, place)).encode()))


def _undamaged(
    rows: Iterable[tuple[int, bytes, int | None]], namespace: str, room: str
) -> Iterator[tuple[int, bytes]]:
    """Yield the rows with an empty body for each that was changed; a damaged file may have rows twice."""
    step, last = 0, None
    for number, body, checksum in rows:
        if last is not None:
            step = step or (1 if number > last else -1)
            if (number - last) * step <= 0:
                continue
        last = number
        changed = checksum is not None and checksum != _checksum((namespace, room, number), body)
        yield number, b"" if changed else body


def bounded(rows: Iterable[tuple[int, str | bytes]], octets: int) -> Iterator[Body]:
    """Yield the first message whatever its size, and further ones while they fit.

    A body that cannot be read is left out: the hole in the ids says so. Raises: UnreadableError, if there are
    rows and none of them can be read.
    """
    taken, unreadable = 0, 0
    for number, body in rows:
        message = _message(number, body)
        if message is None:
            unreadable += 1
            continue
        size = size_of(body)
        if taken and taken + size > octets:
            return
        taken += size
        yield message
    if unreadable and not taken:
        raise UnreadableError(f"{unreadable} messages are damaged")


def _message(number: int, body: str | bytes) -> Body | None:
    try:
        return {"id": number, **strict_json.loads_trusted(body)}
    except (ValueError, TypeError):
        return None
