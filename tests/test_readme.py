"""Every console block of the README is run on a terminal and prints what the README shows."""

import re
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import NSROOM, StartServer
from tests.peers.program import Server, Spawner, spawner

README = Path(__file__).parents[1] / "README.md"
BASH = shutil.which("bash") or "/bin/bash"
Run = Callable[[str, str], Awaitable[list[str]]]
SET_UP = "$ python3 -m venv "
TERMINALS = "$ nsroom serve "
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COLOURS = re.compile(r"\r?\x1b\[[\d;]*[mK]")
"""Written by jq, and by the progress line."""
_VARYING = (
    (re.compile(r'"time":"[^"]*"'), '"time":"…"'),
    (re.compile(r'"seq":\d+'), '"seq":…'),
    (re.compile(r"http://(localhost|127\.0\.0\.1):\d+"), "http://…"),
)
"""Text that differs between runs."""


class Step(NamedTuple):
    """A command and the lines that it prints."""

    command: str
    output: list[str]


def steps(block: str) -> Iterator[Step]:
    """Yield the steps of a block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *output = part.splitlines()
        yield Step(command, output)


BLOCKS = _BLOCK.findall(README.read_text("utf-8"))
SESSIONS = [block for block in BLOCKS if not block.startswith((SET_UP, TERMINALS))]


def normal(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines of stderr and of stdout, without varying text; on a terminal the two race."""
    for pattern, stand_in in _VARYING:
        lines = [pattern.sub(stand_in, line) for line in lines]
    messages = [line for line in lines if line.startswith("nsroom: ")]
    return messages, [line for line in lines if line not in messages]


@pytest.fixture
def bash(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run a line of bash on a terminal and return the lines it printed."""
    last = [0]
    quoted = " ".join(f"'{part}'" for part in NSROOM)

    async def run(line: str, url: str) -> list[str]:
        prelude = f'nsroom() {{ {quoted} "$@"; }}; (exit {last[0]}); '
        env = {**environment, "NSROOM_URL": url, "NO_COLOR": "1"}
        async with spawner((BASH, "-c"), env, tmp_path) as spawn:
            program = await spawn(f"{prelude}{line}", tty=True, cols=400)
            last[0] = await program.end(30)
        return _COLOURS.sub("", program.stdout.text.replace("\r\n", "\n")).splitlines()

    return run


@pytest.mark.parametrize("block", SESSIONS, ids=[next(steps(block)).command[:40] for block in SESSIONS])
async def test_a_session(block: str, bash: Run, server: Server) -> None:
    for step in steps(block):
        line, expected = without_jq(step)
        printed = await bash(line, server.url)
        if expected is not None:
            assert normal(printed) == normal(expected), step.command


def without_jq(step: Step) -> tuple[str, list[str] | None]:
    """Replace jq by cat if it is not installed, and then do not compare the output."""
    if "| jq" not in step.command or shutil.which("jq"):
        return step.command, step.output
    return re.sub(r"\| jq (-\S+ )?('[^']*'|\S+)", "| cat", step.command), None


async def test_three_terminals(spawn: Spawner, serve: StartServer) -> None:
    [block] = [block for block in BLOCKS if block.startswith(TERMINALS)]
    commands = [step.command.partition("#")[0].split()[1:] for step in steps(block)]
    assert commands[0] == ["serve"]
    server = await serve()
    for command in commands[1:]:
        terminal = await spawn(*command, tty=True, env={"NSROOM_URL": server.url})
        await terminal.err("everyone!")
    log = await server.proc.err("namespace=/ ")
    assert "someone connected namespace=/my-namespace" in log


def test_the_set_up_is_two_lines() -> None:
    first, second = (block.strip() for block in BLOCKS if block.startswith(SET_UP))
    assert "nsroom demo" in first
    assert "pytest" in second
    assert "\n" not in first + second
