"""End the process in time although the event loop is blocked: a hostile frame may take seconds to decode.

From the time at which a command must end, the loop has to run again and again (`_beat`). If it does not for
`GRACE` seconds of processor time, the process ends, between two instructions of Python. A call into C must
therefore be short, which the limits of the codecs ensure. Windows has no such timers: there only the loop
ends a command.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, NoReturn

from nsroom.errors import NsroomError
from nsroom.output.terminal import safe
from nsroom.output.writer import end_lines

GRACE = 0.3
"""Seconds of processor time that the loop may be blocked once a command must end."""
_LEAVE_FULL_SCREEN = b"\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m"
"""No mouse, no bracketed paste, the normal screen, a cursor: as it was before the live view."""


def arm(loop: asyncio.AbstractEventLoop, code: int, message: str = "") -> None:
    """End the process with this code and message if the loop is blocked from now on."""
    if sys.platform != "win32":
        signal.signal(signal.SIGPROF, lambda *_: end(code, message))
        signal.setitimer(signal.ITIMER_PROF, GRACE)
        loop.call_soon_threadsafe(_beat, loop)


def _beat(loop: asyncio.AbstractEventLoop) -> None:
    if sys.platform != "win32" and signal.getitimer(signal.ITIMER_PROF)[0]:
        signal.setitimer(signal.ITIMER_PROF, GRACE)
        loop.call_later(GRACE / 4, _beat, loop)


def disarm() -> None:
    """Let the process take its time, because the loop has ended the command."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def limit(seconds: float | None, error: NsroomError) -> Iterator[None]:
    """Arm the watchdog with an error if the body takes longer than this many seconds, if any."""
    if seconds is None or sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGALRM, lambda *_: arm(loop, error.code, str(error)))
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    except TimeoutError:
        arm(loop, error.code, str(error))
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def end(code: int, message: str = "") -> NoReturn:
    """End the process at once, with whole lines on stdout and the terminal as it was."""
    end_lines()
    _restore_terminal()
    if message:
        with contextlib.suppress(OSError):  # not sys.stderr: this may interrupt one of its calls
            os.write(2, f"nsroom: {safe(message)}\n".encode(errors="replace"))
    os._exit(code)


@cache
def terminal_mode() -> list[Any] | None:
    """Return the mode of the terminal at the first call, or None without one."""
    return _read_mode()


def _read_mode() -> list[Any] | None:
    if sys.platform == "win32" or not os.isatty(0):
        return None
    import termios

    try:
        return termios.tcgetattr(0)
    except termios.error:  # it was closed
        return None


def _restore_terminal() -> None:
    """Leave the live view, if it is shown."""
    mode = terminal_mode()
    if sys.platform != "win32" and mode is not None and _read_mode() != mode:
        import termios

        with contextlib.suppress(OSError, termios.error):
            os.write(1, _LEAVE_FULL_SCREEN)
            termios.tcsetattr(0, termios.TCSANOW, mode)
