"""What a scenario consists of: its lines, and the errors in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nsroom import errors
from nsroom.cli.shell_words import Word
from nsroom.record import Json

SERVER = "server"
"""The name before the lines of the scenario's own server."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `ann: call message text=hi as id=arg.0.id`."""

    file: Path
    number: int
    client: str
    verb: str
    words: tuple[Word, ...] = ()
    """The words after the verb, without `as …`, `within …` and `for …`."""
    start: int = 0
    """Where the verb starts."""
    expression: str = ""
    """The filter of an expectation."""
    expression_start: int = 0
    count: int = 1
    """How many records are expected."""
    seconds: float | None = None
    """The time after `within` or `for`."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The names that the line defines, with the paths of their values in the answer."""
    names_start: int = 0
    text: str = ""
    """The line as it is written, without its comment."""

    @property
    def texts(self) -> list[str]:
        """The words after the verb."""
        return [word.text for word in self.words]

    @property
    def place(self) -> str:
        """The file and the number of the line."""
        return f"{self.file}:{self.number}"


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario that was checked."""

    name: str
    file: Path
    lines: tuple[Line, ...]
    values: Mapping[str, Json]
    """The names of --set and their values."""
    used: frozenset[str] = frozenset()
    """The names that its lines use."""
    refusals: frozenset[int] = frozenset()
    """The indexes of lines whose refusal the next line of their client expects."""


class ScriptError(errors.ScriptError):
    """An error in a line of a scenario; nothing was sent."""

    def __init__(self, line: Line | tuple[Path, int], start: int, reason: str) -> None:
        super().__init__(*((line.file, line.number) if isinstance(line, Line) else line), start, reason)
