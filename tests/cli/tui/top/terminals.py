"""`nsroom top` on a terminal, and servers with members."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import Terminal
from tests.conftest import StartServer
from tests.peers.program import Program, Server, Spawner

ADMIN = {"NSROOM_ADMIN": "admin:s3cret"}
Start = Callable[..., Awaitable[Server]]
sizes = pytest.mark.parametrize(
    ("cols", "rows"), [(40, 10), (80, 24), (120, 30)], ids=["40x10", "80x24", "120x30"]
)


async def member(spawn: Spawner, server: Server, *rooms: str) -> Program:
    """Connect a member and join rooms of /chat."""
    watching = ("-n", "/chat", "-u", server.url, "--all", "--json", "--stdin")
    asking = ("join", *rooms, "--join-event", "enter") if rooms else ("connect",)
    proc = await spawn(*asking, *watching)
    await proc.seen(kind="connect", direction="in")
    for _ in rooms:
        await proc.seen(kind="ack", event="enter")
    return proc


async def top(show: Show, server: Server, *args: str, **options: int) -> Terminal:
    """Start `nsroom top` and wait for its first list."""
    terminal = await show("top", "-u", server.url, *args, env=ADMIN, **options)
    await terminal.until("namespaces")
    return terminal


def row(text: str, name: str) -> list[str]:
    """Return the words of the row that starts with this name."""
    return next((line.lstrip("▌ ").split() for line in text.splitlines() if line[1:].startswith(name)), [])


async def reference(serve: StartServer, spawn: Spawner, *args: str) -> Server:
    """Start the reference server, with three members."""
    server = await serve(*args)

    async def join(nick: str, room: str) -> None:
        line = ("join", room, "--as", nick, "-n", "/chat", "-u", server.url, "--json")
        await (await spawn(*line)).err(f"joined {room}")

    await asyncio.gather(join("ann", "lobby"), join("bob", "lobby"), join("cat", "ops"))
    return server
