"""Entry point: run one command and turn every error into one line and an exit code."""

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Sequence
from errno import EBADF, EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, ENOSPC
from importlib import import_module
from typing import Any, NoReturn

from nsroom.commands import COMMANDS, GROUPS
from nsroom.errors import ExitCode, NsroomError, OutputError, Stopped
from nsroom.lazy import import_lazily
from nsroom.output.stdio import Verbosity, complain, fix_stdio, flush, put, set_verbosity, show_version
from nsroom.output.terminal import safe

HELP = os.path.join(os.path.dirname(__file__), "help.txt")
"""The output of `--help`, without loading typer; `python -m tests.test_docs` writes it."""
HELP_COLUMNS = 80
"""The width of typer's help, even on a wider terminal."""
PLAIN = ("emit", "call", "connect", "join", "tail", "rooms", "sockets", "decode", "replay")
"""The commands that start without typer if their line is plain: their modules do not load it either."""
_LAZY = ("inspect", "ipaddress")
"""Modules that asyncio and urllib import and seldom use: they take a fifteenth of the start of `emit`."""
_COLLECT = 50_000
"""New objects after which Python looks for cycles among them: more than a start makes.

With Python's 700 it takes a tenth of sending a flood.
"""
_FULL = frozenset([EBADF, EDQUOT, EIO, ENOSPC])
_NO_MEMORY = "not enough memory: close other programs"
_SHORTAGES = {
    EMFILE: "too many open files: raise the limit with `ulimit -n`",
    ENFILE: "too many open files on this machine: close other programs",
    ENOMEM: _NO_MEMORY,
}


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    # There is nothing to clean up yet, and an exception during an import can be lost and leave a lock held.
    signal.signal(signal.SIGINT, lambda *_: os._exit(ExitCode.SIGINT))
    gc.set_threshold(_COLLECT)
    for name in _LAZY:
        import_lazily(name)
    fix_stdio()
    code = run(sys.argv[1:])
    _flush()
    # Not sys.exit: nothing shared is still open, and tearing down asyncio and aiohttp takes 30 ms.
    os._exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command line; print any error to stderr and return the exit code."""
    try:
        return _run(argv)
    except NsroomError as error:
        if error.code != ExitCode.SIGPIPE:
            complain(str(error))
        for line in error.lines:
            _show_line(line)
        return error.code
    except Stopped as stopped:
        return stopped.code
    except KeyboardInterrupt:
        return ExitCode.SIGINT
    except SystemExit as end:  # the help was not read to its end
        return ExitCode.SIGPIPE if end.code else ExitCode.OK
    except BrokenPipeError:
        return ExitCode.SIGPIPE
    except Exception as error:  # noqa: BLE001 - the outermost handler
        return _unexpected(error, argv)


def _run(argv: Sequence[str]) -> int:
    if argv in (["--version"], ["-V"]):  # loading typer would double its time
        show_version()
        return ExitCode.OK
    if _asks_for_report(argv):
        from nsroom.cli.versions import report

        put(report().encode())
        return ExitCode.OK
    # Loading typer would be nearly all of its time.
    if argv in (["--help"], ["-h"], ["help"]) and _columns() >= HELP_COLUMNS:
        with open(HELP, "rb") as file:
            put(file.read())
        return ExitCode.OK
    if "_NSROOM_COMPLETE" in os.environ:
        from nsroom.cli.completer import answer

        put(answer(argv, COMMANDS).encode("utf-8", "replace"))
        return ExitCode.OK
    if argv and argv[0] in PLAIN and _run_plain(*argv):
        return ExitCode.OK
    from nsroom.cli.app import build
    from nsroom.cli.first_word import with_command

    argv = with_command(argv, COMMANDS)
    needed = {"": argv[:1]} if argv and argv[0] in COMMANDS else GROUPS
    return int(build(needed)(argv, prog_name="nsroom", standalone_mode=False) or 0)


def _run_plain(name: str, *words: str) -> bool:
    """Run a command without typer if its line is plain; return whether it is."""
    from nsroom.cli.plain_line import read

    command = getattr(import_module(f"nsroom.commands.{name}"), name)
    if (line := read(command, words)) is None:
        return False
    if line.quiet:
        set_verbosity(Verbosity.QUIET)
    command(**line.parameters)
    return True


def _asks_for_report(argv: Sequence[str]) -> bool:
    """Return whether the line is `--version --verbose`, in any order and spelling."""
    long = {"-V": "--version", "-v": "--verbose"}
    return argv in (["-Vv"], ["-vV"]) or {long.get(word, word) for word in argv} == {"--version", "--verbose"}


def _columns() -> int:
    """Return the width of the terminal, like `shutil.get_terminal_size`, which is slow to import."""
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


def _unexpected(error: Exception, argv: Sequence[str]) -> int:
    if type(error).__name__ == "Abort":  # typer's, for the end of input at a prompt
        return ExitCode.SIGINT
    if type(error).__name__ == "Exit":  # typer's, from a command that was started without typer
        return int(getattr(error, "exit_code", ExitCode.BUG))
    if hasattr(error, "format_message"):  # typer's errors: an unknown option, a missing argument
        _explain_usage(error.format_message(), getattr(error, "ctx", None), argv)
        return ExitCode.USAGE
    if isinstance(error, OSError) and error.errno in _FULL:  # while printing help or the version
        complain(f"cannot write to standard output: {error.strerror}")
        return ExitCode.OUTPUT
    if "--debug" in argv:
        _show_traceback(error)
    if missing := shortage(error):
        # Objects that were never completed, such as an event loop, would complain once more when deleted.
        sys.unraisablehook = lambda _: None
        complain(missing)
        return ExitCode.CONNECT
    complain(f"this is a bug in nsroom: {type(error).__name__}: {error}")
    complain("run it again as `nsroom --debug …` and report the output")
    return ExitCode.BUG


def shortage(error: BaseException | None) -> str | None:
    """Return what this machine has run out of, or None if the error has another cause."""
    if error is None:
        return None
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(shortage, error.exceptions)), None)
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "cannot start a thread: raise the limit with `ulimit -u`, or close other programs"
    if isinstance(error, OSError) and error.errno in _SHORTAGES:
        return _SHORTAGES[error.errno]
    return shortage(error.__cause__ or error.__context__)


def _explain_usage(text: str, context: Any, argv: Sequence[str]) -> None:
    if not argv:
        sys.stderr.write(f"{text}\n")
    else:
        from nsroom.cli.mistakes import lower

        complain(f"{lower(text)}{f' (see `{context.command_path} --help`)' if context else ''}")


def _show_line(line: str) -> None:
    """Print a line to paste below an error."""
    with contextlib.suppress(OSError, ValueError):  # a closed stderr, as in `complain`
        sys.stderr.write(f"  {safe(line)}\n")


def _show_traceback(error: Exception) -> None:
    import traceback

    for line in "".join(traceback.format_exception(error)).rstrip("\n").split("\n"):
        sys.stderr.write(f"{safe(line)}\n")


def _flush() -> None:
    with contextlib.suppress(OutputError, Stopped, ValueError):  # as below
        flush()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # closed by its reader: no way to report it


if __name__ == "__main__":
    main()
