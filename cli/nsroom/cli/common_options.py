"""The options of every command, which may stand before its name or after it."""

import re
from collections.abc import Sequence
from typing import Any

from typer.core import TyperOption

from nsroom.errors import UsageError
from nsroom.output.stdio import Verbosity, set_verbosity
from nsroom.output.terminal import Colour, choose_colour

_COMMON = re.compile(r"-[qv]+|--(?:quiet|verbose|debug|color(?:=.*)?)", re.DOTALL)


def common_options() -> list[TyperOption]:
    """Return new options, which take effect when they are parsed."""
    return [
        TyperOption(
            param_decls=["-q", "--quiet"],
            is_flag=True,
            callback=_be_quiet,
            expose_value=False,
            help="Print only errors to stderr.",
        ),
        TyperOption(
            param_decls=["-v", "--verbose"],
            is_flag=True,
            callback=_be_verbose,
            expose_value=False,
            help="Also print how the server is reached, and retries.",
        ),
        TyperOption(
            param_decls=["--color"],
            metavar="WHEN",
            callback=_choose_colour,
            expose_value=False,
            help="auto, always or never. auto follows NO_COLOR and FORCE_COLOR.",
        ),
        TyperOption(
            param_decls=["--debug"],
            is_flag=True,
            expose_value=False,
            help="Show the traceback of an internal error.",
        ),
    ]


def leading(argv: Sequence[str]) -> int:
    """Return the number of words at the start of a line that are common options and their values."""
    index = 0
    while index < len(argv) and _COMMON.fullmatch(argv[index]):
        index += 2 if argv[index] == "--color" else 1
    return min(index, len(argv))


def _be_quiet(_context: Any, _option: Any, wanted: bool) -> None:
    if wanted:
        set_verbosity(Verbosity.QUIET)


def _be_verbose(_context: Any, _option: Any, wanted: bool) -> None:
    if wanted:
        set_verbosity(Verbosity.VERBOSE)


def _choose_colour(_context: Any, _option: Any, when: str | None) -> None:
    if when is None:
        return
    if when not in list(Colour):
        raise UsageError(f"--color {when!r:.80}: choose auto, always or never")
    choose_colour(Colour(when))
