"""Shell completion: bash runs its script; zsh and fish are asked as their scripts ask."""

import shutil
import sys
from pathlib import Path

import pytest

from nsroom.commands import COMMANDS
from tests.peers.program import Runner, Spawner

BASH = """\
eval "$(nsroom --show-completion bash)"
complete_words() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _nsroom_completion nsroom 2>/dev/null
    printf '%s\\n' "${COMPREPLY[@]}"
}
complete_words """


async def complete(shell: Runner, line: str) -> list[str]:
    """Return what bash offers for the last word."""
    return [each for each in (await shell(f"{BASH}{line}")).lines if each]


async def test_commands(shell: Runner) -> None:
    assert await complete(shell, "nsroom ''") == list(COMMANDS)
    assert await complete(shell, "nsroom co") == ["connect"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("nsroom --sh", ["--show-completion"]),
        ("nsroom --show-completion ''", ["bash", "zsh", "fish"]),
        ("nsroom connect --tr", ["--transport"]),
        ("nsroom connect --transport ''", ["auto", "websocket", "polling"]),
        ("nsroom connect --transport w", ["websocket"]),
        ("nsroom connect /chat --js", ["--json"]),
        ("nsroom replay x --direction ''", ["out", "in", "all"]),
        ("nsroom join lobby --join-preset joi", ["join", "join-object", "join_room", "joinRoom"]),
        ("nsroom serve --log-format j", ["json"]),
        ("nsroom connect ''", []),
        ("nsroom connect -n ''", []),
        ("nsroom emit ''", []),
    ],
)
async def test_options_and_values(shell: Runner, line: str, offered: list[str]) -> None:
    assert await complete(shell, line) == offered


@pytest.fixture
def program(environment: dict[str, str], tmp_path: Path) -> Path:
    """Return a folder on PATH that has a program `nsroom`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "nsroom"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m nsroom "$@"\n')
    script.chmod(0o755)
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    environment["PS1"] = "ready> "
    return folder


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("nsroom conn\t", "nsroom connect "),
        ("nsroom replay sess\t", "nsroom replay session.ndjson "),
        ("nsroom decode sess\t", "nsroom decode session.ndjson "),
        ("nsroom connect --save sess\t", "nsroom connect --save session.ndjson "),
        ("nsroom connect sess\t.", "nsroom connect sess\x07."),
        ("nsroom connect -n sess\t.", "nsroom connect -n sess\x07."),
    ],
)
@pytest.mark.usefixtures("program")
async def test_in_a_real_bash(
    environment: dict[str, str], tmp_path: Path, typed: str, completed: str
) -> None:
    (tmp_path / "session.ndjson").touch()
    bash = Spawner((str(shutil.which("bash")), "--norc", "--noprofile"), environment, tmp_path)
    try:
        terminal = await bash(tty=True, cols=200)
        terminal.type('eval "$(nsroom --show-completion bash)"; echo lo""aded\r')
        await terminal.err("loaded\r\n", timeout=20)
        terminal.type(typed)
        await terminal.err(completed, timeout=20)
    finally:
        await bash.stop()


@pytest.mark.parametrize("command", ["", *COMMANDS])
async def test_zsh_receives_descriptions(nsroom: Runner, command: str) -> None:
    words = f"nsroom {command} --h".replace("  ", " ")
    result = await nsroom(env={"_NSROOM_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": words})
    assert (result.code, result.stderr) == (0, "")
    assert '"--help":"Show this message and exit."' in result.stdout
    assert result.stdout.startswith("_arguments '*: :((")


async def test_zsh_offers_files_without_completions(nsroom: Runner) -> None:
    env = {"_NSROOM_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "nsroom connect "}
    assert (await nsroom(env=env)).stdout == "_files\n"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("nsroom connect --transport ", ["auto", "websocket", "polling"]),
        ("nsroom dec", ["decode\tExplain every part of Engine.IO and..."]),
        ("nsroom connect ", [""]),
    ],
)
async def test_fish_receives_completions(nsroom: Runner, words: str, offered: list[str]) -> None:
    env = {
        "_NSROOM_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": words,
    }
    result = await nsroom(env=env)
    assert result.code == 0
    assert result.stdout.removesuffix("\n").split("\n") == offered


@pytest.mark.parametrize("shell_name", ["zsh", "fish"])
async def test_other_scripts_offer_files_only_for_some_options(nsroom: Runner, shell_name: str) -> None:
    script = (await nsroom("--show-completion", shell_name)).stdout
    assert f"_NSROOM_COMPLETE=complete_{shell_name}" in script
    assert all(f"{command}:*" in script for command in ("decode", "replay"))
    assert "*:--save" in script
    assert "FILES" not in script


async def test_another_shell_is_a_usage_error(nsroom: Runner) -> None:
    result = await nsroom("--show-completion", "tcsh")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith("nsroom: invalid value for '--show-completion': 'tcsh' is not one of")
