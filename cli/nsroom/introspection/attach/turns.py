"""One nsroom at a time opens or closes the inspector of a process.

Node can crash if its inspector is closed just when a debugger connects to it.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from nsroom.errors import WaitError
from nsroom.folders import state_folder

_PATIENCE = 10.0
"""Seconds to wait for a turn; opening an inspector takes 0.2, or 5 if the process does not answer."""
_INTERVAL = 0.01


@contextlib.asynccontextmanager
async def turn(pid: int) -> AsyncIterator[None]:
    """Wait for a turn at a process. Raises: WaitError.

    Where no file can be locked, nothing is waited for.
    """
    path = state_folder() / f"attach-{pid}.lock"
    try:
        async with asyncio.timeout(_PATIENCE):
            lock = await _lock(path)
    except TimeoutError:
        raise WaitError(
            f"another nsroom is opening or closing the inspector of pid {pid}: try again"
        ) from None
    try:
        yield
    finally:
        if lock is not None:
            path.unlink(missing_ok=True)
            os.close(lock)


async def _lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock, or None if no file can be locked there."""
    if sys.platform == "win32":
        return None
    import fcntl

    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            found = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The one before has removed its file when it ended its turn: the lock of that is worth nothing.
            is_held = os.path.samestat(os.fstat(found), os.stat(path))
        except (BlockingIOError, FileNotFoundError):
            is_held = False
        except OSError:  # a file system without locks
            os.close(found)
            return None
        if is_held:
            return found
        os.close(found)
        await asyncio.sleep(_INTERVAL)
