"""However a view ends, the terminal is restored and the exit code is right; Ctrl-Z suspends it."""

import asyncio
import os
import re
import shlex
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import Terminal, after_the_screen, left_on
from tests.conftest import NSROOM
from tests.peers.program import Server, start_on_terminal


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (["\x11"], 0),
        (["Escape", "q", "q"], 0),
        (["/quit", "Enter"], 0),
        (["a draft", "\x03", "\x03", "\x03"], 130),
    ],
)
async def test_keys_end_it(show: Show, server: Server, keys: list[str], code: int) -> None:
    terminal = await show("join", "lobby", "-u", server.url)
    await terminal.until("✓")
    for key in keys:
        terminal.press(key)
        await asyncio.sleep(0.4)  # an escape by itself is one only when nothing follows it
    assert await terminal.program.end() == code
    assert left_on(terminal) == []
    summary = rf"nsroom: \d+ s on {server.url}, 4 events \(hi 1, join 1 …\), not saved"
    assert re.fullmatch(summary, after_the_screen(terminal))


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


async def test_closing_the_terminal_ends_it(show: Show, server: Server) -> None:
    terminal = await show("connect", "-u", server.url)
    await terminal.until("everyone!")
    terminal.program.hang_up()
    assert await terminal.program.end() == 129


async def test_an_internal_error_is_reported_after_the_screen(
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


COMMANDS = [("connect", "/chat"), ("top", "-n", "/chat"), ("proxy",)]


@pytest.fixture
async def bash(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Terminal]:
    """A shell with job control on a terminal."""
    settings = tmp_path / "inputrc"
    settings.write_text("set enable-bracketed-paste off\n")
    env = environment | {"PS1": "ready> ", "INPUTRC": str(settings)}
    program = await start_on_terminal(("/bin/bash", "--norc", "--noprofile", "-i"), env, tmp_path)
    terminal = Terminal(program, 24, 80)
    await terminal.until("ready>")
    yield terminal
    await program.kill()


@pytest.mark.parametrize("command", COMMANDS, ids=[command[0] for command in COMMANDS])
async def test_ctrl_z_and_fg(bash: Terminal, server: Server, command: tuple[str, ...]) -> None:
    target = [server.url, "--listen", ":0"] if command == ("proxy",) else ["-u", server.url]
    bash.press(shlex.join([*NSROOM, *command, *target]), "Enter")
    await bash.until("●")
    await bash.until("keys")
    bash.press("\x1a")
    await bash.until(lambda text: "Stopped" in text and text.rstrip().endswith("ready>"))
    assert left_on(bash) == []
    bash.press("stty -a", "Enter")
    settings = await bash.until("isig icanon")
    assert re.search(r"(?<!-)icrnl", settings)
    assert re.search(r"(?<!-)\becho\b", settings)
    bash.resize(20, 100)
    bash.press("fg", "Enter")
    await bash.until(lambda text: "●" in text and "keys" in text.rstrip().splitlines()[-1])
    assert len([line for line in bash.lines if set(line) == {"─"} or "─┬" in line]) >= 2
    bash.press("F1" if command[0] == "connect" else "?")
    await bash.until("any other key")
    bash.press("x")
    await bash.gone("any other key")
    bash.press("\x03", "\x03")
    await bash.until(lambda text: text.rstrip().endswith("ready>"))
    bash.press("echo code $?", "Enter")
    await bash.until("code 130")
    assert left_on(bash) == []
