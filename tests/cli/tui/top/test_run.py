"""`nsroom top` on a terminal, with instrumented servers of Node and Python and with the reference server."""

import re
import signal

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import after_the_screen, left_on, looks_like
from tests.cli.tui.top.terminals import Start, member, reference, row, sizes, top
from tests.conftest import StartServer
from tests.peers.program import Runner, Spawner


async def test_from_namespaces_to_a_socket_that_disconnects(show: Show, start: Start, spawn: Spawner) -> None:
    server = await start("--auth")
    ann, bob = await member(spawn, server, "lobby", "ops"), await member(spawn, server, "lobby")
    terminal = await top(show, server)
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["2", "2"], timeout=20)
    terminal.press("/", "chat", "Enter", "Enter")
    await terminal.until(lambda text: row(text, "lobby")[:2] == ["lobby", "2"])
    assert row(terminal.text, "ops")[1] == "1"
    terminal.press("f", "ops", "Enter", "Down", "Enter")
    await terminal.until("› ops")
    await terminal.until(lambda text: "websocket" in text)
    terminal.press("Enter")
    ann.send(["shout", {"text": "hello"}])
    text = await terminal.until("echo")
    assert re.search(r"→ +shout +\{text: \"hello\"\}", text)
    await ann.kill()
    await terminal.until(" gone")
    await terminal.until("disconnected")
    for shown in ("this room is empty now", "all sockets", "namespaces"):
        terminal.press("Escape")
        await terminal.until(shown)
    terminal.press("Escape", "Escape")
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["1", "1"])
    bob.signal(signal.SIGTERM)
    terminal.press("q")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []


async def test_rates(show: Show, serve: StartServer, spawn: Spawner) -> None:
    server = await serve("--admin", "admin:s3cret")
    ann = await spawn("connect", "/lab", "-u", server.url, "--all", "--json", "--stdin")
    await ann.seen(kind="connect", direction="in")
    terminal = await top(show, server, cols=100)
    await terminal.until(lambda text: row(text, "/lab")[2:3] == ["1"])
    ann.send(["flood", {"count": 60, "size": 1}])
    # They may fall into two seconds.
    await terminal.until(lambda text: int((row(text, "/lab")[3:4] or ["0"])[0]) >= 30)
    await terminal.until("█")


@sizes
async def test_the_reference_server_via_its_events(
    show: Show, serve: StartServer, spawn: Spawner, cols: int, rows: int
) -> None:
    server = await reference(serve, spawn)
    terminal = await top(show, server, "-n", "/chat", rows=rows, cols=cols)
    await looks_like(terminal, "top-namespaces")
    terminal.press("Enter")
    await terminal.until("lobby")
    await looks_like(terminal, "top-rooms")
    terminal.press("s", "f", "ops", "Enter", "Down", "Enter")
    await terminal.until("chat › ops")
    if cols >= 80:
        await terminal.until("cat")
    await looks_like(terminal, "top-sockets")
    terminal.press("Enter")
    await terminal.until("only an admin namespace")
    terminal.press("?")
    await terminal.until("Keys")
    await looks_like(terminal, "top-help")


@sizes
async def test_the_reference_server_via_its_admin_namespace(
    show: Show, serve: StartServer, spawn: Spawner, cols: int, rows: int
) -> None:
    server = await reference(serve, spawn, "--admin", "admin:s3cret")
    terminal = await top(show, server, rows=rows, cols=cols)
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["2", "3"])
    if cols >= 80:
        await terminal.until("1 server")
    await looks_like(terminal, "top-admin")


async def test_a_room_disappears_and_another_appears(show: Show, serve: StartServer, spawn: Spawner) -> None:
    server = await serve()
    proc = await spawn("join", "lobby", "--as", "ann", "-n", "/chat", "-u", server.url, "--json")
    await proc.err("joined lobby")
    terminal = await top(show, server, "-n", "/chat")
    terminal.press("Enter", "Down", "Enter")
    await terminal.until("ann")
    await proc.kill()
    await terminal.until("this room is empty now; Esc goes back")
    terminal.press("Escape")
    await terminal.until("no rooms")
    again = await spawn("join", "arena", "-n", "/chat", "-u", server.url, "--json")
    await again.err("joined arena")
    await terminal.until(lambda text: row(text, "arena")[1:] == ["1"])


async def test_reconnecting(show: Show, serve: StartServer) -> None:
    server = await serve("--admin", "admin:s3cret")
    terminal = await top(show, server)
    await server.proc.kill()
    await terminal.until("disconnected, retry")
    terminal.press("q")
    assert await terminal.program.end() == 0


async def test_no_reconnect_ends_with_the_connection(show: Show, serve: StartServer) -> None:
    server = await serve("--admin", "admin:s3cret")
    terminal = await top(show, server, "--no-reconnect")
    await server.proc.kill()
    assert await terminal.program.end() == 6
    assert left_on(terminal) == []
    assert "nsroom: the connection ended" in after_the_screen(terminal)


async def test_a_pipe_gets_the_command_to_use_instead(nsroom: Runner) -> None:
    result = await nsroom("top")
    assert (result.code, result.stdout) == (2, "")
    assert "nsroom rooms --json --watch" in result.stderr


async def test_wrong_credentials_are_reported_without_a_screen(show: Show, serve: StartServer) -> None:
    server = await serve("--admin", "admin:s3cret")
    terminal = await show("top", "-u", server.url, "--admin-auth", "admin:wrong")
    assert await terminal.program.end() == 4
    assert "--admin-auth USER:PASSWORD" in terminal.program.stdout.text.replace("\r\n", "")
