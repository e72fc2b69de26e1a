"""stdout and stderr as commands use them: results on stdout, messages to the user on stderr."""

import contextlib
import os
import sys
from enum import IntEnum

from nsroom import __version__
from nsroom.errors import ExitCode, OutputError, Stopped
from nsroom.output.terminal import safe


class Verbosity(IntEnum):
    """How much to print to stderr: only errors, notes too, or details too."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


_verbosity = Verbosity.NORMAL
_kept = bytearray()
"""The bytes that `put_soon` has not written yet."""
_CHUNK = 65_536
"""Bytes to keep: a system call costs as much as ten short lines."""
_MAX_LINE = 1000
"""Characters of a message."""
_STANDARD = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def fix_stdio() -> None:
    """Open /dev/null for each standard stream that is closed, before a socket or file gets its descriptor.

    Reading then returns end of file, and writing fails as it does on a closed descriptor.
    """
    for number, (name, mode) in enumerate(_STANDARD):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDONLY)
            if fd != number:
                os.dup2(fd, number)
                os.close(fd)
            setattr(sys, name, os.fdopen(number, mode))


def is_terminal() -> bool:
    """Return whether the full-screen view can be used."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def set_verbosity(wanted: Verbosity) -> None:
    """Choose what `say` and `detail` print."""
    global _verbosity
    _verbosity = wanted


def is_quiet() -> bool:
    """Return whether --quiet is given."""
    return _verbosity is Verbosity.QUIET


def is_verbose() -> bool:
    """Return whether --verbose is given."""
    return _verbosity is Verbosity.VERBOSE


def complain(text: str) -> None:
    """Print an error to stderr, safe for a terminal and not too long; a closed stderr is ignored."""
    # Cut first: a refusal may have a megabyte.
    line = f"nsroom: {safe(text[: _MAX_LINE + 1])}"
    if len(line) > _MAX_LINE:
        line = f"{line[: _MAX_LINE - 1]}…"
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def say(text: str) -> None:
    """Print a note to stderr, unless --quiet is given."""
    if not is_quiet():
        complain(text)


def detail(text: str) -> None:
    """Print a note to stderr if --verbose is given."""
    if is_verbose():
        complain(text)


def put(data: bytes) -> None:
    """Write a result to stdout without delay. Raises: Stopped if its reader closed it, OutputError."""
    put_soon(data)
    flush()


def put_soon(data: bytes) -> None:
    """Write a result that may wait for `flush` or for more. Raises: as `put`."""
    _kept.extend(data)
    if len(_kept) >= _CHUNK:
        flush()


def flush() -> None:
    """Write what `put_soon` has kept. Raises: as `put`."""
    try:
        sys.stdout.buffer.write(_kept)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise _unwritten(error) from None
    finally:
        _kept.clear()


def _unwritten(error: OSError) -> Stopped | OutputError:
    if isinstance(error, BrokenPipeError):  # typer would exit with 1
        return Stopped(ExitCode.SIGPIPE - 128)
    return OutputError(f"cannot write to standard output: {error.strerror}")


def say_result(text: str) -> None:
    """Print a result for a person to stdout, unless --quiet is given. Raises: as `put`."""
    if not is_quiet():
        put(f"{safe(text)}\n".encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def show_version() -> None:
    """Print the version."""
    put(f"nsroom {__version__}\n".encode())
