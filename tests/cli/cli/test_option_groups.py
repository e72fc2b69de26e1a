"""Options that commands share: declared once, shown by typer, passed as groups."""

from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.declarations import Options
from nsroom.cli.option_groups import expand


class Shared(Options):
    """Options of two commands."""

    colour: Annotated[str, typer.Option("-c", "--colour", help="Which colour.")] = "red"
    size: Annotated[int, typer.Option(min=1, help="How large.")] = 3
    tag: Annotated[list[str] | None, typer.Option(help="What it is.")] = None


seen: list[Any] = []


def make() -> typer.Typer:
    """Return an application with two commands that share options."""
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    @expand
    def draw(
        shape: Annotated[str, typer.Argument(help="Which shape.")],
        *,
        options: Shared,
        fast: Annotated[bool, typer.Option("--fast", help="Quickly.")] = False,
    ) -> None:
        """Draw it."""
        seen.append((shape, options, fast))

    @app.command()
    @expand
    def paint(*, options: Shared, connection: ConnectionOptions) -> None:
        """Paint it."""
        seen.append((options, connection))

    return app


def run(*args: str) -> tuple[int, str, Any]:
    """Run a command line; return the code, the output, and what the command received."""
    seen.clear()
    result = CliRunner().invoke(make(), args)
    return result.exit_code, result.output, seen[0] if seen else None


def test_two_commands_take_the_same_options() -> None:
    assert run("draw", "circle", "-c", "red", "--fast") == (0, "", ("circle", Shared(colour="red"), True))
    code, _, got = run("paint", "--colour", "blue", "--size", "7", "--tag", "a", "--tag", "b", "-u", ":1")
    assert code == 0
    assert got == (
        Shared(colour="blue", size=7, tag=["a", "b"]),
        ConnectionOptions(url=":1", given=frozenset(("url",))),
    )


def test_the_help_shows_them_in_their_place() -> None:
    code, text, _ = run("draw", "--help")
    assert code == 0
    options = text.partition("Options:")[2]
    order = [options.index(each) for each in ("-c, --colour", "--size", "--tag", "--fast")]
    assert order == sorted(order)
    assert "How large." in options
    assert "default: 3" in options


@pytest.mark.parametrize(
    "args",
    [
        ("draw", "-c", "red"),
        ("draw", "circle", "-c", "red", "--size", "0"),
        ("draw", "circle", "-c", "red", "--size", "big"),
        ("paint", "-c", "red", "--fast"),
        ("paint", "-c", "red", "--transport", "pigeon"),
        ("paint", "-c", "red", "--connect-timeout", "0"),
    ],
)
def test_wrong_values_are_usage_errors(args: tuple[str, ...]) -> None:
    assert run(*args)[0] == 2
    assert seen == []
