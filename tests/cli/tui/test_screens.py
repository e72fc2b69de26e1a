"""Whole screens of the real program against the real server, compared with what they looked like.

`NSROOM_SCREENS=write python -m pytest tests/cli/tui/test_screens.py` writes them anew; look at what changed.
"""

import os
from pathlib import Path

import pytest

from nsroom.tui.screen.chat_pane import chat_lines
from tests.cli.tui.conftest import Show
from tests.cli.tui.records import NOON, plain, text, view
from tests.cli.tui.screens import Terminal, steady
from tests.conftest import StartServer
from tests.peers.program import Server

SCREENS = Path(__file__).parent / "screens"
DAY = 86_400_000_000
SIZES = [(40, 12), (80, 24), (120, 36)]
sizes = pytest.mark.parametrize(("cols", "rows"), SIZES, ids=[f"{cols}x{rows}" for cols, rows in SIZES])


async def looks_like(terminal: Terminal, name: str) -> None:
    """Compare the screen with the one of this name, once it is the same or does not become so."""
    cols = terminal.screen.columns
    file = SCREENS / f"{name}-{cols}x{terminal.screen.lines}.txt"
    if os.environ.get("NSROOM_SCREENS") == "write":
        await terminal.settled()
        file.parent.mkdir(exist_ok=True)
        file.write_text(steady(terminal.text, cols) + "\n", "utf-8")
    wanted = file.read_text("utf-8")
    try:
        await terminal.until(lambda text: steady(text, cols) + "\n" == wanted, timeout=5)
    except AssertionError:
        assert steady(terminal.text, cols) + "\n" == wanted


@sizes
async def test_first_start(show: Show, server: Server, cols: int, rows: int) -> None:
    terminal = await show("connect", "/chat", "-u", server.url, rows=rows, cols=cols)
    await terminal.until("everyone!")
    if cols >= 80:
        await terminal.until("rtt")
    await looks_like(terminal, "first-start")


async def busy(show: Show, server: Server, cols: int, rows: int) -> Terminal:
    """Join a room and say things in it."""
    names = ("-n", "/chat", "-n", "/secret")
    terminal = await show("join", "lobby", "--as", "me", *names, "-u", server.url, rows=rows, cols=cols)
    await terminal.until("/chat lobby ›")
    await terminal.until("ack join")
    for line in ("good morning", '/emit -n /chat --room lobby price {"symbol": "ACME", "bid": 12.5}'):
        terminal.press(line, "Enter")
        await terminal.until("price" if line.startswith("/") else "me: good")
    await terminal.until("ack emit")
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


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_chat_looks_the_same_on_every_day(width: int) -> None:
    looks = set()
    for day in range(0, 366, 5):  # all weekdays and months, and days of one digit and of two
        viewed = view(text("lobby", "ann", "hi", time=NOON + day * DAY), room="lobby")
        lines = [plain(line) for line in chat_lines(viewed, width, 10)]
        looks.add(steady("\n".join(lines), width))
    (look,) = looks
    assert "─  day  ─" in look


async def test_it_stays_whole_while_it_is_resized(show: Show, server: Server) -> None:
    terminal = await show("connect", "/chat", "-u", server.url)
    await terminal.until("everyone!")
    for rows, cols in ((10, 40), (4, 12), (1, 1), (100, 300), (24, 80)):
        terminal.resize(rows, cols)
        await terminal.settled()
    text = await terminal.until("NAMESPACES")
    assert "everyone!" in text
    assert len(terminal.lines) == 24
