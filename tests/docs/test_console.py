"""Every console block of the README and the documentation is run on a terminal and prints what is shown."""

import re
import shutil
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import NSROOM, StartServer
from tests.peers.program import Server, Spawner, spawner

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
BASH = shutil.which("bash") or "/bin/bash"
Run = Callable[[str, str], Awaitable[list[str]]]
SET_UP = "$ python3 -m venv "
TERMINALS = "$ nsroom serve "
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COLOURS = re.compile(r"\r?\x1b\[[\d;]*[mK]")
"""Written by jq, and by the progress line."""
_PORT = r"(?:port |127\.0\.0\.1:)(\d+)\D"
_VARYING = (
    (re.compile(r'"time":"[^"]*"'), '"time":"…"'),
    (re.compile(r'"seq":\d+'), '"seq":…'),
    (re.compile(r"http://(localhost|127\.0\.0\.1):\d+"), "http://…"),
    (re.compile(r" on (localhost|127\.0\.0\.1):\d+$", re.M), " on …"),
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


def sessions(page: Path) -> Iterator[Any]:
    """Yield the blocks of a page, except set-up and terminals that stay open, as test parameters."""
    for block in _BLOCK.findall(page.read_text("utf-8")):
        if not block.startswith((SET_UP, TERMINALS)):
            yield pytest.param(block, id=f"{page.stem}: {next(steps(block)).command[:40]}")


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SESSIONS = [each for page in PAGES if page.stem != "tutorial" for each in sessions(page)]


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


@pytest.mark.parametrize("block", SESSIONS)
async def test_a_session(block: str, bash: Run, server: Server) -> None:
    await compare(block, bash, server.url)


async def compare(block: str, bash: Run, url: str) -> None:
    """Run the steps of a block and compare what they print."""
    for step in steps(block):
        line, expected = without_jq(step)
        printed = await bash(line, url)
        if expected is not None:
            assert normal(printed) == normal(expected), step.command


def listing(title: str) -> str:
    """Return the file of this name that the tutorial shows in a tab."""
    found = re.search(
        rf'^    ```\w+ title="{re.escape(title)}"\n(.*?)^    ```$', TUTORIAL, re.DOTALL | re.MULTILINE
    )
    assert found
    return textwrap.dedent(found[1])


@pytest.fixture(params=["server.js", "server.py"])
async def tutorial_server(
    request: pytest.FixtureRequest,
    node: Path,
    node_modules: Path,
    environment: dict[str, str],
    tmp_path: Path,
) -> AsyncIterator[str]:
    """The URL of a server of the tutorial."""
    (tmp_path / request.param).write_text(listing(request.param), "utf-8")
    interpreter = str(node) if request.param.endswith(".js") else sys.executable
    env = {**environment, "PORT": "0", "NODE_PATH": str(node_modules), "PYTHONUNBUFFERED": "1"}
    async with spawner((interpreter,), env, tmp_path) as spawn:
        program = await spawn(request.param)
        await program.stdout.wait_for_match(_PORT, timeout=20)
        port = re.search(_PORT, program.stdout.text)
        assert port
        yield f"http://127.0.0.1:{port[1]}"


@pytest.mark.parametrize("block", [*sessions(ROOT / "docs" / "tutorial.md")])
async def test_the_tutorial(block: str, bash: Run, tutorial_server: str) -> None:
    await compare(block, bash, tutorial_server)


def without_jq(step: Step) -> tuple[str, list[str] | None]:
    """Replace jq by cat if it is not installed, and then do not compare the output."""
    if "| jq" not in step.command or shutil.which("jq"):
        return step.command, step.output
    return re.sub(r"\| jq (-\S+ )?('[^']*'|\S+)", "| cat", step.command), None


async def test_the_terminals_meet(spawn: Spawner, serve: StartServer) -> None:
    [block] = [block for block in _BLOCK.findall(README) if block.startswith(TERMINALS)]
    commands = [step.command.partition("#")[0].split()[1:] for step in steps(block)]
    assert commands[0] == ["serve"]
    server = await serve()
    ann, bob, other = [
        await spawn(*command, tty=True, cols=120, env={"NSROOM_URL": server.url}) for command in commands[1:]
    ]
    await other.err("everyone!")
    for member in (ann, bob):
        await member.err("lobby")
    await ann.err("bob")
    ann.type("dinner is ready\r")
    await bob.err("dinner is ready")
    assert "dinner" not in other.stdout.text


def test_the_set_up_is_two_lines() -> None:
    first, second = (block.strip() for block in _BLOCK.findall(README) if block.startswith(SET_UP))
    assert "nsroom demo" in first
    assert "pytest" in second
    assert "\n" not in first + second
