"""Ctrl-Z gives the terminal back to the shell, and `fg` brings the view back."""

import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.tui.screens import Terminal
from tests.cli.tui.test_endings import left_on
from tests.conftest import NSROOM
from tests.peers.program import Server, start_on_terminal

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
async def test_ctrl_z_and_back(bash: Terminal, server: Server, command: tuple[str, ...]) -> None:
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
    bash.press("?")
    await bash.until("any other key")
    bash.press("x")
    await bash.gone("any other key")
    bash.press("\x03")
    await bash.until(lambda text: text.rstrip().endswith("ready>"))
    bash.press("echo code $?", "Enter")
    await bash.until("code 130")
    assert left_on(bash) == []
