"""What a person types into the live view: text, events, and commands that begin with a slash."""

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from nsroom.client.events import Acknowledge, Emit, parse_arguments, parse_line, relay
from nsroom.client.joins import Convention
from nsroom.errors import UsageError
from nsroom.output.summary import refused
from nsroom.record import Direction, Kind, Record
from nsroom.tui.input import copy_formats
from nsroom.tui.input.shell_words import split
from nsroom.tui.screen.state import View

if TYPE_CHECKING:
    from nsroom.client.client import Client


class Command(NamedTuple):
    """A command of the input line."""

    name: str
    usage: str
    help: str

    @property
    def line(self) -> str:
        """The command as it is typed: `/join ROOM…`."""
        return f"/{self.name} {self.usage}".rstrip()


COMMANDS = (
    Command("join", "ROOM…", "ask to join rooms; text goes to the first"),
    Command("leave", "[ROOM]", "leave a room"),
    Command("ns", "NAMESPACE", "go to a namespace, connecting to it if need be"),
    Command(
        "emit", "EVENT [ARG…]", "emit an event as typed on the command line: -t, -n NS, --room R, --except R"
    ),
    Command("call", "EVENT [ARG…]", "emit an event and show its acknowledgement"),
    Command("reply", "[ARG…]", "acknowledge the selected event, which asks for it"),
    Command("nick", "NAME", "take a nick"),
    Command("rooms", "", "ask for the rooms of this namespace"),
    Command("who", "[ROOM]", "ask who is in a room"),
    Command("where", "[EXPR]", "show only what matches, as event=message & ns=/chat; nothing shows all"),
    Command("save", "[--force] FILE", "record what is here and what comes to a file"),
    Command("copy", "[json|emit|js|python]", "copy the selected record"),
    Command("clear", "", "clear the stream; /where brings it back"),
    Command("help", "", "show the keys and commands"),
    Command("quit", "", "leave"),
)
NAMES = tuple(command.name for command in COMMANDS)


_SENDING = frozenset(["join", "leave", "ns", "emit", "call", "reply", "nick", "rooms", "who"])


def offered(view: View) -> list[Command]:
    """Give the commands that make sense here: where nothing is sent, those that look."""
    return [command for command in COMMANDS if not view.of_others or command.name not in _SENDING]


def command_help(view: View) -> list[tuple[str, str]]:
    """Return the usage and the help of each of these commands."""
    return [(command.line, command.help) for command in offered(view)]


class Host(Protocol):
    """What the application does for a command."""

    async def save(self, path: str, force: bool = False) -> None:
        """Record to a file."""

    def copy(self, text: str) -> None:
        """Give text to the clipboard."""

    def leave(self) -> None:
        """End the view."""


class Typed:
    """Does what was typed."""

    def __init__(self, view: View, how: Convention, host: Host) -> None:
        self._view = view
        self._how = how
        self._host = host

    async def do(self, text: str) -> None:
        """Run a command, or send an event or a message.

        Raises: NsroomError; the text is then still there to be mended.
        """
        if self._view.of_others and not text.startswith("/"):
            await self._where(text)
            return
        if not text.startswith("/") or text.startswith("//"):
            await self._send(text.removeprefix("/") if text.startswith("//") else text)
            return
        name, *rest = text[1:].split(maxsplit=1)[:2] or [""]
        names = [command.name for command in offered(self._view)]
        if name not in NAMES:
            near = [each for each in names if each.startswith(name[:3])] or ["help"]
            raise UsageError(f"no command /{name}: did you mean /{near[0]}? // begins text with a slash")
        await getattr(self, f"_{name}")("".join(rest).strip())

    def _client(self) -> "Client":
        if self._view.recorded_from:
            raise UsageError("this is a recording: nothing can be sent")
        if self._view.relaying:
            raise UsageError("the proxy only looks on: nothing can be sent")
        if self._view.client is None:
            raise UsageError("there is no connection yet")
        return self._view.client

    async def _send(self, text: str) -> None:
        item = self._item(text)
        if isinstance(item, Acknowledge):
            await self._client().acknowledge(item)
        elif isinstance(item, Emit):
            await self._emitted(item)
            self._view.model.follow()

    def _item(self, text: str) -> Emit | Acknowledge | None:
        if text[:1] in ("[", "{"):
            try:
                return parse_line(text.encode("utf-8", "surrogatepass"), self._view.namespace)
            except ValueError as error:
                raise UsageError(f"{error}; // sends it as text") from None
        room = self._view.room
        return Emit(self._view.namespace, "message", [{"room": room, "text": text} if room else text])

    async def _emitted(self, emit: Emit) -> None:
        """Emit, and say so if it is refused."""
        (answer,) = await self._client().ask(emit)
        answer.add_done_callback(self._answered)

    def _answered(self, answer: "asyncio.Future[Record]") -> None:
        if not answer.cancelled() and not answer.exception() and refused(answer.result()):
            self._view.say(f"refused: {_reason(answer.result())}", failed=True)

    async def _join(self, rest: str) -> None:
        rooms = split(rest) or [_needed("", "/join ROOM")]
        emits = [self._how.request(self._view.namespace, room) for room in rooms]
        client = self._client()
        for emit, answer in zip(emits, await client.ask(*emits), strict=True):
            client.rejoin.append(emit)
            answer.add_done_callback(partial(self._joined, client, emit))
        self._view.go(self._view.namespace, rooms[0])

    def _joined(self, client: "Client", emit: Emit, answer: "asyncio.Future[Record]") -> None:
        self._answered(answer)
        if not answer.cancelled() and not answer.exception() and refused(answer.result()):
            client.rejoin[:] = [each for each in client.rejoin if each != emit]

    async def _leave(self, rest: str) -> None:
        room = _needed(rest or self._view.room, "/leave ROOM")
        await self._emitted(Emit(self._view.namespace, "leave", [room]))
        client = self._client()
        client.rejoin[:] = [emit for emit in client.rejoin if room not in _names(emit)]
        if room == self._view.room:
            self._view.go(self._view.namespace)

    async def _ns(self, rest: str) -> None:
        name = _needed(rest, "/ns NAMESPACE")
        name = name if name.startswith("/") else f"/{name}"
        client = self._view.client
        if client is not None and name not in client.namespaces:
            await client.enter(name)
        self._view.go(name)

    async def _emit(self, rest: str) -> None:
        await self._emitted(self._event(rest, "/emit EVENT"))

    async def _call(self, rest: str) -> None:
        (answer,) = await self._client().ask(self._event(rest, "/call EVENT"))
        answer.add_done_callback(self._called)
        self._view.model.follow()

    def _called(self, answer: "asyncio.Future[Record]") -> None:
        self._answered(answer)
        if not answer.cancelled() and not answer.exception() and not refused(answer.result()):
            args = json.dumps(answer.result().args, ensure_ascii=False, default=lambda _: "‹binary›")
            self._view.say(f"{answer.result().event}: {args[:500]}")

    def _event(self, rest: str, usage: str) -> Emit:
        """Read an event as the command line does."""
        words = split(rest)
        options: dict[str, list[str]] = {"-n": [], "--room": [], "--to": [], "--except": []}
        plain, left = False, []
        while words:
            word = words.pop(0)
            if word in ("-t", "--text"):
                plain = True
            elif word in options and words:
                options[word].append(words.pop(0))
            else:
                left.append(word)
        event, *args = left or [_needed("", usage)]
        namespace = (options["-n"] or [self._view.namespace])[0]
        emit = Emit(namespace, event, parse_arguments(args, plain))
        to = options["--room"] + options["--to"]
        return relay(emit, to, options["--except"]) if to else emit

    async def _reply(self, rest: str) -> None:
        record = self._view.model.selected()
        if record is None or record.id is None or not _asks(record):
            raise UsageError("select an event from the server that asks for an acknowledgement")
        answer = Acknowledge(record.namespace or "/", record.id, parse_arguments(split(rest)))
        await self._client().acknowledge(answer)

    async def _nick(self, rest: str) -> None:
        await self._emitted(Emit(self._view.namespace, "nick", [_needed(rest, "/nick NAME")]))

    async def _rooms(self, _rest: str) -> None:
        await self._emitted(Emit(self._view.namespace, "rooms", []))

    async def _who(self, rest: str) -> None:
        room = _needed(rest or self._view.room, "/who ROOM")
        await self._emitted(Emit(self._view.namespace, "who", [{"room": room}]))

    async def _where(self, rest: str) -> None:
        self._view.model.filter(rest)

    async def _save(self, rest: str) -> None:
        force = rest.startswith("--force ")
        await self._host.save(_needed(rest.removeprefix("--force ").strip(), "/save [--force] FILE"), force)

    async def _copy(self, rest: str) -> None:
        record = self._view.selected()
        if record is None:
            raise UsageError(self._view.notice)
        if rest and rest not in copy_formats.FORMATS:
            raise UsageError(f"/copy {rest}: there are {', '.join(copy_formats.FORMATS)}")
        self._host.copy(copy_formats.FORMATS[rest or "json"](record))

    async def _clear(self, _rest: str) -> None:
        self._view.model.clear()

    async def _help(self, _rest: str) -> None:
        self._view.help, self._view.help_top = True, 0

    async def _quit(self, _rest: str) -> None:
        self._host.leave()


def _asks(record: Record) -> bool:
    return record.kind is Kind.EVENT and record.direction is Direction.IN


def _needed(text: str, usage: str) -> str:
    if not text:
        raise UsageError(f"give it as {usage}")
    return text


def _reason(answer: Record) -> str:
    first = (answer.args or [{}])[0]
    message = first.get("message")
    return f"{answer.event}: {first.get('error')}" + (f", {message}" if message else "")


def _names(emit: Emit) -> list[str]:
    """Give the texts in a join's arguments, the room's name among them."""
    return [str(text) for arg in emit.args for text in (arg.values() if isinstance(arg, dict) else [arg])]
