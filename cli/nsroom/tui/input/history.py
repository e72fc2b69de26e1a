"""What was typed in earlier runs: a file that only its owner may read, of bounded length."""

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import History

_MOST = 1000
_LONGEST = 10_000
"""Characters of an entry that is kept for the next run."""


class TypedHistory(History):
    """A line of JSON for each entry. Where the file cannot be read or written, this run does without it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def load_history_strings(self) -> Iterable[str]:
        """Give the entries, the latest first."""
        lines = self._lines()
        if len(lines) > 2 * _MOST:
            self._write("".join(lines[-_MOST:]), os.O_TRUNC)
        return [text for line in reversed(lines[-_MOST:]) if (text := _read(line))]

    def store_string(self, string: str) -> None:
        """Add an entry."""
        if len(string) <= _LONGEST:
            self._write(json.dumps(string) + "\n", os.O_APPEND)

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text("ascii").splitlines(keepends=True)
        except (OSError, UnicodeDecodeError):
            return []

    def _write(self, text: str, how: int) -> None:
        with contextlib.suppress(OSError):
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, 0o600)
            with open(fd, "w", encoding="ascii") as file:
                file.write(text)


def _read(line: str) -> str:
    try:
        text = json.loads(line)
    except ValueError:
        return ""
    return text if isinstance(text, str) else ""
