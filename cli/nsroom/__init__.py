"""nsroom: chat with, watch and debug any Socket.IO server from the terminal."""

import time

__version__ = "0.1.0"
STARTED = time.monotonic()
"""When nsroom was started: the seconds of `--wait` count from here."""
