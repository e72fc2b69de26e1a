"""Declare options and arguments without loading typer, which takes a third of the time of a short command."""

from types import SimpleNamespace
from typing import Any, ClassVar, Self, dataclass_transform


class Option:
    """An option of a command, in the words of `typer.Option`; without a name it has that of its parameter."""

    def __init__(self, *names: str, **settings: Any) -> None:
        self.names = names
        self.settings = settings


class Argument:
    """An argument of a command, in the words of `typer.Argument`."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Options(SimpleNamespace):
    """Options of several commands: annotated attributes, each with its default.

    Not a dataclass: to make one takes up to a millisecond of every start.
    """

    defaults: ClassVar[dict[str, Any]] = {}
    """The default of each attribute, in their order in the help."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.defaults = cls.defaults | {name: vars(cls)[name] for name in cls.__annotations__}

    def __init__(self, **given: Any) -> None:
        super().__init__(**self.defaults | given)

    @classmethod
    def options(cls) -> list[str]:
        """Return the attributes that are options: all but `given`, the names of those on the command line."""
        return [name for name in cls.defaults if name != "given"]

    def replace(self, **changes: Any) -> Self:
        """Return these options with some changed."""
        return type(self)(**vars(self) | changes)


def is_group(kind: Any) -> bool:
    """Return whether a parameter's type is a group of options."""
    return isinstance(kind, type) and issubclass(kind, Options)
