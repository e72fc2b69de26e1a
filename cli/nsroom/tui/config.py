"""The settings of the live view: `config.toml` in the user's configuration folder."""

import contextlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_state_path

from nsroom.errors import UsageError
from nsroom.tui.screen.style import THEMES


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's settings."""

    theme: str = "dark"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys that replace those of the keymap, by the name of the function."""


def config_file() -> Path:
    """Return the path of the settings."""
    return user_config_path("nsroom") / "config.toml"


def history_file() -> Path:
    """Return the path of the input history, and create its folder."""
    folder = user_state_path("nsroom")
    with contextlib.suppress(OSError):  # the history is then not saved
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "typed"


def load(path: Path) -> Settings:
    """Read the settings, or return the defaults without a file.

    Raises: UsageError with the file and the setting.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from None
    try:
        return _settings(values)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None


def _settings(values: dict[str, Any]) -> Settings:
    unknown = values.keys() - {"theme", "keys"}
    if unknown:
        raise ValueError(f"unknown setting {sorted(unknown)[0]!r}; use theme and [keys]")
    theme = values.get("theme", "dark")
    if theme not in THEMES:
        raise ValueError(f"unknown theme {theme!r}; choose one of {', '.join(THEMES)}")
    keys = values.get("keys", {})
    if not isinstance(keys, dict):
        raise ValueError('keys must be a table: [keys], then pause = "f6"')
    return Settings(theme, {name: _keys(name, value) for name, value in keys.items()})


def _keys(name: str, value: Any) -> tuple[str, ...]:
    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise ValueError(f"keys.{name} must be a key or a list of keys")
    return tuple(keys)
