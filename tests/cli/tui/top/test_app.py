"""The keys and the screen of `top`."""

import signal

import pytest

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import after_the_screen, left_on
from tests.cli.tui.top.terminals import member, reference, row, top
from tests.conftest import StartServer
from tests.peers.program import Server, Spawner


async def test_hostile_names_are_made_safe(show: Show, node_server: StartServer, spawn: Spawner) -> None:
    server = await node_server("admin4.js", "--auth")
    evil = "\x1b]52;c;eA==\x07\u202e" + "x" * 300
    await member(spawn, server, evil)
    terminal = await top(show, server)
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["1", "1"], timeout=20)
    terminal.press("/", "chat", "Enter", "Enter")
    await terminal.until(r"\x1b]52;c;eA==\x07\u202exxx")
    terminal.press("Down", "Enter", "Enter")
    await terminal.settled()
    assert "\x1b]52" not in terminal.program.stdout.text


async def test_actions_and_following(show: Show, serve: StartServer, spawn: Spawner) -> None:
    server = await reference(serve, spawn, "--admin", "admin:s3cret", "--admin-write")
    terminal = await top(show, server, "-n", "/chat", "--write")
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["2", "3"])
    terminal.press("K")
    await terminal.until("select a room or a socket to disconnect")
    terminal.press("Enter")
    await terminal.until("all sockets")
    terminal.press("/", "LOB", "Enter")
    await terminal.until("▌lobby")
    terminal.press("J", "news", "Enter")
    await terminal.until("joined 2 sockets to news")
    terminal.press("e", 'hello {"a": 1}', "Enter")
    await terminal.until("emitted hello to lobby")
    terminal.press("K", "n", "Enter")
    await terminal.until("nothing was changed")
    terminal.press("K")
    await terminal.until("disconnect lobby (2 sockets) from /chat? y/n")
    terminal.press("y", "Enter")
    await terminal.until("disconnected 2 sockets from /chat")
    terminal.press("/", "ops", "Enter", "F")
    await terminal.until(lambda text: "via /admin" in text and "1 client" in text and 'sid="' in text)
    terminal.press("Escape", "q")
    await terminal.until("namespaces › /chat")
    terminal.press("q")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []


async def test_nothing_is_changed_without_write(show: Show, serve: StartServer, spawn: Spawner) -> None:
    server = await reference(serve, spawn, "--admin", "admin:s3cret", "--admin-write")
    terminal = await top(show, server)
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["2", "3"])
    for key in "KJe":
        terminal.press("?")
        await terminal.until("any other key")
        terminal.press("x", key)
        await terminal.until("start top with --write to allow it")
    terminal.press("N")
    await terminal.until("nothing to search for")


async def test_resizing(show: Show, serve: StartServer, spawn: Spawner) -> None:
    server = await reference(serve, spawn)
    terminal = await top(show, server, "-n", "/chat")
    terminal.press("Enter")
    await terminal.until("lobby")
    for rows, cols, shown in ((10, 40, "lobby"), (3, 12, "Window"), (1, 1, ""), (24, 80, "lobby")):
        terminal.resize(rows, cols)
        await terminal.until(shown)
    await terminal.until(lambda text: row(text, "lobby") == ["lobby", "2"])


@pytest.mark.parametrize(
    ("key", "code"), [("q", 0), ("\x11", 0), ("\x03", 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_ends(show: Show, server: Server, key: str | signal.Signals, code: int) -> None:
    terminal = await top(show, server)
    if isinstance(key, signal.Signals):
        terminal.program.signal(key)
    else:
        terminal.press(key)
    assert await terminal.program.end() == code
    assert left_on(terminal) == []
    assert after_the_screen(terminal) == ""
