"""The list of commands, and the one place that turns errors into a line and an exit code."""

import os
import sys
from collections.abc import Sequence
from errno import EBADF, EDQUOT, EIO, ENOSPC
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer

from nsroom import __version__
from nsroom.completion import Shell, script
from nsroom.errors import ExitCode, NsroomError, Stopped
from nsroom.streams import mend, say
from nsroom.terminal import safe

COMMANDS = ("serve", "connect", "join", "emit", "call", "rooms", "decode", "replay", "demo")
_FULL = frozenset([EBADF, EDQUOT, EIO, ENOSPC])


def build(names: Sequence[str] = COMMANDS) -> typer.Typer:
    """Make the application out of the named commands; each is the function of its module's name."""
    app = typer.Typer(
        name="nsroom",
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(root)
    for name in names:
        app.command(name)(getattr(import_module(f"nsroom.commands.{name}"), name))
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nsroom {__version__}")
        raise typer.Exit


def _show_completion(shell: Shell | None) -> None:
    if shell:
        typer.echo(script(shell), nl=False)
        raise typer.Exit


def root(
    _version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")] = False,
    _completion: Annotated[
        Shell | None,
        typer.Option(
            "--show-completion",
            help="Print what a shell evaluates to complete nsroom.",
            callback=_show_completion,
            is_eager=True,
        ),
    ] = None,
) -> None:
    """Chat with, watch and debug any Socket.IO server.

    \b
    Three terminals, nothing else to say:
      nsroom serve                     start the reference server
      nsroom connect /my-namespace     watch a namespace
      nsroom join lobby                ask to join a room and talk in it

    \b
    In scripts:
      nsroom connect /chat -C 3 | jq -r .event
      nsroom emit price 12.5 --room traders
      nsroom call rooms

    \b
    To try it without a server of your own:
      nsroom demo
    """


def main() -> NoReturn:
    """Run the command line and end the process with the contract's exit code."""
    mend()
    code = run(sys.argv[1:])
    _flush()
    # Not sys.exit: what is still open belongs to us alone, and tearing down asyncio and aiohttp takes 30 ms.
    os._exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command line; return its exit code, with whatever went wrong said on stderr."""
    if "_NSROOM_COMPLETE" in os.environ:
        _register_shells()
    try:
        return int(build(_wanted(argv))(argv, prog_name="nsroom", standalone_mode=False) or 0)
    except NsroomError as error:
        if error.code != ExitCode.SIGPIPE:
            say(str(error))
        return error.code
    except Stopped as signal:
        return signal.code
    except KeyboardInterrupt:
        return ExitCode.SIGINT
    except SystemExit as end:  # typer has completed a word, or the reader of its help has gone
        return ExitCode.SIGPIPE if end.code else ExitCode.OK
    except BrokenPipeError:
        return ExitCode.SIGPIPE
    except typer.Abort:
        return ExitCode.SIGINT
    except Exception as error:  # noqa: BLE001 - the last stop
        return _unexpected(error, argv)


def _register_shells() -> None:
    """Let typer answer the questions of the scripts, which it does only where it adds its own options."""
    from typer.completion import get_completion_inspect_parameters

    get_completion_inspect_parameters()


def _wanted(argv: Sequence[str]) -> Sequence[str]:
    """Name the command to load: one when the line names one, all when help or completion needs them."""
    words = [word for word in argv[:2] if word != "--debug"]
    return [words[0]] if words and words[0] in COMMANDS else COMMANDS


def _unexpected(error: Exception, argv: Sequence[str]) -> int:
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
