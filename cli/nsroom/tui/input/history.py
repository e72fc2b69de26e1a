"""The input history of earlier runs, in a file of limited length that only its owner can read."""

import contextlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import History

_MAX_ENTRIES = 1000
_MAX_LENGTH = 10_000
"""Characters of an entry; longer ones are not saved."""

_SECRET = re.compile(
    r"(?:passw|passphrase|pwd|secret|token|credential|auth|cookie|session|api[_-]?key)"
    r"[\w.-]*[\"']?\s*[=:]",
    re.I,
)
"""A key, in JSON or as `key=value`, that usually has a secret as its value."""


class InputHistory(History):
    """A file with a line of JSON per entry. If it cannot be read or written, nothing is loaded or saved."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def load_history_strings(self) -> Iterable[str]:
        """Return the entries, the latest first."""
        lines = self._lines()
        if len(lines) > 2 * _MAX_ENTRIES:
            self._write("".join(lines[-_MAX_ENTRIES:]), os.O_TRUNC)
        return [text for line in reversed(lines[-_MAX_ENTRIES:]) if (text := _decode(line))]

    def append_string(self, string: str) -> None:
        """Add an entry, unless it starts with a blank or seems to contain a secret."""
        if not string.startswith(" ") and not _SECRET.search(string):
            super().append_string(string)

    def store_string(self, string: str) -> None:
        """Save an entry."""
        if len(string) <= _MAX_LENGTH:
            self._write(json.dumps(string) + "\n", os.O_APPEND)

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text("ascii").splitlines(keepends=True)
        except (OSError, UnicodeDecodeError):
            return []

    def _write(self, text: str, flags: int) -> None:
        with contextlib.suppress(OSError):
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
            with open(fd, "w", encoding="ascii") as file:
                file.write(text)


def _decode(line: str) -> str:
    try:
        text = json.loads(line)
    except ValueError:
        return ""
    return text if isinstance(text, str) else ""
