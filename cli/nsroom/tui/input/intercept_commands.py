"""The commands of the input that change packets in the proxy, and send packets of the user's own."""

from typing import Protocol

from nsroom.cli.shell_words import split
from nsroom.client.events import Acknowledge, Emit, parse_arguments
from nsroom.client.target import namespace_of
from nsroom.errors import DecodeError, UsageError
from nsroom.protocol import strict_json
from nsroom.proxy.decisions import edited
from nsroom.proxy.interceptor import Interceptor
from nsroom.proxy.marks import State, mark_of
from nsroom.record import Direction, Kind, Record
from nsroom.tui.input.intercept_actions import select_next
from nsroom.tui.screen.state import View

IN, OUT = Direction.IN, Direction.OUT
_AS_SERVER = "--as-server"


class Host(Protocol):
    """The application's interface for these commands."""

    def read(self) -> None:
        """Move the focus to the stream."""


class Context(Protocol):
    """The objects that these commands work on."""

    @property
    def view(self) -> View:
        """The state of the screen."""

    @property
    def host(self) -> Host:
        """The application."""


async def edit(context: Context, rest: str) -> None:
    """Replace the event and the arguments of a packet that waits, and pass it on. Raises: UsageError."""
    interceptor = _interceptor(context)
    number, _, text = rest.partition(" ")
    if not (number.isascii() and number.isdigit() and len(number) < 10 and text):
        raise UsageError('usage: /edit ID ["EVENT", ARG…], for an acknowledgement /edit ID [ARG…]')
    waiting = interceptor.interception.waiting.get(int(number))
    if waiting is None:
        raise UsageError(f"packet {number} does not wait: it was decided before, or its connection has ended")
    try:
        values = strict_json.load(text.strip(), exact=True)
        if not isinstance(values, list):
            raise ValueError("not a list")
        is_event = waiting.record.kind is Kind.EVENT
        if is_event and not values:
            raise ValueError("the event's name is missing")
        changes = {"event": values[0], "args": values[1:]} if is_event else {"args": values}
        decision = edited(changes)
    except (DecodeError, ValueError) as error:
        raise UsageError(f"not edited: {error}") from None
    interceptor.decide(waiting.id, decision)
    select_next(context.view)
    context.host.read()


async def emit(context: Context, rest: str) -> None:
    """Emit an event to the server of the selected client, or as the server. Raises: UsageError."""
    _emit(context, rest, ask=False)


async def call(context: Context, rest: str) -> None:
    """Emit an event with an acknowledgement, which only its row shows. Raises: UsageError."""
    _emit(context, rest, ask=True)


def _emit(context: Context, rest: str, ask: bool) -> None:
    interceptor = _interceptor(context)
    words, direction = _direction(split(rest))
    record = context.view.model.selected()
    namespace = (record and record.namespace) or "/"
    if words[:1] == ["-n"] and len(words) > 1:
        namespace, words = namespace_of(words[1]), words[2:]
    is_text = words[:1] in (["-t"], ["--text"])
    event, *args = words[is_text:] or [""]
    if not event:
        raise UsageError(f"usage: /{'call' if ask else 'emit'} [--as-server] [-n NS] [-t] EVENT [ARG…]")
    item = Emit(namespace, event, parse_arguments(args, is_text))
    interceptor.emit(record.sid if record else None, direction, item, ask)
    context.view.model.follow()


async def reply(context: Context, rest: str) -> None:
    """Acknowledge the selected event in place of its receiver. Raises: UsageError."""
    interceptor = _interceptor(context)
    words, direction = _direction(split(rest))
    record = context.view.model.selected()
    if record is None or record.kind is not Kind.EVENT or record.id is None or _is_own(record):
        raise UsageError("select an event that wants a reply")
    if record.direction is direction:
        hint = f"use /reply {_AS_SERVER}" if direction is OUT else f"leave {_AS_SERVER} out"
        sender = "client" if record.direction is OUT else "server"
        raise UsageError(f"the {sender} sent this event, so the other side answers it: {hint}")
    answer = Acknowledge(record.namespace or "/", record.id, parse_arguments(words))
    interceptor.reply(record.sid, direction, answer)
    context.host.read()


def _is_own(record: Record) -> bool:
    """Return whether an event is the user's own: its acknowledgement is for the user."""
    mark = mark_of(record)
    return mark is not None and mark["state"] == State.SENT


def _direction(words: list[str]) -> tuple[list[str], Direction]:
    """Return the words after --as-server, and to which side to send."""
    return (words[1:], IN) if words[:1] == [_AS_SERVER] else (words, OUT)


def _interceptor(context: Context) -> Interceptor:
    if context.view.interceptor is None:
        raise UsageError("the proxy only observes: start it with --intercept to send and change packets")
    return context.view.interceptor
