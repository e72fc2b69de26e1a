"""Real servers over a real Valkey: one is killed or stopped under load, the others keep working."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.peers.program import Program, Server, Spawner
from tests.peers.valkey_server import Valkey, valkey

EXPIRY = 10
"""Seconds after which a dead server's members are certainly removed."""
COUNT = 100


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A Valkey for the test."""
    folder = tmp_path / "valkey"
    folder.mkdir()
    async with valkey(folder) as server:
        yield server


@pytest.fixture
async def servers(bus: Valkey, serve: StartServer) -> list[Server]:
    """A cluster of three servers."""
    return [await serve("--redis", bus.url) for _ in range(3)]


async def member(spawn: Spawner, server: Server, name: str, *options: str) -> Program:
    """Start `nsroom join lobby` and wait until it has joined."""
    program = await spawn(
        "join", "lobby", "--as", name, "-u", server.url, "--json", "--stdin", "--wait", "60", *options
    )
    await program.err("joined lobby", timeout=20)
    return program


async def talk(program: Program, name: str) -> None:
    for number in range(COUNT):
        program.send(f"{name}-{number}")
        await asyncio.sleep(0.02)


def texts(program: Program) -> list[str]:
    """Return the texts of the messages that a member has received."""
    records = [json.loads(line) for line in program.stdout.text.splitlines()]
    return [record["args"][0]["text"] for record in records if record.get("event") == "message"]


async def seen(program: Program, event: str, timeout: float, **fields: Any) -> dict[str, Any]:
    """Return the first argument of the next event that has these fields in it."""
    async with asyncio.timeout(timeout):
        while True:
            payload: dict[str, Any] = (await program.seen(timeout, event=event))["args"][0]
            if all(payload.get(key) == value for key, value in fields.items()):
                return payload


async def test_a_killed_server(servers: list[Server], spawn: Spawner) -> None:
    ann, bob = [
        await member(spawn, server, name) for server, name in zip(servers, ("ann", "bob"), strict=False)
    ]
    eve = await member(spawn, servers[2], "eve", "--no-reconnect")
    talks = [asyncio.create_task(talk(program, name)) for program, name in ((ann, "ann"), (bob, "bob"))]
    await asyncio.sleep(0.5)
    servers[2].proc.signal(signal.SIGKILL)
    await seen(ann, "leave-room", EXPIRY, nick="eve")
    await asyncio.gather(*talks)
    ann.send("last")
    await seen(bob, "message", 10, text="last")
    expected = {f"{name}-{number}" for name in ("ann", "bob") for number in range(COUNT)} | {"last"}
    assert sorted(texts(bob)) == sorted(expected)
    assert await eve.end() == 6


async def test_a_stopped_server_continues(servers: list[Server], spawn: Spawner) -> None:
    ann, bob, eve = [
        await member(spawn, server, name) for server, name in zip(servers, ("ann", "bob", "eve"), strict=True)
    ]
    servers[2].proc.signal(signal.SIGSTOP)
    talking = asyncio.create_task(talk(bob, "bob"))
    await seen(ann, "leave-room", EXPIRY, nick="eve")
    await talking
    servers[2].proc.signal(signal.SIGCONT)
    await seen(ann, "join-room", 10, nick="eve")
    eve.send("here again")
    await seen(ann, "message", 10, text="here again")
    await seen(eve, "message", 10, text="here again")
    assert texts(eve) == [*(f"bob-{number}" for number in range(COUNT)), "here again"]


async def test_a_server_that_shuts_down(servers: list[Server], spawn: Spawner) -> None:
    ann = await member(spawn, servers[0], "ann")
    await member(spawn, servers[1], "bob", "--no-reconnect")
    servers[1].proc.signal(signal.SIGTERM)
    await seen(ann, "leave-room", 3, nick="bob")
    assert await servers[1].proc.end() == 0


async def test_without_redis_the_server_does_not_start(spawn: Spawner) -> None:
    program = await spawn("serve", "--port", "0", "--redis", "redis://:secret@127.0.0.1:1")
    result = await program.result()
    assert result.code == 3
    assert result.stderr == (
        "nsroom: Redis at 127.0.0.1:1: connection refused; start it, or name another with --redis\n"
    )


async def test_a_password_is_never_logged(tmp_path: Path, serve: StartServer) -> None:
    async with valkey(tmp_path, "--requirepass", "secret") as bus:
        url = bus.url.replace("//", "//:secret@")
        server = await serve("--redis", url)
        await bus.kill()
        log = await server.proc.err("Redis does not answer")
        server.proc.signal(signal.SIGTERM)
        await server.proc.end()
    assert "secret" not in log + server.proc.stderr.text


async def test_the_package_is_missing(spawn: Spawner, tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "__init__.py").write_text("raise ModuleNotFoundError('gone', name='redis')")
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    program = await spawn("serve", "--redis", "redis://localhost", env={"PYTHONPATH": path})
    result = await program.result()
    assert result.code == 2
    assert "pip install 'nsroom[redis]'" in result.stderr
