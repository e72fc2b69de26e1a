"""`nsroom top` on a terminal, before instrumented servers, Node's and Python's, and the reference server."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable

import pytest

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import Terminal
from tests.cli.tui.test_endings import after_the_screen, left_on
from tests.cli.tui.test_screens import looks_like
from tests.conftest import StartServer
from tests.peers.program import Program, Runner, Server, Spawner

ADMIN = {"NSROOM_ADMIN": "admin:s3cret"}
Start = Callable[..., Awaitable[Server]]
sizes = pytest.mark.parametrize(
    ("cols", "rows"), [(40, 10), (80, 24), (120, 30)], ids=["40x10", "80x24", "120x30"]
)


@pytest.fixture(params=["node", "python"])
def start(request: pytest.FixtureRequest, node_server: StartServer, python_script: StartServer) -> Start:
    """Start an instrumented server."""
    if request.param == "python":
        return lambda *args: python_script("instrumented.py", *args)
    return lambda *args: node_server("admin4.js", *args)


async def member(spawn: Spawner, server: Server, *rooms: str) -> Program:
    """Let a member join rooms of /chat."""
    proc = await spawn("connect", "/chat", "-u", server.url, "--all", "--json", "--stdin")
    await proc.seen(kind="connect", direction="in")
    for room in rooms:
        proc.send(["enter", room])
        await proc.seen(kind="ack", event="enter")
    return proc


async def top(show: Show, server: Server, *args: str, **options: int) -> Terminal:
    """Start it, and wait for the first list."""
    terminal = await show("top", "-u", server.url, *args, env=ADMIN, **options)
    await terminal.until("namespaces")
    return terminal


def row(text: str, name: str) -> list[str]:
    """Give the cells of the row that begins with this name."""
    return next((line.lstrip("▌ ").split() for line in text.splitlines() if line[1:].startswith(name)), [])


async def test_down_to_a_socket_and_what_becomes_of_it(show: Show, start: Start, spawn: Spawner) -> None:
    server = await start("--auth")
    ann, bob = await member(spawn, server, "lobby", "ops"), await member(spawn, server, "lobby")
    terminal = await top(show, server)
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["2", "2"], timeout=20)
    terminal.press("/", "chat", "Enter", "Enter")
    await terminal.until(lambda text: row(text, "lobby")[:2] == ["lobby", "2"])
    assert row(terminal.text, "ops")[1] == "1"
    terminal.press("/", "ops", "Enter", "Down", "Enter")
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


async def test_production_mode(show: Show, node_server: StartServer, spawn: Spawner) -> None:
    server = await node_server("admin4.js", "--auth", "--mode", "production")
    await member(spawn, server, "lobby")
    terminal = await top(show, server)
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["0", "1"], timeout=20)
    terminal.press("/", "chat", "Enter", "Enter")
    await terminal.until("in production mode the admin namespace only counts")


async def reference(serve: StartServer, spawn: Spawner, *args: str) -> Server:
    server = await serve(*args)

    async def join(nick: str, room: str) -> None:
        line = ("join", room, "--as", nick, "-n", "/chat", "-u", server.url, "--json")
        await (await spawn(*line)).err(f"joined {room}")

    await asyncio.gather(join("ann", "lobby"), join("bob", "lobby"), join("cat", "ops"))
    return server


@sizes
async def test_the_reference_server_by_its_events(
    show: Show, serve: StartServer, spawn: Spawner, cols: int, rows: int
) -> None:
    server = await reference(serve, spawn)
    terminal = await top(show, server, "-n", "/chat", rows=rows, cols=cols)
    await looks_like(terminal, "top-namespaces")
    terminal.press("Enter")
    await terminal.until("lobby")
    await looks_like(terminal, "top-rooms")
    terminal.press("s", "/", "ops", "Enter", "Down", "Enter")
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
async def test_the_reference_server_by_its_admin_namespace(
    show: Show, serve: StartServer, spawn: Spawner, cols: int, rows: int
) -> None:
    server = await reference(serve, spawn, "--admin", "admin:s3cret")
    terminal = await top(show, server, rows=rows, cols=cols)
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["2", "3"])
    if cols >= 80:
        await terminal.until("1 server")
    await looks_like(terminal, "top-admin")


async def test_a_room_that_vanishes_and_one_that_comes(
    show: Show, serve: StartServer, spawn: Spawner
) -> None:
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


async def test_hostile_names_stay_on_their_line(show: Show, node_server: StartServer, spawn: Spawner) -> None:
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


async def test_it_stays_whole_while_it_is_resized(show: Show, serve: StartServer, spawn: Spawner) -> None:
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


async def test_a_server_that_goes_away(show: Show, serve: StartServer) -> None:
    server = await serve("--admin", "admin:s3cret")
    terminal = await top(show, server)
    await server.proc.kill()
    await terminal.until("disconnected, retry")
    terminal.press("q")
    assert await terminal.program.end() == 0


async def test_a_server_that_goes_away_for_good(show: Show, serve: StartServer) -> None:
    server = await serve("--admin", "admin:s3cret")
    terminal = await top(show, server, "--no-reconnect")
    await server.proc.kill()
    assert await terminal.program.end() == 6
    assert left_on(terminal) == []
    assert "nsroom: the connection ended" in after_the_screen(terminal)


async def test_in_a_pipe_it_names_what_to_use(nsroom: Runner) -> None:
    result = await nsroom("top")
    assert (result.code, result.stdout) == (2, "")
    assert "nsroom rooms --json --watch" in result.stderr


async def test_a_server_that_tells_nothing(show: Show, python_server: StartServer) -> None:
    server = await python_server()
    terminal = await show("top", "-u", server.url, "--timeout", "1")
    assert await terminal.program.end() == 7
    text = terminal.program.stdout.text.replace("\r\n", "")
    assert "\x1b[?1049h" not in text
    assert "the server is not instrumented" in text
    assert "answer to `rooms` is not a list of rooms" in text


async def test_wrong_credentials_are_said_without_a_screen(show: Show, serve: StartServer) -> None:
    server = await serve("--admin", "admin:s3cret")
    terminal = await show("top", "-u", server.url, "--admin-auth", "admin:wrong")
    assert await terminal.program.end() == 4
    assert "--admin-auth USER:PASSWORD" in terminal.program.stdout.text.replace("\r\n", "")
