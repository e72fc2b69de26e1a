"""However the live view ends, the terminal is as it was, and the exit code is the contract's."""

import asyncio
import os
import re
import signal

import pytest

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import Terminal
from tests.conftest import StartServer
from tests.peers.program import Server

# Each mode that the view switches on, and what switches it off again.
_MODES = {
    "the alternate screen": ("\x1b[?1049h", "\x1b[?1049l"),
    "the mouse": ("\x1b[?1000h", "\x1b[?1000l"),
    "bracketed paste": ("\x1b[?2004h", "\x1b[?2004l"),
    "no cursor": ("\x1b[?25l", "\x1b[?25h"),
}


def left_on(terminal: Terminal) -> list[str]:
    """Name the modes that are still on."""
    text = terminal.program.stdout.text
    return [name for name, (on, off) in _MODES.items() if on in text and text.rfind(on) > text.rfind(off)]


def after_the_screen(terminal: Terminal) -> str:
    """Give what was printed once the screen was gone."""
    text = terminal.program.stdout.text.rpartition("\x1b[?1049l")[2]
    return re.sub(r"\x1b\[[?\d;]*[a-zA-Z]|\x1b[78=>]", "", text).strip()


@pytest.mark.parametrize(
    ("keys", "code"), [(["\x11"], 0), (["Escape", "q"], 0), (["/quit", "Enter"], 0), (["\x03"], 130)]
)
async def test_keys_end_it(show: Show, server: Server, keys: list[str], code: int) -> None:
    terminal = await show("join", "lobby", "-u", server.url)
    await terminal.until("ack join")
    for key in keys:
        terminal.press(key)
        await asyncio.sleep(0.4)  # an escape by itself is one only when nothing follows it
    assert await terminal.program.end() == code
    assert left_on(terminal) == []
    assert after_the_screen(terminal) == ""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
async def test_signals_end_it(show: Show, server: Server, number: int, code: int) -> None:
    terminal = await show("connect", "-u", server.url)
    await terminal.until("everyone!")
    terminal.program.signal(number)
    assert await terminal.program.end() == code
    assert left_on(terminal) == []
    assert after_the_screen(terminal) == ""


async def test_the_terminal_closes(show: Show, server: Server) -> None:
    terminal = await show("connect", "-u", server.url)
    await terminal.until("everyone!")
    terminal.program.hang_up()
    assert await terminal.program.end() == 129


async def test_a_count_ends_it(show: Show, server: Server) -> None:
    terminal = await show("connect", "-u", server.url, "-C", "1")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []


async def test_waiting_too_long_ends_it(show: Show, server: Server) -> None:
    terminal = await show("connect", "-u", server.url, "-C", "5", "-W", "1.5")
    assert await terminal.program.end() == 5
    assert left_on(terminal) == []
    assert after_the_screen(terminal) == "nsroom: fewer than 5 lines came within the 1.5 s of --wait"


async def test_no_server_and_quit(show: Show) -> None:
    terminal = await show("connect", "-u", "http://127.0.0.1:9")
    await terminal.until("try again")
    terminal.press("q")
    assert await terminal.program.end() == 3
    assert left_on(terminal) == []
    assert after_the_screen(terminal).startswith("nsroom: cannot connect to http://127.0.0.1:9")


async def test_a_server_that_is_gone_and_quit(show: Show, serve: StartServer) -> None:
    server = await serve()
    terminal = await show("connect", "-u", server.url)
    await terminal.until("everyone!")
    await server.proc.kill()
    await terminal.until("trying again")
    terminal.press("q")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []


async def test_unconfirmed_and_quit(show: Show, serve: StartServer) -> None:
    server = await serve()
    terminal = await show("connect", "/lab", "-u", server.url)
    await terminal.until("everyone!")
    terminal.press("i", "/emit never", "Enter")
    await terminal.until("waiting")
    await server.proc.kill()
    await terminal.until("unconfirmed")
    terminal.press("Escape")
    await asyncio.sleep(0.4)
    terminal.press("q")
    assert await terminal.program.end() == 6
    assert after_the_screen(terminal) == "nsroom: the connection ended with 1 event unconfirmed"


async def test_all_refused_and_quit(show: Show, server: Server) -> None:
    terminal = await show("connect", "/secret", "-u", server.url)
    await terminal.until("/secret is refused: Invalid namespace")
    terminal.press("q")
    assert await terminal.program.end() == 4
    assert left_on(terminal) == []


async def test_a_full_disk_ends_it(show: Show, server: Server) -> None:
    terminal = await show("connect", "-u", server.url, "--save", "/dev/full", "--force")
    assert await terminal.program.end() == 10
    assert left_on(terminal) == []
    assert after_the_screen(terminal) == "nsroom: cannot write to /dev/full: No space left on device"


async def test_an_internal_error_is_told_after_the_screen(
    show: Show, server: Server, tmp_path: object
) -> None:
    """A plugin of Python's own breaks the view from inside, as a bug would."""
    broken = f"{tmp_path}/sitecustomize.py"
    with open(broken, "w") as file:  # noqa: ASYNC230
        file.write("import sys\nsys.modules['nsroom.client.client'] = object()\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    terminal = await show("connect", "-u", server.url, env={"PYTHONPATH": path})
    assert await terminal.program.end() == 70
    assert left_on(terminal) == []
    assert "nsroom: this is a bug in nsroom: AttributeError" in after_the_screen(terminal)
