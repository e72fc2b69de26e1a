"""What is typed: text, events and /commands."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from nsroom.cli.event_options import EmitOptions
from nsroom.cli.shell_words import split
from nsroom.client.events import Acknowledge, Emit, parse_arguments
from nsroom.client.presets import Convention
from nsroom.client.replies import Rule
from nsroom.client.target import namespace_of
from nsroom.errors import UsageError
from nsroom.output.summary import refused
from nsroom.protocol.refusals import refusal
from nsroom.record import Direction, Kind, Record
from nsroom.tui.input import copy_formats, intercept_commands
from nsroom.tui.input.moments import parse_moment
from nsroom.tui.model.playback import MAX_SPEED, MIN_SPEED, Playback
from nsroom.tui.screen.state import View

if TYPE_CHECKING:
    from nsroom.client.client import Client

Answer = asyncio.Future[Record]
_MAX_ANSWER = 500
"""Characters of an acknowledgement in the notice of `/call`."""


class Host(Protocol):
    """The application's interface for commands."""

    async def save(self, path: str, force: bool = False) -> None:
        """Save records to a file."""

    def copy(self, text: str) -> None:
        """Copy text to the clipboard."""

    def leave(self) -> None:
        """Close the view."""

    def read(self) -> None:
        """Move the focus to the stream."""


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The objects that commands work on."""

    view: View
    convention: Convention
    host: Host

    def client(self) -> "Client":
        """Return the client to send with. Raises: UsageError without a connection of our own."""
        if self.view.recording_name:
            raise UsageError("this is a recording: nothing can be sent")
        if self.view.proxied_server:
            raise UsageError("the proxy only observes: nothing can be sent; --intercept allows that")
        if self.view.via:
            raise UsageError("this only observes the sockets: nothing can be sent; see `nsroom top --write`")
        if self.view.client is None:
            raise UsageError("not connected yet")
        return self.view.client


class Command(NamedTuple):
    """A command of the input line."""

    name: str
    usage: str
    help: str
    run: Callable[[CommandContext, str], Awaitable[None]]
    sends: bool = False
    plays: bool = False
    """Whether it is for recordings only."""

    @property
    def line(self) -> str:
        """The command as it is typed: `/join ROOM…`."""
        return f"/{self.name} {self.usage}".rstrip()

    @property
    def needs_argument(self) -> bool:
        """Whether its usage has an argument that is not optional."""
        return any(not word.startswith("[") for word in self.usage.split())


def offered(view: View) -> list[Command]:
    """Return the commands that make sense for this kind of connection."""
    changed = _INTERCEPTING if view.interceptor is not None else ()
    return [*changed, *(command for command in COMMANDS if _makes_sense(command, view))]


def _makes_sense(command: Command, view: View) -> bool:
    if command.sends and view.is_observing:
        return False
    return bool(view.recording_name) or not command.plays


def find_command(view: View, text: str) -> Command | None:
    """Return the command that a text without its slash runs, or None if it is none, or lacks an argument."""
    name, *rest = text.split(maxsplit=1) or [""]
    command = next((command for command in offered(view) if command.name == name), None)
    return command if command and (rest or not command.needs_argument) else None


def command_help(view: View) -> list[tuple[str, str]]:
    """Return the usage and the help of each of these commands."""
    return [(command.line, command.help) for command in offered(view)]


async def run_line(context: CommandContext, text: str) -> None:
    """Run a command, or send an event or a message.

    Raises: NsroomError.
    """
    line = text.strip()
    if line.startswith("/") and not line.startswith("//"):
        await _run_command(context, line)
    elif context.view.is_observing and not line.startswith("//"):
        await _where(context, line)
    else:
        await _send(context, line[1:] if line.startswith("//") else text)


async def _run_command(context: CommandContext, text: str) -> None:
    name, *rest = text[1:].split(maxsplit=1) or [""]
    known = [*offered(context.view), *COMMANDS]
    command = next((each for each in known if each.name == name), None)
    if command is None:
        names = [each.name for each in offered(context.view)]
        near = next((each for each in names if each.startswith(name[:3])), "help")
        raise UsageError(f"unknown command /{name}: did you mean /{near}? // starts text with a slash")
    await command.run(context, "".join(rest).strip())


async def _send(context: CommandContext, text: str) -> None:
    view = context.view
    item = view.model.chats.message_events.parse(text, view.namespace, view.room, view.knows_server)
    if isinstance(item, Acknowledge):
        await context.client().acknowledge(item)
    elif isinstance(item, Emit):
        await _emit(context, item)
        context.view.model.follow()


async def _emit(context: CommandContext, emit: Emit) -> None:
    """Emit an event, and show a notice if a server that is known to answer refuses it."""
    if answer := await context.client().submit(emit):
        answer.add_done_callback(partial(_show_refusal, context.view))


async def _ask(context: CommandContext, emit: Emit) -> None:
    """Emit an event that is useless without its acknowledgement, and show a notice if it is refused."""
    (answer,) = await context.client().ask(emit)
    answer.add_done_callback(partial(_show_refusal, context.view))


def _result(answer: Answer) -> Record | None:
    """Return the acknowledgement, or None if the connection ended first."""
    return None if answer.cancelled() or answer.exception() else answer.result()


def _show_refusal(view: View, answer: Answer) -> None:
    record = _result(answer)
    if record is not None and (reason := refusal(record.args)):
        view.notice.show(f"refused: {record.event}: {reason}", failed=True)


async def _join(context: CommandContext, rest: str) -> None:
    view = context.view
    rooms = split(rest) or [_required("", "/join ROOM")]
    emits = [context.convention.request(view.namespace, room) for room in rooms]
    client = context.client()
    for emit, answer in zip(emits, await client.ask(*emits), strict=True):
        client.rejoin.append(emit)
        answer.add_done_callback(partial(_handle_join_answer, view, client, emit))
    view.go_to(view.namespace, rooms[0])


def _handle_join_answer(view: View, client: "Client", emit: Emit, answer: Answer) -> None:
    _show_refusal(view, answer)
    record = _result(answer)
    if record is not None and refused(record):
        client.rejoin[:] = [each for each in client.rejoin if each != emit]


async def _leave(context: CommandContext, rest: str) -> None:
    view = context.view
    room = _room_named(rest, view, "/leave")
    await _emit(context, Emit(view.namespace, "leave", [room]))
    client = context.client()
    client.rejoin[:] = [emit for emit in client.rejoin if room not in _texts(emit)]
    if room == view.room:
        view.go_to(view.namespace)


async def _ns(context: CommandContext, rest: str) -> None:
    name = _required(rest, "/ns NAMESPACE")
    name = name if name.startswith("/") else f"/{name}"
    client = context.view.client
    if client is not None and name not in client.namespaces:
        await client.enter(name)
    context.view.go_to(name)


async def _emit_command(context: CommandContext, rest: str) -> None:
    await _emit(context, _parse_event(context, rest, "/emit EVENT"))


async def _call(context: CommandContext, rest: str) -> None:
    (answer,) = await context.client().ask(_parse_event(context, rest, "/call EVENT"))
    answer.add_done_callback(partial(_show_answer, context.view))
    context.view.model.follow()


def _show_answer(view: View, answer: Answer) -> None:
    _show_refusal(view, answer)
    record = _result(answer)
    if record is not None and not refused(record):
        args = json.dumps(record.args, ensure_ascii=False, default=lambda _: "‹binary›")
        view.notice.show(f"{record.event}: {args[:_MAX_ANSWER]}")


def _parse_event(context: CommandContext, rest: str, usage: str) -> Emit:
    """Parse the arguments of an event as the command line does."""
    words = split(rest)
    options: dict[str, list[str]] = {"-n": [], "--room": [], "--to": [], "--except": []}
    is_text, left = False, []
    while words:
        word = words.pop(0)
        if word in ("-t", "--text"):
            is_text = True
        elif word == "--":
            left += words
            break
        elif word in options and words:
            options[word].append(words.pop(0))
        else:
            left.append(word)
    event, *args = left or [_required("", usage)]
    namespace = namespace_of(options["-n"][-1]) if options["-n"] else context.view.namespace
    rooms = options["--room"] + options["--to"]
    emit_options = EmitOptions(text=is_text, room=rooms or None, skip=options["--except"])
    if rooms and context.view.client is not None:
        emit_options.require_relay(context.view.client, [namespace])
    return emit_options.emit(event, args, namespace)


async def _reply(context: CommandContext, rest: str) -> None:
    record = context.view.model.selected()
    if record is None or record.id is None or not _wants_reply(record):
        raise UsageError("select an event from the server that wants a reply")
    first, *others = split(rest) or [""]
    is_once = first == "--once"
    args = parse_arguments(others if is_once else split(rest))
    client, model = context.client(), context.view.model
    if model.cursor is not None and model.is_waiting(model.cursor):
        await client.acknowledge(Acknowledge(record.namespace or "/", record.id, args))
    _remember(context.view, client, str(record.event), None if is_once else Rule(args))


def _remember(view: View, client: "Client", event: str, rule: Rule | None) -> None:
    """Acknowledge all further events of this name by the rule, or no more without one."""
    rules = client.replier.rules
    if rule is not None:
        rules[event] = rule
        view.notice.show(f"every {event} is acknowledged like this from now on; /reply --once ends that")
    elif rules.pop(event, None):
        view.notice.show(f"{event} is no longer acknowledged by itself")


async def _nick(context: CommandContext, rest: str) -> None:
    await _emit(context, Emit(context.view.namespace, "nick", [_required(rest, "/nick NAME")]))


async def _rooms(context: CommandContext, _rest: str) -> None:
    await _ask(context, Emit(context.view.namespace, "rooms", []))


async def _who(context: CommandContext, rest: str) -> None:
    room = _room_named(rest, context.view, "/who")
    await _ask(context, Emit(context.view.namespace, "who", [{"room": room}]))


async def _where(context: CommandContext, rest: str) -> None:
    context.view.model.filter(rest)


def _playback(context: CommandContext) -> Playback:
    """Return what plays the recording. Raises: UsageError."""
    if not context.view.recording_name:
        raise UsageError("this is a connection: only a recording can be played")
    if context.view.playback is None:
        raise UsageError("still reading the recording")
    return context.view.playback


async def _goto(context: CommandContext, rest: str) -> None:
    playback, view = _playback(context), context.view
    time = _required(rest, "/goto TIME")
    if records := view.model.records:
        first, last = records[0].time, max(record.time for record in records)
        playback.seek(parse_moment(time, first, last, utc=view.in_utc))


async def _speed(context: CommandContext, rest: str) -> None:
    playback = _playback(context)
    try:
        speed = float(_required(rest, "/speed FACTOR").rstrip("x×"))
    except ValueError:
        raise UsageError("the speed must be a number: 2 is twice as fast") from None
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise UsageError(f"the speed must be from 1/{1 / MIN_SPEED:g} to {MAX_SPEED:g}")
    playback.speed = speed


async def _save(context: CommandContext, rest: str) -> None:
    force = rest.startswith("--force ")
    path = _required(rest.removeprefix("--force ").strip(), "/save [--force] FILE")
    await context.host.save(path, force)


async def _copy(context: CommandContext, rest: str) -> None:
    record = context.view.require_selected()
    if record is None:
        raise UsageError(context.view.notice.text)
    if rest and rest not in copy_formats.FORMATS:
        raise UsageError(f"unknown format {rest!r}: choose one of {', '.join(copy_formats.FORMATS)}")
    context.host.copy(copy_formats.FORMATS[rest or "json"](record))


async def _clear(context: CommandContext, _rest: str) -> None:
    context.view.model.clear()


async def _help(context: CommandContext, _rest: str) -> None:
    context.view.help.open()


async def _quit(context: CommandContext, _rest: str) -> None:
    context.host.leave()


def _wants_reply(record: Record) -> bool:
    return record.kind is Kind.EVENT and record.direction is Direction.IN


def _room_named(rest: str, view: View, command: str) -> str:
    if not rest and not view.room:
        raise UsageError(f"you are in no room: name one, as {command} ROOM, or /join it first")
    return rest or view.room


def _required(text: str, usage: str) -> str:
    if not text:
        raise UsageError(f"usage: {usage}")
    return text


def _texts(emit: Emit) -> list[str]:
    """Return the texts in the arguments of a join, one of which is the room's name."""
    return [str(text) for arg in emit.args for text in (arg.values() if isinstance(arg, dict) else [arg])]


_INTERCEPTING = (
    Command("edit", "ID JSON", "edit a packet that waits, and pass it on", intercept_commands.edit),
    Command(
        "emit",
        "[--as-server] EVENT [ARG…]",
        "emit an event to the selected client's server, or to the client; -n NS, -t first",
        intercept_commands.emit,
    ),
    Command(
        "call",
        "[--as-server] EVENT [ARG…]",
        "emit an event with an acknowledgement, which only you receive",
        intercept_commands.call,
    ),
    Command(
        "reply",
        "[--as-server] [ARG…]",
        "acknowledge the selected event in place of its receiver",
        intercept_commands.reply,
    ),
)
"""Those of a proxy that may change packets."""
COMMANDS = (
    Command("join", "ROOM…", "ask to join rooms; text goes to the first", _join, sends=True),
    Command("leave", "[ROOM]", "leave a room", _leave, sends=True),
    Command("ns", "NAMESPACE", "go to a namespace, connecting to it if needed", _ns, sends=True),
    Command(
        "emit",
        "EVENT [ARG…]",
        "emit an event, as on the command line: -t, -n NS, --room R, --except R",
        _emit_command,
        sends=True,
    ),
    Command("call", "EVENT [ARG…]", "emit an event and show its acknowledgement", _call, sends=True),
    Command(
        "reply",
        "[--once] [ARG…]",
        "acknowledge the selected event, and all that follow of its name unless --once",
        _reply,
        sends=True,
    ),
    Command("nick", "NAME", "change your nick", _nick, sends=True),
    Command("rooms", "", "ask for the rooms of this namespace", _rooms, sends=True),
    Command("who", "[ROOM]", "ask for the members of a room", _who, sends=True),
    Command("where", "[EXPR]", "show only matching rows: event=message & ns=/chat; all without EXPR", _where),
    Command("goto", "TIME", "go to a time in the recording: 12:03:04, +1:30, 50%, end", _goto, plays=True),
    Command("speed", "FACTOR", "play the recording at this speed; 2 is twice as fast", _speed, plays=True),
    Command("save", "[--force] FILE", "save past and future records to a file", _save),
    Command("copy", "[json|emit|js|python]", "copy the selected record", _copy),
    Command("clear", "", "clear the stream; /where brings it back", _clear),
    Command("help", "", "show the keys and commands", _help),
    Command("quit", "", "quit", _quit),
)
