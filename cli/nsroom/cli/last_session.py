"""The namespaces of the last session, which the completion offers."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from nsroom.folders import state_folder

_MAX_NAMESPACES = 100
_MAX_LENGTH = 200


def save(namespaces: Iterable[str]) -> None:
    """Save the connected namespaces for the completion. If the file cannot be written, nothing is saved."""
    named = [name for name in namespaces if name.isprintable() and " " not in name]
    lines = [f"{name}\n" for name in named if len(name) <= _MAX_LENGTH][:_MAX_NAMESPACES]
    path = _path()
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)


def namespaces() -> list[str]:
    """Return the namespaces of the last session, an empty list before the first."""
    try:
        with open(_path(), encoding="utf-8") as file:
            lines = file.read(_MAX_NAMESPACES * (_MAX_LENGTH + 1)).splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [line for line in lines if line.startswith("/") and line.isprintable()]


def _path() -> Path:
    return state_folder() / "namespaces"
