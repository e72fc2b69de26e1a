"""What is offered for the last word of a line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsroom.cli.completer import FILES, answer, candidates
from nsroom.commands import COMMANDS
from tests.peers.program import Runner


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".nsroom.toml").write_text(
        '[servers.prod]\nurl = "https://example.org"\nnamespace = "/orders"\n'
        '[servers.staging]\nurl = "http://localhost:1"\n'
    )


def words(*line: str) -> list[str]:
    return [each.word for each in candidates(line, COMMANDS)]


def test_commands() -> None:
    assert words("")[: len(COMMANDS)] == list(COMMANDS)
    assert words("dec") == ["decode"]
    assert words("-q", "dec") == ["decode"]
    assert words("stag") == ["staging"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (["connect", "--tr"], ["--transport"]),
        (["connect", "--transport", ""], ["auto", "websocket", "polling"]),
        (["connect", "--transport", "w"], ["websocket"]),
        (["connect", "--transport=w"], ["--transport=websocket"]),
        (["connect", "/chat", "--js"], ["--json"]),
        (["connect", "p"], ["prod"]),
        (["connect", "/"], ["/", "/my-namespace", "/chat", "/lab", "/orders"]),
        (["connect", "-n", "/o"], ["/orders"]),
        (["emit", "/l"], ["/lab"]),
        (["emit", "p"], []),
        (["emit", "-u", "s"], ["staging"]),
        (["replay", "x", "--direction", ""], ["out", "in", "all"]),
        (["join", "lobby", "--join-preset", "joi"], ["join", "join-object", "join_room", "joinRoom"]),
        (["serve", "--log-format", "j"], ["json"]),
        (["serve", "--fault", "no-ack,la"], ["no-ack,latency="]),
        (["serve", "--limit", "rooms_per_s"], ["rooms_per_socket="]),
        (["connect", "--where", "ev"], ["event="]),
        (["connect", "--where", "ns=/chat & ki"], ["ns=/chat & kind="]),
        (["connect", "--where", "dir="], ["dir=in", "dir=out", "dir=local"]),
        (["connect", "--color", "al"], ["always"]),
        (["connect", "--save", ""], [FILES]),
        (["decode", ""], [FILES]),
        (["diff", "a.ndjson", ""], [FILES]),
        (["diff", "a.ndjson", "b.ndjson", ""], []),
        (["help", "se"], ["serve", "servers"]),
        (["nonsense", ""], []),
    ],
)
def test_options_and_values(line: list[str], offered: list[str]) -> None:
    assert words(*line) == offered


@pytest.mark.parametrize("command", COMMANDS)
def test_descriptions_are_whole(command: str) -> None:
    found = {each.word: each.help for each in candidates([command, "--"], COMMANDS)}
    assert found["--help"] == "Show this message and exit."
    assert all("..." not in text for text in found.values())
    assert all(found.values())


def test_apostrophes_stay() -> None:
    assert "a browser's traffic" in answer(["prox"], COMMANDS)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(), max_size=5))
def test_any_line_has_an_answer(line: list[str]) -> None:
    assert all("\t" in each for each in answer(line, COMMANDS).split("\n")[:-1])


async def test_the_program_answers(nsroom: Runner) -> None:
    result = await nsroom("dec", env={"_NSROOM_COMPLETE": "1"})
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout == "decode\tExplain Engine.IO and Socket.IO frames and captures, offline.\n"


async def test_a_broken_configuration_is_silent(nsroom: Runner, tmp_path: Path) -> None:
    (tmp_path / ".nsroom.toml").write_text("[")
    result = await nsroom("connect", "p", env={"_NSROOM_COMPLETE": "1"})
    assert (result.code, result.stdout, result.stderr) == (0, "", "")
