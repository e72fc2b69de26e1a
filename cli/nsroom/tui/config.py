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
    """What a person has chosen."""

    theme: str = "dark"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other keys for the functions of `key_bindings.KEYS`, by their names."""


def config_file() -> Path:
    """Name the file with the settings."""
    return user_config_path("nsroom") / "config.toml"


def history_file() -> Path:
    """Name the file that keeps what was typed."""
    folder = user_state_path("nsroom")
    with contextlib.suppress(OSError):  # without it, this run's history ends with it
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "typed"


def load(path: Path) -> Settings:
    """Read the settings; without a file there are none.

    Raises: UsageError that names the file and the key.
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
        raise ValueError(f"there is no setting {sorted(unknown)[0]!r}, only theme and [keys]")
    theme = values.get("theme", "dark")
    if theme not in THEMES:
        raise ValueError(f"no theme is called {theme!r}, only {', '.join(THEMES)}")
    keys = values.get("keys", {})
    if not isinstance(keys, dict):
        raise ValueError('keys must be a table, as [keys] and then pause = "f6"')
    return Settings(theme, {name: _keys(name, value) for name, value in keys.items()})


def _keys(name: str, value: Any) -> tuple[str, ...]:
    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise ValueError(f"keys.{name}: give a key, or a list of keys")
    return tuple(keys)
