"""Ten thousand awkward values through `emit -`, a server that sends them back, and `connect --json`."""

import json
import random
from pathlib import Path
from typing import Any

from tests.conftest import StartServer
from tests.peers.program import Runner, Spawner

SIZE = 10_000
TEXTS = (
    *(
        "",
        " ",
        "plain",
        "ünïcödé",
        "漢字かな",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "\x00\x01\x1b[31m\x7f\x9b",
        "\u2028\u2029\x85\r\n\t",
    ),
    *("\u202e\u2066bidi", "\ud800", "\udc00\ud800", "a\udfffb", '"\\/', "[link=x]", "\x1e", "null", "1e5"),
)
NUMBERS = (
    *(0, -1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**64, 10**30),
    *(0.1, -0.0, 1.5e300, 5e-324, 1e16, 123456789.123456789),
)
PLAIN: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    {"_placeholder": False},
    {"$$binary": "not base64"},
    {"$$$binary": [1]},
)
BLOBS = ({"$binary": ""}, {"$binary": "AA=="}, {"$binary": "AAECgP8="}, {"$binary": "A" * 4000})


def _value(random: random.Random, depth: int = 0) -> Any:
    kind = random.randrange(6 if depth < 4 else 4)
    if kind < 4:
        return random.choice((TEXTS, NUMBERS, PLAIN, BLOBS)[kind])
    values = [_value(random, depth + 1) for _ in range(random.randrange(5))]
    return values if kind == 4 else dict(zip(("a", "b", "ключ", "\ud83d", ""), values, strict=False))


def _corpus() -> list[list[Any]]:
    rng = random.Random(20261123)
    return [[index, *(_value(rng) for _ in range(rng.randrange(1, 4)))] for index in range(SIZE)]


async def test_what_comes_back_is_what_went_in(
    nsroom: Runner, spawn: Spawner, python_server: StartServer, tmp_path: Path
) -> None:
    server, seen, corpus = await python_server("--ordered"), tmp_path / "seen.ndjson", _corpus()
    watcher = await spawn("connect", server.url, "--json", "-C", str(SIZE), stdout=seen)
    await server.proc.seen(kind="connect")
    lines = "".join(json.dumps(["shout", *args]) + "\n" for args in corpus)
    result = await nsroom(
        "emit", "-u", server.url, "--timeout", "60", "--summary", "-", stdin=lines, timeout=90
    )
    assert result.code == 0
    summary = json.loads(result.stderr)
    assert (summary["read"], summary["sent"]) == (SIZE, SIZE)
    assert await watcher.end(30) == 0
    written = seen.read_bytes()
    assert written.isascii()
    records = [json.loads(line) for line in written.splitlines()]
    # Compared as text, because -0.0 == 0 and True == 1.
    assert [json.dumps(record["args"]) for record in records] == [json.dumps(args) for args in corpus]
