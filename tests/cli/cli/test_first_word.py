"""The command that a line means."""

from pathlib import Path

import pytest

from nsroom.cli.first_word import with_command
from nsroom.commands import COMMANDS
from nsroom.errors import UsageError


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("", ""),
        ("emit x", "emit x"),
        ("-q emit x -v", "emit -q x -v"),
        ("--color never emit", "emit --color never"),
        (":3001", "connect :3001"),
        ("-v :3001/chat -C 1", "connect -v :3001/chat -C 1"),
        ("/chat", "connect /chat"),
        ("http://localhost:3001", "connect http://localhost:3001"),
        ("localhost:3001", "connect localhost:3001"),
        ("example.org", "connect example.org"),
        ("--help", "--help"),
        ("-q --version", "-q --version"),
    ],
)
def test_the_line_begins_with_the_command(line: str, meant: str) -> None:
    assert with_command(line.split(), COMMANDS) == meant.split()


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("conect /chat", "nsroom connect /chat"),
        ("emitt x", "nsroom emit x"),
        ("-q conect", "nsroom connect -q"),
        ("listen /chat", "nsroom connect /chat"),
        ("sub chat -C 1", "nsroom connect /chat -C 1"),
        ("watch localhost:3000", "nsroom connect localhost:3000"),
        ("monitor", "nsroom connect"),
        ("send message 'a b'", "nsroom emit message 'a b'"),
        ("publish m", "nsroom emit m"),
        ("request rooms", "nsroom call rooms"),
        ("-u :3001 emit x", "nsroom emit -u :3001 x"),
        ("-n /chat", "nsroom connect -n /chat"),
        ("--nonsense", "nsroom --help"),
        ("nonsense", "nsroom help"),
        ("""'42["a"]'""", """nsroom decode -f '42["a"]'"""),
    ],
)
def test_a_wrong_line_is_answered_with_the_right_one(line: str, meant: str) -> None:
    import shlex

    with pytest.raises(UsageError) as caught:
        with_command(shlex.split(line), COMMANDS)
    assert caught.value.lines == (meant,)


def test_a_file_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.ndjson").touch()
    with pytest.raises(UsageError) as caught:
        with_command(["run.ndjson"], COMMANDS)
    assert caught.value.lines == ("nsroom show run.ndjson",)


def test_common_options_alone_need_a_command() -> None:
    with pytest.raises(UsageError, match="name a command"):
        with_command(["-q"], COMMANDS)
