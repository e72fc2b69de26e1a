import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from nsroom_server.chat.history import KEEP, Forgetful, HistoryError, Stored, open_history
from nsroom_server.chat.requests import Page
from nsroom_server.strict_json import dumps
from tests.server.chat.conftest import ROOMY, Open

DAY = 86_400.0
WRITER = """
import asyncio, json, sys
from pathlib import Path
from nsroom_server.chat.history import Stored

async def main():
    store = Stored(Path(sys.argv[1]))
    async def talk(room):
        count = 0
        while True:
            count += 1
            number = await store.append("/", room, json.dumps({"text": f"{room}-{count}"}))
            sys.stdout.write(f"{room} {number} {room}-{count}\\n")
            sys.stdout.flush()
    await asyncio.gather(*(talk(f"r{index % 3}.{index}"[:2]) for index in range(30)))

asyncio.run(main())
"""


async def test_ids_count_from_one_in_each_room(reopen: Open) -> None:
    store = await reopen()
    numbered = [
        store.append(ns, room, "{}") for _ in range(3) for ns in ("/", "/chat") for room in ("a", "b")
    ]
    assert await asyncio.gather(*numbered) == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]


async def test_messages_come_back_as_they_went_in(reopen: Open) -> None:
    store = await reopen()
    body = {"text": "😀 \ud800 \x00", "n": 2**53 + 1, "deep": [{"k": None}]}
    await store.append("/", "r", dumps(body))
    assert await store.read("/", Page("r", None, 10), ROOMY) == [{"id": 1, **body}]


async def test_pages(reopen: Open) -> None:
    store = await reopen()
    await asyncio.gather(*(store.append("/", "r", dumps({"n": n})) for n in range(1, 11)))

    async def ids(after: int | None, limit: int, octets: int = ROOMY) -> list[int]:
        return [entry["id"] for entry in await store.read("/", Page("r", after, limit), octets)]

    assert await ids(None, 3) == [8, 9, 10]
    assert await ids(0, 3) == [1, 2, 3]
    assert await ids(8, 100) == [9, 10]
    assert await ids(10, 100) == []
    assert await ids(None, 100, octets=20) == [9, 10]
    assert await ids(0, 100, octets=1) == [1]


async def test_the_file_goes_on_where_it_was(tmp_path: Path) -> None:
    epochs = set()
    for number in (1, 2, 3):
        store = Stored(tmp_path / "h.db")
        epochs.add(store.epoch)
        assert await store.append("/", "r", "{}") == number
        await store.close()
    assert len(epochs) == 1


async def test_a_new_file_has_a_new_epoch(tmp_path: Path) -> None:
    stores = [Stored(tmp_path / name) for name in ("a.db", "b.db")]
    assert stores[0].epoch != stores[1].epoch
    for store in stores:
        await store.close()


async def test_closing_stores_what_was_appended(tmp_path: Path) -> None:
    store = Stored(tmp_path / "h.db")
    waiting = [store.append("/", "r", "{}") for _ in range(100)]
    await store.close()
    assert await asyncio.gather(*waiting) == list(range(1, 101))


async def test_a_failing_store_says_so_and_recovers(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    await store.append("/", "r", "{}")
    with closing(sqlite3.connect(tmp_path / "state" / "history.db")) as other:
        other.execute("ALTER TABLE messages RENAME TO elsewhere")
        with pytest.raises(HistoryError, match="not stored: no such table"):
            await store.append("/", "r", "{}")
        with pytest.raises(HistoryError, match="cannot be read: no such table"):
            await store.read("/", Page("r", None, 1), ROOMY)
        other.execute("ALTER TABLE elsewhere RENAME TO messages")
    assert await store.append("/", "r", "{}") == 2


async def test_only_so_many_messages_of_a_room_are_kept(tmp_path: Path) -> None:
    store = Stored(tmp_path / "h.db", replace(KEEP, messages=3))
    await asyncio.gather(*(store.append("/", room, "{}") for _ in range(10) for room in ("a", "b")))
    assert await kept(store, "a") == await kept(store, "b") == [8, 9, 10]
    assert await store.last("/", "a") == 10
    await store.close()


async def test_messages_are_kept_for_so_long(tmp_path: Path) -> None:
    store = Stored(tmp_path / "h.db")
    await asyncio.gather(*(store.append("/", room, "{}") for _ in range(5) for room in ("a", "b")))
    await store.close()
    again = Stored(tmp_path / "h.db", replace(KEEP, age=0.2))
    await asyncio.sleep(0.2)
    assert await again.append("/", "a", "{}") == 6
    await until(lambda: kept(again, "b"), [])
    assert await again.append("/", "b", "{}") == 6
    await again.close()


async def test_a_clock_that_jumps_deletes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    jump = 0.0
    retention = replace(KEEP, age=90 * DAY)

    def wall_clock() -> float:
        return time.time() + jump

    store = Stored(tmp_path / "h.db", retention, wall_clock)
    await asyncio.gather(*(store.append("/", "r", "{}") for _ in range(105)))
    jump = 100 * DAY
    await store.append("/", "r", "{}")
    await asyncio.sleep(1.5)
    await store.append("/", "r", "{}")
    jump = 0
    assert len(await kept(store, "r")) == 107
    await store.append("/", "r", "{}")
    await store.close()
    jumps = [line for line in caplog.records if "the wall clock has jumped" in line.getMessage()]
    assert [line.__dict__["fields"]["seconds"] for line in jumps] == [100 * DAY, -100 * DAY]

    jump = 100 * DAY
    again = Stored(tmp_path / "h.db", retention, wall_clock)
    await again.append("/", "r", "{}")
    await asyncio.sleep(1.5)
    assert len(await kept(again, "r")) == 109
    await again.close()


async def test_the_file_does_not_outgrow_its_bound(tmp_path: Path) -> None:
    store = Stored(tmp_path / "h.db", replace(KEEP, size=2**20))
    for number in range(6):
        text = dumps({"text": "x" * 1000})
        await asyncio.gather(*(store.append("/", f"{number}.{n % 50}", text) for n in range(2000)))
        await until(lambda: size(tmp_path / "h.db"), True)
    last = max([await store.last("/", f"5.{n}") for n in range(50)])
    assert await store.append("/", "new", "{}") >= last - 40 + 1
    await store.close()


async def size(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as database:
        pages, unused, octets = (
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return bool((pages - unused) * octets <= 2**20)


async def kept(store: Stored, room: str) -> list[int]:
    return [entry["id"] for entry in await store.read("/", Page(room, 0, 1000), ROOMY)]


async def until(look: Callable[[], Awaitable[object]], wanted: object) -> None:
    async with asyncio.timeout(10):
        while await look() != wanted:  # noqa: ASYNC110 - another thread decides
            await asyncio.sleep(0.02)


async def test_without_a_file_messages_are_numbered_and_forgotten() -> None:
    store = open_history(None)
    assert isinstance(store, Forgetful)
    assert [await store.append("/", "r", "{}") for _ in range(3)] == [1, 2, 3]
    assert await store.read("/", Page("r", None, 10), ROOMY) == []
    await store.close()


@pytest.mark.parametrize("acknowledged", [1, 50, 1000])
async def test_what_was_acknowledged_survives_kill(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "h.db"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout
    lines = [await child.stdout.readline() for _ in range(acknowledged)]
    os.kill(child.pid, signal.SIGKILL)
    lines += (await child.stdout.read()).splitlines(keepends=True)
    await child.wait()

    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute("SELECT room, id, body FROM messages ORDER BY room, id").fetchall()
    stored = [f"{room} {number} {json.loads(body)['text']}" for room, number, body in rows]
    assert len(stored) == len(set(stored))
    assert {line.decode().strip() for line in lines if line.endswith(b"\n")} <= set(stored)
    for name in {room for room, _, _ in rows}:
        ids = [number for room, number, _ in rows if room == name]
        assert ids == list(range(1, len(ids) + 1))
