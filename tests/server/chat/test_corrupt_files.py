"""Damaged history files: whatever bytes change, the server refuses, tells of a gap, or serves the truth.

`python -m tests.server.chat.test_corrupt_files 10000 7` tries 10,000 files, from seed 7.
"""

import asyncio
import random
import sys
import tempfile
from pathlib import Path

import pytest

from nsroom_server.chat import catchup
from nsroom_server.chat.history import HistoryError, Stored
from nsroom_server.chat.requests import Page
from nsroom_server.errors import ConfigError
from nsroom_server.strict_json import dumps

COUNT = 60
"""Messages in the file."""
TEXTS = {number: f"message {number} " + "x" * (number * 37 % 400) for number in range(1, COUNT + 1)}
OUTCOMES = {"refused", "unreadable", "gap", "whole", "not stored"}


async def make(path: Path) -> bytes:
    """Return the bytes of a whole file, with everything in it and nothing in its log."""
    store = Stored(path)
    await asyncio.gather(*(store.append("/", "r", dumps({"text": text})) for text in TEXTS.values()))
    await store.close()
    assert not path.with_name(f"{path.name}-wal").exists()
    return path.read_bytes()  # noqa: ASYNC240 - nothing else runs


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """Return the file with some of it changed, cut off or repeated."""
    data = bytearray(whole)
    for _ in range(chance.choice([1, 1, 1, 3, 30])):
        at = chance.randrange(len(data) or 1)
        match chance.choice(["bit", "byte", "zeros", "page", "cut"]):
            case "bit" if data:
                data[at] ^= 1 << chance.randrange(8)
            case "byte" if data:
                data[at] = chance.randrange(256)
            case "zeros":
                data[at : at + 64] = bytes(len(data[at : at + 64]))
            case "page":
                start, other = at // 4096 * 4096, chance.randrange(len(data) // 4096 + 1) * 4096
                data[start : start + 4096] = data[other : other + 4096]
            case "cut" if chance.random() < 0.1:
                del data[at:]
    return bytes(data)


async def outcome(path: Path) -> str:
    """Open and read a damaged file and store a message; return what came of it, or raise AssertionError."""
    try:
        store = Stored(path)
    except ConfigError:
        return "refused"
    try:
        return await _read(store)
    finally:
        await store.close()


async def _read(store: Stored) -> str:
    try:
        answer = await catchup.read(store, "/", Page("r", 0, 1000), 10**9)
    except HistoryError:
        return "unreadable"
    seen = {message["id"]: message["text"] for message in answer["history"]}
    assert len(seen) == len(answer["history"])
    assert all(TEXTS.get(number) == text for number, text in seen.items()), "changed bytes were served"
    whole = seen == TEXTS and answer["last"] == COUNT
    assert whole or answer["gap"] or max(seen, default=0) < answer["last"] or answer["last"] < COUNT
    try:
        number = await store.append("/", "r", dumps({"text": "one more"}))
    except HistoryError:
        return "not stored"
    assert number > max(seen, default=0), "an id was given twice"
    return "whole" if whole else "gap"


async def run(folder: Path, count: int, seed: int) -> dict[str, int]:
    """Try files, and count what came of them."""
    whole, counts = await make(folder / "whole.db"), dict.fromkeys(OUTCOMES, 0)
    for number in range(seed, seed + count):
        path = folder / f"{number}.db"
        path.write_bytes(damaged(whole, random.Random(number)))
        try:
            async with asyncio.timeout(20):
                counts[await outcome(path)] += 1
        except BaseException as error:
            error.add_note(f"seed {number}")
            raise
    return counts


@pytest.mark.parametrize("seed", [0, 1000])
async def test_a_damaged_file_is_refused_or_told(tmp_path: Path, seed: int) -> None:
    counts = await run(tmp_path, 100, seed)
    assert counts["gap"] > 0
    assert counts["whole"] > 0
    assert counts["refused"] + counts["unreadable"] > 0


if __name__ == "__main__":
    count, seed = (int(each) for each in (*sys.argv[1:], "1000", "0")[:2])
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(f"{asyncio.run(run(Path(name), count, seed))}\n")
