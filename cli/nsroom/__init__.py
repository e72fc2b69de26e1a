"""nsroom: chat with, watch and debug any Socket.IO server from the terminal."""

import time
from typing import Any

__version__ = "0.1.0"
STARTED = time.monotonic()
"""When nsroom was started: the seconds of `--wait` count from here."""


def __getattr__(name: str) -> Any:
    """Load a name of the Python interface; the command line needs none of it."""
    from importlib import import_module

    # Not for names such as __path__, which the import system asks for.
    if not name.startswith("_") and name in (api := import_module("nsroom.api")).__all__:
        return getattr(api, name)
    raise AttributeError(f"module 'nsroom' has no attribute {name!r}")
