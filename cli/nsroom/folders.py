"""The folders of nsroom's files of this user."""

import os
import sys
from pathlib import Path


def config_folder() -> Path:
    """Return the folder of the configuration; it need not exist."""
    if sys.platform in ("win32", "darwin"):
        from platformdirs import user_config_path

        return user_config_path("nsroom")
    return _folder("XDG_CONFIG_HOME", "~/.config")


def state_folder() -> Path:
    """Return the folder of the files that nsroom keeps between two runs; it need not exist."""
    if sys.platform in ("win32", "darwin"):
        from platformdirs import user_state_path

        return user_state_path("nsroom")
    return _folder("XDG_STATE_HOME", "~/.local/state")


def _folder(variable: str, otherwise: str) -> Path:
    # As platformdirs does it, whose import would take a tenth of the start-up time of every command.
    value = os.environ.get(variable, "")
    return Path(value if os.path.isabs(value) else otherwise).expanduser() / "nsroom"
