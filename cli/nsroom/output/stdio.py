"""What a command prints by itself: results on stdout, words to a person on stderr."""

import contextlib
import os
import signal
import sys

from nsroom import __version__
from nsroom.errors import OutputError, Stopped
from nsroom.output.terminal import safe

_STANDARD = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def mend() -> None:
    """Give a standard stream that came closed something to be, before a socket or a file takes its number.

    Reading finds the end, and writing fails as it does on a closed descriptor.
    """
    for number, (name, mode) in enumerate(_STANDARD):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDONLY)
            if fd != number:
                os.dup2(fd, number)
                os.close(fd)
            setattr(sys, name, os.fdopen(number, mode))


def is_terminal() -> bool:
    """Say whether a full screen can be shown and read by a person."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def say(text: str) -> None:
    """Tell a person something: one line on stderr, safe for a terminal. Nobody there is no failure."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"nsroom: {safe(text)}\n")
        sys.stderr.flush()


def put(data: bytes) -> None:
    """Write a result to stdout at once.

    Raises: Stopped when its reader has gone, OutputError.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # typer would end with 1
        raise Stopped(signal.SIGPIPE) from None
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def show_version() -> None:
    """Print the version."""
    put(f"nsroom {__version__}\n".encode())
