"""The list of commands, and the one place that turns errors into a line and an exit code."""

import os
import signal
import sys
from collections.abc import Sequence
from errno import EBADF, EDQUOT, EIO, ENOSPC
from typing import Any, NoReturn

from nsroom.commands import COMMANDS
from nsroom.errors import ExitCode, NsroomError, Stopped
from nsroom.output.stdio import mend, put, say, show_version
from nsroom.output.terminal import safe

HELP = os.path.join(os.path.dirname(__file__), "help.txt")
"""What `--help` prints, as typer writes it: `python -m tests.test_docs` makes it."""
HELP_COLUMNS = 80
"""Typer's lines are no longer, however wide the terminal is."""
_FULL = frozenset([EBADF, EDQUOT, EIO, ENOSPC])


def main() -> NoReturn:
    """Run the command line and end the process with the contract's exit code."""
    # Nothing is to be put in order yet, and amid an import an exception can get lost, and keep a lock.
    signal.signal(signal.SIGINT, lambda *_: os._exit(ExitCode.SIGINT))
    mend()
    code = run(sys.argv[1:])
    _flush()
    # Not sys.exit: what is still open belongs to us alone, and tearing down asyncio and aiohttp takes 30 ms.
    os._exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command line; return its exit code, with whatever went wrong said on stderr."""
    try:
        return _run(argv)
    except NsroomError as error:
        if error.code != ExitCode.SIGPIPE:
            say(str(error))
        return error.code
    except Stopped as stopped:
        return stopped.code
    except KeyboardInterrupt:
        return ExitCode.SIGINT
    except SystemExit as end:  # typer has completed a word, or the reader of its help has gone
        return ExitCode.SIGPIPE if end.code else ExitCode.OK
    except BrokenPipeError:
        return ExitCode.SIGPIPE
    except Exception as error:  # noqa: BLE001 - the last stop
        return _unexpected(error, argv)


def _run(argv: Sequence[str]) -> int:
    if argv in (["--version"], ["-V"]):  # half of what this takes would be typer
        show_version()
        return ExitCode.OK
    if argv in (["--help"], ["-h"]) and _columns() >= HELP_COLUMNS:  # all of what this takes would be typer
        with open(HELP, "rb") as file:
            put(file.read())
        return ExitCode.OK
    from nsroom.cli.app import build

    if "_NSROOM_COMPLETE" in os.environ:
        _register_shells()
    return int(build(_wanted(argv))(argv, prog_name="nsroom", standalone_mode=False) or 0)


def _columns() -> int:
    """Give the width of the terminal as `shutil.get_terminal_size` does, which is slow to import."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns > 0:
        return columns
    try:
        return os.get_terminal_size(1).columns or HELP_COLUMNS
    except OSError:
        return HELP_COLUMNS


def _register_shells() -> None:
    """Let typer answer the questions of the scripts, which it does only where it adds its own options."""
    from typer.completion import get_completion_inspect_parameters

    get_completion_inspect_parameters()


def _wanted(argv: Sequence[str]) -> Sequence[str]:
    """Name the command to load: one when the line names one, all when help or completion needs them."""
    words = [word for word in argv[:2] if word != "--debug"]
    return [words[0]] if words and words[0] in COMMANDS else COMMANDS


def _unexpected(error: Exception, argv: Sequence[str]) -> int:
    if type(error).__name__ == "Abort":  # typer's, for the end of input at a prompt
        return ExitCode.SIGINT
    if hasattr(error, "format_message"):  # typer's own: a wrong option, a missing argument
        _explain_usage(error.format_message(), getattr(error, "ctx", None), argv)
        return ExitCode.USAGE
    if isinstance(error, OSError) and error.errno in _FULL:  # typer's help and our version
        say(f"cannot write to standard output: {error.strerror}")
        return ExitCode.OUTPUT
    if "--debug" in argv:
        _show_traceback(error)
    say(f"this is a bug in nsroom: {type(error).__name__}: {error}")
    say("run it again as `nsroom --debug …` and report what it prints")
    return ExitCode.BUG


def _explain_usage(text: str, context: Any, argv: Sequence[str]) -> None:
    if not argv:
        sys.stderr.write(f"{text}\n")
    else:
        say(f"{_lower(text)}{f' (see `{context.command_path} --help`)' if context else ''}")


def _show_traceback(error: Exception) -> None:
    import traceback

    for line in "".join(traceback.format_exception(error)).rstrip("\n").split("\n"):
        sys.stderr.write(f"{safe(line)}\n")


def _lower(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text[:1].lower() + text[1:]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # closed by the other side: nobody is left to tell


if __name__ == "__main__":
    main()
