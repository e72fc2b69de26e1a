"""Build the typer application from the commands that are needed."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nsroom.cli.command import Command
from nsroom.cli.common_options import common_options
from nsroom.cli.option_groups import expand
from nsroom.output.stdio import show_version


class Group(TyperGroup):
    """The application, with the options of every command."""

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.params += common_options()

    def format_commands(self, _context: Any, formatter: Any) -> None:
        """Write the commands, group by group."""
        commands: list[tuple[str, Any]] = list(self.commands.items())
        cells = max((len(name) for name, _ in commands), default=0)
        for group in dict.fromkeys(command.rich_help_panel for _, command in commands):
            rows = [
                (name.ljust(cells), command.get_short_help_str(formatter.width - cells - 6))
                for name, command in commands
                if command.rich_help_panel == group
            ]
            with formatter.section(group or "Commands"):
                formatter.write_dl(rows)


def build(groups: Mapping[str, Sequence[str]]) -> typer.Typer:
    """Build the application with the commands of these groups; each is the function named like its module."""
    app = typer.Typer(
        name="nsroom",
        cls=Group,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(root)
    for group, names in groups.items():
        for name in names:
            module = import_module(f"nsroom.commands.{name}")
            kind = getattr(module, "Command", Command)
            app.command(name, cls=kind, rich_help_panel=group)(expand(getattr(module, name)))
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        show_version()
        raise typer.Exit


def root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Show the version; with -v also those of its libraries.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Chat with, watch and debug any Socket.IO server.

    \b
    Three terminals, no options needed:
      nsroom serve                     start the reference server
      nsroom connect /my-namespace     watch a namespace
      nsroom join lobby                ask to join a room and talk in it

    \b
    In scripts:
      nsroom connect /chat -C 3 | jq -r .event
      nsroom emit price 12.5 --room traders
      nsroom call rooms

    \b
    To try it without a server of your own:
      nsroom demo
    """
