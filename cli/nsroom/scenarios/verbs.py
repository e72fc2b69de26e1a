"""The verbs of a line, each with the arguments and options of the command of its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Any

import typer

from nsroom.cli.command import Command
from nsroom.cli.connection_options import AnyTargets, ConnectionOptions, LeadingTarget
from nsroom.cli.event_options import EmitOptions
from nsroom.cli.option_groups import expand
from nsroom.client.events import parse_arguments
from nsroom.client.joins import convention
from nsroom.client.presets import Convention
from nsroom.errors import UsageError
from nsroom.filters import parse

Args = Annotated[list[str] | None, typer.Argument(metavar="[ARG]...")]
Event = Annotated[str, typer.Argument(metavar="EVENT")]


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect a client."""

    targets: tuple[str, ...]
    options: ConnectionOptions


@dataclass(frozen=True, slots=True)
class Join:
    """Ask to join rooms."""

    rooms: tuple[str, ...]
    how: Convention


@dataclass(frozen=True, slots=True)
class Leave:
    """Ask to leave rooms."""

    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Emit an event."""

    target: str
    event: str
    args: tuple[str, ...]
    options: EmitOptions


@dataclass(frozen=True, slots=True)
class Call(Send):
    """Emit an event and wait for its acknowledgement."""

    fail: str | None = None
    error_first: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """Acknowledge every event of a name from here on."""

    event: str
    args: tuple[str, ...]
    text: bool


@expand
def _connect(targets: AnyTargets = None, *, connection: ConnectionOptions) -> Connect:
    """Connect. Examples: connect /chat"""
    return Connect(tuple(targets or ()), connection)


def _join(
    rooms: Annotated[list[str], typer.Argument(metavar="ROOM...")],
    nick: Annotated[str | None, typer.Option("--as")] = None,
    join_event: Annotated[str | None, typer.Option("--join-event")] = None,
    join_args: Annotated[str | None, typer.Option("--join-args")] = None,
    join_preset: Annotated[str | None, typer.Option("--join-preset")] = None,
) -> Join:
    """Join. Examples: join lobby"""
    return Join(tuple(rooms), convention(join_preset, join_event, join_args, nick))


def _leave(rooms: Annotated[list[str], typer.Argument(metavar="ROOM...")]) -> Leave:
    """Leave. Examples: leave lobby"""
    return Leave(tuple(rooms))


@expand
def _emit(*, target: LeadingTarget = "", event: Event, args: Args = None, options: EmitOptions) -> Send:
    """Emit. Examples: emit hello"""
    return Send(target, event, tuple(args or ()), options)


@expand
def _call(
    *,
    target: LeadingTarget = "",
    event: Event,
    args: Args = None,
    options: EmitOptions,
    fail: Annotated[str | None, typer.Option("--fail")] = None,
    error_first: Annotated[bool, typer.Option("--error-first")] = False,
) -> Call:
    """Call. Examples: call who"""
    return Call(target, event, tuple(args or ()), options, fail, error_first)


def _reply(
    event: Event, args: Args = None, text: Annotated[bool, typer.Option("-t", "--text")] = False
) -> Reply:
    """Reply. Examples: reply ask"""
    return Reply(event, tuple(args or ()), text)


_PARSED: dict[str, Callable[..., Any]] = {
    "connect": _connect,
    "join": _join,
    "leave": _leave,
    "emit": _emit,
    "call": _call,
    "reply": _reply,
}
VERBS = (*_PARSED, "expect", "never", "wait", "disconnect")
"""The verbs of a client."""
TAKES_ARGUMENTS = ("emit", "call", "reply")
"""The verbs whose words are arguments of an event: JSON, or else text."""


def parse_words(verb: str, words: Sequence[str]) -> Any:
    """Return what the words of a verb say: one of the classes above. Raises: UsageError."""
    return _parse(verb, tuple(words))


# Parsing takes longer than sending: a load test repeats the same lines.
@lru_cache(maxsize=1000)
def _parse(verb: str, words: tuple[str, ...]) -> Any:
    return _command(verb).main(args=list(words), prog_name=verb, standalone_mode=False)


def check_files(said: Any) -> None:
    """Check what a parsed line refers to: credentials, files and filters. Raises: UsageError."""
    if isinstance(said, Connect):
        if "-" in (said.options.auth or ()):
            raise UsageError("--auth - is for one client: use @FILE")
        said.options.target(*said.targets)
    elif isinstance(said, Send):
        parse_arguments(said.args, said.options.text)
    elif isinstance(said, Reply):
        parse_arguments(said.args, said.text)
    if isinstance(said, Call) and said.fail:
        parse(said.fail)


@cache
def _command(verb: str) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(verb, cls=Command)(_PARSED[verb])
    return typer.main.get_command(app)
