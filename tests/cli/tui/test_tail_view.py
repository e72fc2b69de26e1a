"""The live view of `nsroom tail`: the real program, the real server and its clients."""

import json
from pathlib import Path

from nsroom.output.times import Times
from tests.cli.tui import drawing
from tests.cli.tui.conftest import Show
from tests.cli.tui.records import NOON, emit, event, observed, packet
from tests.cli.tui.screens import Terminal, after_the_screen, left_on
from tests.conftest import StartServer
from tests.peers.program import Program, Server, Spawner

ADMIN = "ann:s3cret"


async def join(spawn: Spawner, server: Server, room: str) -> Program:
    proc = await spawn("join", room, "-n", "/chat", "-u", server.url, "--json", "--stdin")
    await proc.err(f"joined {room}")
    return proc


async def tail(show: Show, server: Server, *args: str) -> Terminal:
    terminal = await show("tail", "-u", server.url, "--admin-auth", ADMIN, *args)
    await terminal.until("via /admin")
    return terminal


async def test_clients_and_rooms_are_shown(
    show: Show, serve: StartServer, spawn: Spawner, tmp_path: Path
) -> None:
    server = await serve("--admin", ADMIN)
    member = await join(spawn, server, "lobby")
    terminal = await tail(show, server, "--save", f"{tmp_path}/r.ndjson")
    await terminal.until(lambda text: "lobby          1" in text and "1 client" in text)
    member.send(["message", {"room": "lobby", "text": "hello"}])
    await terminal.until("→ #1  message      lobby  hello")
    terminal.press("i", "dir=in", "Enter")
    await terminal.gone("→ #1")
    await terminal.until("← #1  message")
    terminal.press("/emit hello", "Enter")
    await terminal.until("this only observes the sockets")
    other = await join(spawn, server, "ops")
    await terminal.until(lambda text: "ops            1" in text and "2 clients" in text)
    await other.kill()
    await terminal.until(lambda text: "ops            1" not in text and "1 client" in text)
    terminal.press("\x11")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []
    saved = [json.loads(line) for line in (tmp_path / "r.ndjson").read_text().splitlines()]
    assert {"message", "join-room"} <= {record.get("event") for record in saved}
    assert all(record["namespace"] != "/admin" for record in saved if "namespace" in record)


async def test_namespaces_and_a_count(show: Show, serve: StartServer, spawn: Spawner) -> None:
    server = await serve("--admin", ADMIN)
    terminal = await tail(show, server, "-n", "/lab", "-n", "/", "--where", "dir=out", "-C", "1")
    await terminal.until('(dir=out) & (ns="/lab" | ns')
    await join(spawn, server, "lobby")
    await spawn("emit", "/lab", "echo", "1", "-u", server.url)
    assert await terminal.program.end() == 0
    assert after_the_screen(terminal) == ""


async def test_a_wrong_password_is_reported_without_a_screen(show: Show, serve: StartServer) -> None:
    server = await serve("--admin", ADMIN)
    terminal = await show("tail", "-u", server.url, "--admin-auth", "ann:wrong")
    assert await terminal.program.end() == 4
    assert "\x1b[?1049h" not in terminal.program.stdout.text


@drawing.sizes
async def test_how_it_looks(cols: int, rows: int) -> None:
    clients = [packet("connect", sid=f"{name}-KWMaX0AAAAB") for name in ("ann", "bob", "cat")]
    joins = [
        event("join-room", {"room": room}, direction="local", sid=f"{name}-KWMaX0AAAAB")
        for name, room in (("ann", "lobby"), ("bob", "lobby"), ("bob", "ops"))
    ]
    said = emit("message", {"room": "lobby", "text": "hello"}, sid="ann-KWMaX0AAAAB")
    left = packet("disconnect", namespace="/chat", sid="cat-KWMaX0AAAAB", reason="transport close")
    viewed = observed(*(each._replace(time=NOON) for each in (*clients, *joins, said, left)))
    viewed.server, viewed.proxied_server, viewed.via = "localhost:3000", "", "/admin"
    viewed.times = Times.UTC
    await drawing.is_drawn(viewed, "tail", cols, rows)
