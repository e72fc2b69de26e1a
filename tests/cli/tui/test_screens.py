"""Golden screens of the real program with the real server.

`NSROOM_SCREENS=write python -m pytest tests/cli/tui/test_screens.py` writes them; read the diff.
"""

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import Terminal, looks_like, sizes
from tests.conftest import StartServer
from tests.peers.program import Server


@sizes
async def test_first_start(show: Show, server: Server, cols: int, rows: int) -> None:
    terminal = await show("connect", "/chat", "-u", server.url, rows=rows, cols=cols)
    await terminal.until("everyone!")
    if cols >= 80:
        await terminal.until("rtt")
    await looks_like(terminal, "first-start")


async def busy(show: Show, server: Server, cols: int, rows: int) -> Terminal:
    """Join a room and send messages to it."""
    names = ("-n", "/chat", "-n", "/secret")
    terminal = await show("join", "lobby", "--as", "me", *names, "-u", server.url, rows=rows, cols=cols)
    await terminal.until("/chat lobby ›")
    await terminal.until("✓")
    for line in ("good morning", '/emit -n /chat --room lobby price {"symbol": "ACME", "bid": 12.5}'):
        terminal.press(line, "Enter")
        await terminal.until("price" if line.startswith("/") else "me: g")
    await terminal.until(lambda text: text.count("✓") >= 2)
    if cols >= 80:
        await terminal.until("rtt")
    return terminal


@sizes
async def test_busy_detail_filter_chat_and_help(show: Show, server: Server, cols: int, rows: int) -> None:
    terminal = await busy(show, server, cols, rows)
    await looks_like(terminal, "busy")
    terminal.press("\x1b")
    await terminal.until("select")
    terminal.press("/", "price", "Enter", "Enter")
    await terminal.until("price  #")
    await looks_like(terminal, "detail")
    terminal.press("Enter", "f", "event=message", "Enter")
    await terminal.gone("filter ›")
    await looks_like(terminal, "filter")
    terminal.press("x", "?")
    await terminal.until("Keys in")
    await looks_like(terminal, "help")
    terminal.press("x", "v")
    await terminal.until("good morning")
    await looks_like(terminal, "chat")


@sizes
async def test_refused(show: Show, server: Server, cols: int, rows: int) -> None:
    terminal = await show("connect", "/secret", "-u", server.url, rows=rows, cols=cols)
    await terminal.until("try again")
    await looks_like(terminal, "refused")


@sizes
async def test_disconnected(show: Show, serve: StartServer, cols: int, rows: int) -> None:
    server = await serve()
    terminal = await show("connect", "/chat", "-u", server.url, "--no-reconnect", rows=rows, cols=cols)
    await terminal.until("everyone!")
    await server.proc.kill()
    await terminal.until("try again")
    await looks_like(terminal, "disconnected")


async def test_resizing(show: Show, server: Server) -> None:
    terminal = await show("connect", "/chat", "-u", server.url)
    await terminal.until("everyone!")
    for rows, cols in ((10, 40), (4, 12), (1, 1), (100, 300), (24, 80)):
        terminal.resize(rows, cols)
        await terminal.settled()
    await terminal.until("everyone!")
    assert len(terminal.lines) == 24
