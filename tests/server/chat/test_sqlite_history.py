"""The file of the history: its versions, and who may read it."""

import asyncio
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from nsroom_server.chat import catchup
from nsroom_server.chat.history import HistoryError, Stored
from nsroom_server.chat.requests import Page
from nsroom_server.chat.sqlite_history import Ledger, prepare
from nsroom_server.errors import ConfigError
from nsroom_server.settings.limits import Retention
from nsroom_server.strict_json import dumps
from tests.peers.program import Runner
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
    numbers = await asyncio.gather(*(store.append("/", "r", "{}") for _ in range(50) for store in stores))
    assert sorted(numbers) == list(range(1, 101))


def test_a_room_keeps_exactly_as_many_messages_as_allowed(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    ledger = Ledger(path, prepare(path))
    row = "/", "r", "{}"
    kept = []
    for batch in (1, 2, 1, 1, 6):
        ledger.append([row] * batch, Retention(messages=3, age=10**9, size=10**9), 1.0)
        kept.append([body["id"] for body in ledger.page("/", Page("r", 0, 100), 10**6)])
    ledger.close()
    assert kept == [[1], [1, 2, 3], [2, 3, 4], [3, 4, 5], [9, 10, 11]]


async def test_the_file_is_for_its_owner_only(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    await store.append("/", "r", "{}")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert modes == {0o600}


async def test_a_file_that_others_may_read_is_taken_from_them(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    await store.append("/", "r", "{}")
    files = list((tmp_path / "state").iterdir())
    assert len(files) == 3
    for path in files:
        path.chmod(0o644)
    await (await reopen()).append("/", "r", "{}")
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


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
    assert await store.append("/", "r", dumps({"text": "c"})) == 3
    texts = [entry["text"] for entry in await store.read("/", Page("r", 0, 10), ROOMY)]
    assert texts == ["a", "b", "c"]
    await store.close()


VERSION_2 = """
CREATE TABLE messages (
    namespace TEXT NOT NULL, room TEXT NOT NULL, id INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (namespace, room, id)
) WITHOUT ROWID;
CREATE INDEX messages_at ON messages (at);
CREATE TABLE rooms (
    namespace TEXT NOT NULL, room TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (namespace, room)
) WITHOUT ROWID;
CREATE TABLE store (epoch TEXT NOT NULL, floor INTEGER NOT NULL DEFAULT 0);
PRAGMA user_version = 2;
INSERT INTO store (epoch) VALUES ('abc');
INSERT INTO rooms VALUES ('/', 'r', 2);
INSERT INTO messages VALUES ('/', 'r', 1, 1795000000.0, '{"text":"a"}');
INSERT INTO messages VALUES ('/', 'r', 2, 1795000001.0, '{"text":"b"}');
"""


@pytest.mark.parametrize(("script", "messages"), [(VERSION_1, 2), (VERSION_2, 2), ("", 0)])
def test_servers_that_start_at_once(tmp_path: Path, script: str, messages: int) -> None:
    def open_it(path: Path, start: threading.Barrier) -> str:
        start.wait()
        return prepare(path)

    with ThreadPoolExecutor(4) as threads:
        for number in range(20):
            path, start = tmp_path / f"{number}.db", threading.Barrier(4)
            with closing(sqlite3.connect(path)) as database:
                database.executescript(script)
            epochs = {each.result() for each in [threads.submit(open_it, path, start) for _ in range(4)]}
            assert len(epochs) == 1
            with closing(sqlite3.connect(path)) as database:
                assert database.execute("SELECT COUNT(*) FROM messages").fetchone() == (messages,)
                assert database.execute("SELECT COUNT(*) FROM store").fetchone() == (1,)


DAMAGE = {
    "no JSON": "UPDATE messages SET body = '{\"text', checksum = NULL WHERE id = 2",
    "no object": "UPDATE messages SET body = '7', checksum = NULL WHERE id = 2",
    "no UTF-8": "UPDATE messages SET body = CAST(x'7b22ff' AS TEXT), checksum = NULL WHERE id = 2",
    "changed bytes": "UPDATE messages SET body = replace(body, '\"n\":2', '\"n\":3') WHERE id = 2",
    "a lost row": "DELETE FROM messages WHERE id = 2",
}


async def test_a_file_of_the_second_version(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(VERSION_2)
    for number in (3, 4):
        store = Stored(path, Retention(messages=100, age=10**9, size=10**9))
        assert store.epoch == "abc"
        assert await store.append("/", "r", dumps({"text": "c"})) == number
        texts = [entry["text"] for entry in await store.read("/", Page("r", 0, 10), ROOMY)]
        assert texts == ["a", "b", *"cc"[: number - 2]]
        await store.close()


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_a_damaged_row_is_left_out_and_reported(reopen: Open, tmp_path: Path, damage: str) -> None:
    store = await reopen()
    await asyncio.gather(*(store.append("/", "r", dumps({"n": n})) for n in range(1, 6)))
    with closing(sqlite3.connect(tmp_path / "state" / "history.db")) as database, database:
        database.execute(damage)

    async def read(after: int | None, limit: int = 10) -> tuple[list[int], str | None]:
        answer = await catchup.read(store, "/", Page("r", after, limit), ROOMY)
        return [message["n"] for message in answer["history"]], answer["gap"]

    assert await read(None) == await read(0) == ([1, 3, 4, 5], "damaged")
    assert await read(0, 2) == ([1, 3], "damaged")
    assert await read(None, 3) == ([3, 4, 5], None)
    assert await read(1) == ([3, 4, 5], "damaged")
    assert await read(2) == ([3, 4, 5], None)


async def test_the_newest_row_is_damaged(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    await asyncio.gather(*(store.append("/", "r", "{}") for _ in range(3)))
    with closing(sqlite3.connect(tmp_path / "state" / "history.db")) as database:
        database.execute("UPDATE messages SET checksum = 0 WHERE id = 3")
        database.commit()
        assert (await catchup.read(store, "/", Page("r", None, 10), ROOMY))["gap"] == "damaged"
        database.execute("UPDATE messages SET checksum = 0")
        database.commit()
    with pytest.raises(HistoryError, match="3 messages are damaged"):
        await catchup.read(store, "/", Page("r", None, 10), ROOMY)


def remove(path: Path) -> None:
    path.unlink()


def replace_file(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


def remove_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


@pytest.mark.parametrize("move", [remove, replace_file, remove_log])
async def test_a_file_that_is_removed_or_replaced(
    reopen: Open, tmp_path: Path, move: Callable[[Path], None]
) -> None:
    store, path = await reopen(), tmp_path / "state" / "history.db"
    await store.append("/", "r", "{}")
    assert await store.last("/", "r") == 1
    move(path)
    files = sorted(path.parent.iterdir())
    with pytest.raises(HistoryError, match="not stored: its file was removed or replaced; put it back"):
        await store.append("/", "r", "{}")
    with pytest.raises(HistoryError, match="cannot be read: its file was removed or replaced"):
        await store.read("/", Page("r", None, 1), ROOMY)
    assert sorted(path.parent.iterdir()) == files
    assert store.lost


async def test_a_file_that_is_put_back(reopen: Open, tmp_path: Path) -> None:
    store, path = await reopen(), tmp_path / "state"
    await store.append("/", "r", dumps({"text": "a"}))
    path.rename(tmp_path / "elsewhere")
    async with asyncio.timeout(5):
        while not store.lost:  # noqa: ASYNC110 - another thread checks once a second
            await asyncio.sleep(0.05)
    with pytest.raises(HistoryError):
        await store.append("/", "r", dumps({"text": "lost"}))
    (tmp_path / "elsewhere").rename(path)
    assert await store.append("/", "r", dumps({"text": "b"})) == 2
    texts = [entry["text"] for entry in await store.read("/", Page("r", 0, 10), ROOMY)]
    assert texts == ["a", "b"]


async def test_a_newer_file_is_refused_by_the_program(nsroom: Runner, tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(f"{VERSION_2} PRAGMA user_version = 99;")
    before = path.read_bytes()
    result = await nsroom("serve", "--port", "0", "--history", str(path))
    assert (result.code, result.stderr) == (
        2,
        f"nsroom: history {path}: written by a newer nsroom; choose another file with --history\n",
    )
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT id, body FROM messages").fetchall() == [
            (1, '{"text":"a"}'),
            (2, '{"text":"b"}'),
        ]
    assert len(path.read_bytes()) == len(before)
