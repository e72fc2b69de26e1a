"""Chat messages: reading them from events, and the event that a typed text becomes.

Socket.IO has no event for messages. A server's own is learned from what is heard: the text is sent in the
event, and in the shape, that the room was last heard to use. Pure.
"""

import re
from typing import NamedTuple

from nsroom.client.events import Acknowledge, Emit, fill, is_item, message
from nsroom.client.lines import parse_line
from nsroom.errors import DecodeError, UsageError
from nsroom.protocol import strict_json
from nsroom.record import Direction, Json, Kind, Record

EVENTS = frozenset(
    [
        "message",
        "chat message",
        "chat",
        "msg",
        "new message",
        "new_message",
        "chat_message",
        "chatMessage",
        "newMessage",
    ]
)
"""The events that are messages on most servers."""
DEFAULT_EVENT = "message"
_MAX_TEXT = 4000
"""Characters kept of one message; the detail has all of them."""
_MAX_NAME = 200
_MAX_ROOMS = 1000
_TEXTS = ("text", "message", "msg", "content", "body")
_ROOMS = ("room", "roomId", "room_id", "channel")
_NICKS = ("nick", "name", "username", "user", "from", "sender")
# In Python 3.11 looking up an enum member takes 0.2 µs.
_EVENT, _IN = Kind.EVENT, Direction.IN
_EVENT_LINE = re.compile(r'\s*(?:\[\s*"|\{.*"(?:event|kind)"\s*:)', re.DOTALL)
"""What is meant as an event, even if it is not one."""


class Message(NamedTuple):
    """A chat message as read from an event's arguments."""

    room: str
    nick: str
    text: str
    sender: str | None
    id: int | None


class Shape(NamedTuple):
    """The event that carries a message, and its arguments, with `{room}` and `{text}` in them."""

    event: str
    args: tuple[Json, ...]

    def compose(self, namespace: str, room: str, text: str) -> Emit:
        """Return the event for a text."""
        return Emit(namespace, self.event, [fill(arg, room=room, text=text) for arg in self.args])


class MessageEvents:
    """The event and the shape that each room uses for its messages."""

    def __init__(self, event: str | None = None, args: str | None = None) -> None:
        """`event` and `args` are those of --message-event and --message-args. Raises: UsageError."""
        self._event = event
        self._args = None if args is None else _parse_args(args)
        self._learned: dict[tuple[str, str], Shape] = {}

    def carries(self, event: Json) -> bool:
        """Return whether an event of this name is a message."""
        return isinstance(event, str) and (event in EVENTS or event == self._event)

    def learn(self, record: Record) -> None:
        """Learn from an event that was received."""
        if record.kind is not _EVENT or record.direction is not _IN:
            return
        heard = read(record.args) if self.carries(record.event) else None
        if heard is not None:
            key = record.namespace or "/", heard.room
            self._learned.pop(key, None)
            self._learned[key] = Shape(str(record.event), (_shape(record.args or []),))
            if len(self._learned) > _MAX_ROOMS:
                del self._learned[next(iter(self._learned))]

    def find(self, namespace: str, room: str, is_reference: bool) -> Shape | None:
        """Return the shape for a room, or None for that of the reference server."""
        learned = self._learned.get((namespace, room)) or self._learned.get((namespace, ""))
        if self._args is not None:
            return Shape(self._event or DEFAULT_EVENT, self._args)
        if self._event is not None:
            if learned is not None and learned.event == self._event:
                return learned
            return Shape(self._event, ({"room": "{room}", "text": "{text}"} if room else "{text}",))
        return None if is_reference else learned

    def compose(self, namespace: str, room: str, text: str, is_reference: bool) -> Emit:
        """Return the event for a text that is typed in a room, or in the namespace if the room is empty."""
        shape = self.find(namespace, room, is_reference)
        return shape.compose(namespace, room, text) if shape else message(namespace, room, text)

    def parse(self, text: str, namespace: str, room: str, is_reference: bool) -> Emit | Acknowledge | None:
        """Return what a line sends: `["event", arg…]` or a record, or else a message.

        None for a record that sends nothing. Raises: UsageError for an event with a mistake.
        """
        if is_item(text.strip()):
            try:
                return parse_line(text.encode("utf-8", "surrogatepass"), namespace)
            except ValueError as error:
                is_array = text.lstrip().startswith("[") and not isinstance(error, DecodeError)
                if is_array or _EVENT_LINE.match(text):
                    raise UsageError(f"not an event: {error}") from None
        return self.compose(namespace, room, text, is_reference)


def _parse_args(text: str) -> tuple[Json, ...]:
    try:
        value = strict_json.load(text)
    except DecodeError as error:
        raise UsageError(f"--message-args: {error}; write text as '\"{{text}}\"'") from None
    if "{text}" not in text:
        raise UsageError("--message-args: {text} is missing, which becomes what you type")
    return tuple(value) if isinstance(value, list) else (value,)


def _shape(args: list[Json]) -> Json:
    """Return the first argument of a message that was heard, with placeholders for its text and room."""
    first = args[0]
    if not isinstance(first, dict):
        return "{text}"
    keys = {_key(first, _ROOMS): "{room}", _key(first, _TEXTS): "{text}"}
    return {key: value for key, value in keys.items() if key}


def _key(message: dict[str, Json], names: tuple[str, ...]) -> str:
    """Return the first of these keys that has a text, or an empty string."""
    for name in names:
        if isinstance(message.get(name), str):
            return name
    return ""


def read(args: list[Json] | None) -> Message | None:
    """Read a chat message, which is a string or an object with a text, or return None."""
    first = args[0] if args else None
    if isinstance(first, str):
        return Message("", "", first[:_MAX_TEXT], None, None)
    if not isinstance(first, dict) or not (text := _key(first, _TEXTS)):
        return None
    room, sender, id = _key(first, _ROOMS), first.get("from"), first.get("id")
    return Message(
        first[room][:_MAX_NAME] if room else "",
        _nick(first),
        first[text][:_MAX_TEXT],
        sender if isinstance(sender, str) else None,
        id if type(id) is int else None,
    )


def _nick(message: dict[str, Json]) -> str:
    for key in _NICKS:
        nick = message.get(key)
        nick = nick.get("name") if isinstance(nick, dict) else nick
        if isinstance(nick, str) and nick:
            return nick[:_MAX_NAME]
    return ""
