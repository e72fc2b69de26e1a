"""The typer application, built from the commands that are needed."""

import sys

import pytest
import typer
from typer.testing import CliRunner

from nsroom.cli.app import build
from nsroom.commands import COMMANDS, GROUPS
from tests.peers.program import Runner


def names(app: typer.Typer) -> list[str | None]:
    return [command.name for command in app.registered_commands]


def test_only_the_named_commands_are_built() -> None:
    assert names(build({"": ["emit"]})) == ["emit"]
    assert names(build(GROUPS)) == list(COMMANDS)


def test_a_command_may_have_a_class_of_its_own() -> None:
    [kick, emit] = build({"": ["kick", "emit"]}).registered_commands
    assert kick.cls is sys.modules["nsroom.commands.kick"].Command
    assert emit.cls is not kick.cls


@pytest.mark.parametrize(
    ("args", "start"),
    [(["--version"], "nsroom "), ([], "Usage: ")],
)
def test_options_of_the_application(args: list[str], start: str) -> None:
    result = CliRunner().invoke(build({"": ["emit", "call"]}), args)
    assert result.output.lstrip().startswith(start)


async def test_an_unknown_command_is_a_usage_error(nsroom: Runner) -> None:
    result = await nsroom("xyzzy")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr == (
        "nsroom: unknown command 'xyzzy'; `nsroom help` lists the commands, and a namespace is /xyzzy\n"
        "  nsroom help\n"
    )
