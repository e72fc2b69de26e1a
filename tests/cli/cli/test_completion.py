"""Shell completion in real shells, and its installation."""

import shutil
import sys
from pathlib import Path

import pytest

from nsroom.cli.completion import MARK, Shell, current_shell, install, script_file, startup_file, uninstall
from nsroom.errors import OutputError, UsageError
from tests.peers.program import Spawner


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
        ("nsroom connect sta\t", "nsroom connect staging "),
        ("nsroom serve --limit rooms_per_s\t", "nsroom serve --limit rooms_per_socket="),
    ],
)
@pytest.mark.usefixtures("program")
async def test_in_a_real_bash(
    environment: dict[str, str], tmp_path: Path, typed: str, completed: str
) -> None:
    (tmp_path / "session.ndjson").touch()
    (tmp_path / ".nsroom.toml").write_text('[servers.staging]\nurl = "http://localhost:1"\n')
    bash = Spawner((str(shutil.which("bash")), "--norc", "--noprofile"), environment, tmp_path)
    try:
        terminal = await bash(tty=True, cols=200)
        terminal.type('eval "$(nsroom completion bash)"; echo lo""aded\r')
        await terminal.err("loaded\r\n", timeout=20)
        terminal.type(typed)
        await terminal.err(completed, timeout=20)
    finally:
        await bash.stop()


@pytest.mark.parametrize("shell", Shell)
def test_install_and_back(shell: Shell, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    startup = startup_file(shell, home)
    if startup is not None:
        startup.parent.mkdir(parents=True, exist_ok=True)
        startup.write_bytes(b"alias x=y\r\n# caf\xe9")
    for _ in range(2):  # again changes nothing
        written = install(shell, home)
    assert written == [script_file(shell, home), *([startup] if startup else [])]
    assert "_NSROOM_COMPLETE" in written[0].read_text()
    if startup is not None:
        assert startup.read_bytes().startswith(b"alias x=y\r\n# caf\xe9\n")
        assert startup.read_bytes().count(MARK.encode()) == 1
    assert uninstall(shell, home) == written
    assert not written[0].exists()
    if startup is not None:
        assert startup.read_bytes() == b"alias x=y\r\n# caf\xe9\n"
    assert uninstall(shell, home) == []


def test_folders_of_the_user(tmp_path: Path) -> None:
    home = {"HOME": "/home/ann", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d", "ZDOTDIR": "/z"}
    assert script_file(Shell.FISH, home) == Path("/c/fish/completions/nsroom.fish")
    assert script_file(Shell.BASH, home) == Path("/d/nsroom/completion.bash")
    assert startup_file(Shell.ZSH, home) == Path("/z/.zshrc")
    with pytest.raises(OutputError, match="cannot write to"):
        install(Shell.FISH, {"XDG_CONFIG_HOME": "/dev/null", "HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("environment", "shell"),
    [
        ({"SHELL": "/bin/zsh"}, Shell.ZSH),
        ({"SHELL": "-bash"}, Shell.BASH),
        ({"PSModulePath": "x"}, Shell.POWERSHELL),
    ],
)
def test_the_shell_of_the_user(environment: dict[str, str], shell: Shell) -> None:
    assert current_shell(environment) is shell


@pytest.mark.parametrize("environment", [{}, {"SHELL": "/bin/tcsh"}])
def test_another_shell(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="name one of bash, zsh, fish, powershell"):
        current_shell(environment)
