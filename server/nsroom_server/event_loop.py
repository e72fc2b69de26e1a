"""The server's event loop: uvloop's if it is installed (`nsroom[speed]`), otherwise asyncio's."""

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop."""
    try:
        # It has no wheels for Windows, and none yet for a Python that is new.
        import uvloop
    except ImportError:
        # Not Windows' default loop, which has no `add_reader`.
        return asyncio.SelectorEventLoop()
    return uvloop.new_event_loop()


def name_of(loop: asyncio.AbstractEventLoop) -> str:
    """Return `uvloop` or `asyncio`."""
    return type(loop).__module__.partition(".")[0]
