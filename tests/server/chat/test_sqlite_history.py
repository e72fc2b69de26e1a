"""The file of the history: its versions, and who may read it."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from nsroom_server.chat.history import Stored
from nsroom_server.chat.requests import Page
from nsroom_server.errors import ConfigError
from nsroom_server.settings.limits import Retention
from tests.server.chat.conftest import ROOMY, Open

VERSION_1 = """
CREATE TABLE messages (
    namespace TEXT NOT NULL, room TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (namespace, room, id)
) WITHOUT ROWID;
CREATE TABLE store (epoch TEXT NOT NULL);
PRAGMA user_version = 1;
INSERT INTO store VALUES ('abc');
INSERT INTO messages VALUES ('/', 'r', 1, '{"text":"a","time":"2026-11-23T19:00:00.123456Z"}');
INSERT INTO messages VALUES ('/', 'r', 2, '{"text":"b","time":"2026-11-23T19:00:01.123456Z"}');
"""


async def test_two_servers_share_a_file(reopen: Open) -> None:
    stores = [await reopen(), await reopen()]
    numbers = await asyncio.gather(*(store.append("/", "r", {}) for _ in range(50) for store in stores))
    assert sorted(numbers) == list(range(1, 101))


async def test_the_file_is_for_its_owner_only(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    await store.append("/", "r", {})
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert modes == {0o600}


async def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, but long enough to be looked at" * 100)
    for path, cause in ((tmp_path, "is a directory"), (tmp_path / "text", "not a database")):
        with pytest.raises(ConfigError, match=f"{cause}.*--history none"):
            Stored(path)


async def test_a_file_of_a_newer_version(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "h.db")) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="newer nsroom"):
        Stored(tmp_path / "h.db")


async def test_a_file_of_the_first_version(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(VERSION_1)
    store = Stored(path, Retention(messages=100, age=10**9, size=10**9))
    assert store.epoch == "abc"
    assert await store.append("/", "r", {"text": "c"}) == 3
    texts = [entry["text"] for entry in await store.read("/", Page("r", 0, 10), ROOMY)]
    assert texts == ["a", "b", "c"]
    await store.close()
