"""The settings of the live view, from the configuration."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nsroom.cli.configuration import Configuration
from nsroom.errors import UsageError
from nsroom.folders import state_folder
from nsroom.output.terminal import Theme


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's settings."""

    theme: Theme = Theme.DARK
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys that replace those of the keymap, by the name of the function."""


def history_file() -> Path:
    """Return the path of the input history, and create its folder."""
    folder = state_folder()
    with contextlib.suppress(OSError):  # the history is then not saved
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "typed"


def settings(configuration: Configuration, theme: Theme | None = None) -> Settings:
    """Return the settings of the live view, with this theme if one is given.

    Raises: UsageError that names the setting.
    """
    return Settings(
        theme or _theme(configuration.theme or Theme.AUTO),
        {name: _keys(name, value) for name, value in configuration.keys.items()},
    )


def _theme(name: str) -> Theme:
    try:
        return Theme(name)
    except ValueError:
        names = ", ".join(Theme)
        raise UsageError(f"configuration: unknown theme {name!r}; choose one of {names}") from None


def _keys(name: str, value: Any) -> tuple[str, ...]:
    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise UsageError(f"configuration: keys.{name} must be a key or a list of keys")
    return tuple(keys)
