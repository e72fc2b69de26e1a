"""The server's event loop: uvloop's if it is installed (`nsroom[speed]`), otherwise asyncio's."""

import asyncio
import os
from contextlib import ExitStack

_DESCRIPTORS = 8
"""As many as a loop of uvloop opens, at most."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop. Raises: OSError without enough file descriptors."""
    try:
        # It has no wheels for Windows, and none yet for a Python that is new.
        import uvloop
    except ImportError:
        # Not Windows' default loop, which has no `add_reader`.
        return asyncio.SelectorEventLoop()
    _require_descriptors()
    return uvloop.new_event_loop()


def _require_descriptors() -> None:
    """Check that descriptors can be opened: without them uvloop ends the process. Raises: OSError."""
    with ExitStack() as stack:
        for _ in range(_DESCRIPTORS):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))


def name_of(loop: asyncio.AbstractEventLoop) -> str:
    """Return `uvloop` or `asyncio`."""
    return type(loop).__module__.partition(".")[0]
