"""The packages that a command loads at its start: each of them makes the user wait."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.peers.program import clean_environment

SCRIPT = """
import json, sys
from nsroom.main import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
NETWORK = {"aiohttp", "socketio", "engineio", "ssl", "orjson"}
HEAVY = NETWORK | {"asyncio", "pydantic", "prompt_toolkit", "rich", "sqlite3", "nsroom_server", "hypothesis"}
NEVER = {"pydantic", "redis", "requests", "websocket", "kombu", "uvloop"}


async def stderr_of(home: Path, *args: str) -> bytes:
    """Run a fresh interpreter, and return what it wrote to stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *args),
        # Measuring coverage loads packages of its own.
        env={key: value for key, value in clean_environment(home).items() if not key.startswith("COV")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await process.communicate()
    return stderr


async def loaded(home: Path, *args: str) -> set[str]:
    """Run a command line in a fresh interpreter and return the packages that it loaded."""
    _, modules = json.loads((await stderr_of(home, "-c", SCRIPT, *args)).splitlines()[-1])
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("--version", set()),
        ("--help", set()),
        ("emit --help", set()),
        ("connect --help", set()),
        ("serve --help", set()),
        ("proxy --help", set()),
        ("bench --help", set()),
        ("bench :1 --clients 0", set()),
        ("doctor --help", set()),
        ("doctor --explain timeout", set()),
        ("doctor :1", NETWORK - {"socketio", "engineio"} | {"asyncio"}),
        ("proxy :1 --listen x", {"asyncio", "ssl", "orjson"}),
        ("proxy :1 --listen 192.0.2.1:0", {"asyncio", "ssl", "orjson"}),
        ("emit", set()),
        ("nonsense", set()),
        ("completion bash", set()),
        ("decode -f 2", {"orjson"}),
        ("decode -f 2 --plain", set()),
        ("emit price 12.5 --offline", {"asyncio", "ssl"}),
        ("serve --print-limits --json", {"nsroom_server"}),
        (
            "serve --history /dev/null/history.db",
            NETWORK - {"socketio", "engineio"} | {"asyncio", "nsroom_server", "sqlite3"},
        ),
    ],
)
async def test_a_command_loads_what_it_needs(line: str, may: set[str], tmp_path: Path) -> None:
    assert (await loaded(tmp_path, *line.split())) & (HEAVY - may) == set()


@pytest.mark.parametrize(
    "line",
    [
        "emit hi --offline",
        "call hi 1 a=b -u :1 -n /x --timeout 1",
        "connect -u :1 --json",
        "join x -u :1 --plain",
        "tail -u :1 -C 1",
        "rooms -u :1",
        "sockets -u :1 --json",
        "decode -f 2",
    ],
)
async def test_a_plain_line_loads_no_typer(line: str, tmp_path: Path) -> None:
    assert "typer" not in await loaded(tmp_path, *line.split())


async def test_what_asyncio_seldom_uses_is_not_loaded(tmp_path: Path) -> None:
    line = ("-X", "importtime", "-m", "nsroom.main", "emit", "hi", "--offline")
    rows = (await stderr_of(tmp_path, *line)).splitlines()
    modules = {row.rpartition(b"|")[2].strip() for row in rows}
    assert b"asyncio" in modules
    assert modules.isdisjoint([b"inspect", b"ast", b"dis", b"ipaddress"])


@pytest.mark.parametrize("command", ["call", "emit", "connect", "rooms", "join"])
async def test_a_client_loads_neither_back_ends_nor_a_screen(command: str, tmp_path: Path) -> None:
    modules = await loaded(tmp_path, command, *(["x"] if command != "connect" else []), "-u", ":1")
    assert modules & (NEVER | {"prompt_toolkit", "nsroom_server", "sqlite3"}) == set()
    assert modules >= {"aiohttp", "socketio"}
