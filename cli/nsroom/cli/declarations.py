"""Declare options and arguments without loading typer, which takes a third of the time of a short command."""

from typing import Any


class Option:
    """An option of a command, in the words of `typer.Option`; without a name it has that of its parameter."""

    def __init__(self, *names: str, **settings: Any) -> None:
        self.names = names
        self.settings = settings


class Argument:
    """An argument of a command, in the words of `typer.Argument`."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
