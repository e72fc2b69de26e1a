"""What a person types into the live view: text, events, and commands that begin with a slash."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from nsroom.arguments import Acknowledge, Emit, parse_arguments, parse_line, relay
from nsroom.client import Client
from nsroom.delivery import refusal
from nsroom.errors import UsageError
from nsroom.joins import Convention, fill
from nsroom.record import Direction, Record
from nsroom.summary import refused
from nsroom.tui import copies
from nsroom.tui.view import View


class Command(NamedTuple):
    """A command of the input line."""

    name: str
    usage: str
    help: str


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
    Command("save", "FILE", "record what is here and what comes to a file"),
    Command("copy", "[json|emit|js|python]", "copy the selected record"),
    Command("clear", "", "clear the stream; /where brings it back"),
    Command("help", "", "show the keys and commands"),
    Command("quit", "", "leave"),
)
NAMES = tuple(command.name for command in COMMANDS)


class Typed:
    """Does what was typed. `save`, `copy` and `quit` belong to the application."""

    def __init__(
        self,
        view: View,
        how: Convention,
        *,
        save: Callable[[str], Awaitable[None]],
        copy: Callable[[str], None],
        leave: Callable[[], None],
    ) -> None:
        self._view = view
        self._how = how
        self._to_file = save
        self._to_clipboard = copy
        self._end = leave

    async def do(self, text: str) -> None:
        """Run a command, or send an event or a message.

        Raises: NsroomError; the text is then still there to be mended.
        """
        name, _, rest = text.removeprefix("/").partition(" ")
        if text.startswith("/") and not text.startswith("//"):
            if name not in NAMES:
                near = [each for each in NAMES if each.startswith(name)] or ["help"]
                raise UsageError(f"no command /{name}: did you mean /{near[0]}? // begins text with a slash")
            await getattr(self, f"_{name}")(rest.strip())
            return
        await self._send(text.removeprefix("/") if text.startswith("//") else text)

    def _client(self) -> Client:
        if self._view.client is None:
            raise UsageError("this is a recording: nothing can be sent")
        return self._view.client

    async def _send(self, text: str) -> None:
        if text[:1] in ("[", "{"):
            try:
                item = parse_line(text.encode("utf-8", "surrogatepass"), self._view.namespace)
            except ValueError as error:
                raise UsageError(f"{error}; // sends it as text") from None
            if isinstance(item, Emit):
                await self._client().ask(item)
            elif isinstance(item, Acknowledge):
                await self._client().acknowledge(item)
            return
        room = self._view.room
        await self._client().ask(
            Emit(self._view.namespace, "message", [{"room": room, "text": text} if room else text])
        )
        self._view.model.follow()

    async def _join(self, rest: str) -> None:
        rooms = _words(rest) or [_needed("", "/join ROOM")]
        emits = [
            Emit(self._view.namespace, self._how.event, [fill(arg, room) for arg in self._how.args])
            for room in rooms
        ]
        client = self._client()
        for emit, answer in zip(emits, await client.ask(*emits), strict=True):
            answer.add_done_callback(partial(self._joined, client, emit))
        self._view.go(self._view.namespace, rooms[0])

    def _joined(self, client: Client, emit: Emit, answer: asyncio.Future[Record]) -> None:
        if answer.cancelled() or answer.exception():
            return
        if refused(answer.result()):
            self._view.say(f"refused: {refusal(answer.result().args)}", failed=True)
        elif emit not in client.rejoin:
            client.rejoin.append(emit)

    async def _leave(self, rest: str) -> None:
        room = _needed(rest or self._view.room, "/leave ROOM")
        await self._client().ask(Emit(self._view.namespace, "leave", [room]))
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
        await self._client().ask(self._event(rest, "/emit EVENT"))

    async def _call(self, rest: str) -> None:
        (answer,) = await self._client().ask(self._event(rest, "/call EVENT"))
        answer.add_done_callback(self._called)

    def _called(self, answer: asyncio.Future[Record]) -> None:
        if answer.cancelled() or answer.exception():
            return
        record = answer.result()
        self._view.say(
            f"{record.event}: {'refused: ' + refusal(record.args) if refused(record) else 'acknowledged'}"
        )
        self._view.model.follow()

    def _event(self, rest: str, usage: str) -> Emit:
        """Read an event as the command line does."""
        words = _words(rest)
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
        if (
            record is None
            or record.id is None
            or record.kind != "event"
            or record.direction is not Direction.IN
        ):
            raise UsageError("select an event from the server that asks for an acknowledgement")
        answer = Acknowledge(record.namespace or "/", record.id, parse_arguments(_words(rest)))
        await self._client().acknowledge(answer)

    async def _nick(self, rest: str) -> None:
        await self._client().ask(Emit(self._view.namespace, "nick", [_needed(rest, "/nick NAME")]))

    async def _rooms(self, _rest: str) -> None:
        await self._client().ask(Emit(self._view.namespace, "rooms", []))

    async def _who(self, rest: str) -> None:
        room = _needed(rest or self._view.room, "/who ROOM")
        await self._client().ask(Emit(self._view.namespace, "who", [{"room": room}]))

    async def _where(self, rest: str) -> None:
        self._view.model.filter(rest)

    async def _save(self, rest: str) -> None:
        await self._to_file(_needed(rest, "/save FILE"))

    async def _copy(self, rest: str) -> None:
        record = self._view.selected()
        if record is None:
            raise UsageError(self._view.notice)
        if rest and rest not in copies.FORMATS:
            raise UsageError(f"/copy {rest}: there are {', '.join(copies.FORMATS)}")
        self._to_clipboard(copies.FORMATS[rest or "json"](record))

    async def _clear(self, _rest: str) -> None:
        self._view.model.clear()

    async def _help(self, _rest: str) -> None:
        self._view.help = True

    async def _quit(self, _rest: str) -> None:
        self._end()


def _words(text: str) -> list[str]:
    """Split as a shell does."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{str(error).lower()}: quote it as in a shell") from None


def _needed(text: str, usage: str) -> str:
    if not text:
        raise UsageError(f"give it as {usage}")
    return text


def _names(emit: Emit) -> list[str]:
    """Give the texts in a join's arguments, the room's name among them."""
    return [str(text) for arg in emit.args for text in (arg.values() if isinstance(arg, dict) else [arg])]
