"""Parse the arguments of events into requests, or raise a Refusal."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from nsroom_server import strict_json
from nsroom_server.chat.policy import event_name, nick_name, room_name
from nsroom_server.errors import Code, Refusal
from nsroom_server.settings.access import Json
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.application import Args

MAX_ID: Final = 2**53 - 1
"""The largest integer that JavaScript holds exactly."""


@dataclass(frozen=True, slots=True)
class Join:
    """A request to join a room, by a client that already has its messages up to `after`."""

    room: str
    nick: str | None = None
    after: int | None = None
    epoch: str | None = None
    """The store to which the id `after` belongs."""


@dataclass(frozen=True, slots=True)
class Message:
    """A text for a room, with further keys that are passed on; for the whole namespace if `room` is None."""

    room: str | None
    text: str
    extra: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Relay:
    """An event for rooms, or for the whole namespace; `skip` names rooms and sids to leave out."""

    event: str
    args: Args
    to: tuple[str, ...] | None
    skip: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """An event that asks the client for an acknowledgement."""

    event: str
    args: Args


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a room's history: the latest messages, or those after an id."""

    room: str
    after: int | None
    limit: int
    epoch: str | None = None
    """The store to which the id `after` belongs."""


@contextmanager
def wants(event: str, shape: str) -> Iterator[None]:
    """Add to the refusal of an argument what the event wants."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code not in (Code.BAD_REQUEST, Code.BAD_ROOM):
            raise
        raise Refusal(refusal.code, f"{refusal}; {event} wants {shape}") from None


@wants("join", 'a room or {"room": …, "nick": …, "after": …}; all but the room may be left out')
def join(args: Args, limits: Limits) -> Join:
    """Parse the argument of `join`: a room's name, or an object."""
    fields = _object(args, short="room")
    nick = fields.get("nick")
    return Join(
        room=room_name(fields.get("room"), limits.room_name),
        nick=None if nick is None else nick_name(nick, limits.nick),
        after=_integer(fields, "after", 0, MAX_ID, None),
        epoch=_epoch(fields),
    )


def room(event: str, args: Args, limits: Limits) -> str:
    """Parse the argument of `leave` and `who`: a room's name, or an object."""
    with wants(event, 'a room or {"room": …}'):
        return room_name(_object(args, short="room").get("room"), limits.room_name)


@wants("nick", 'a nick or {"nick": …}')
def nick(args: Args, limits: Limits) -> str:
    """Parse the argument of `nick`: the name, or an object."""
    return nick_name(_object(args, short="nick").get("nick"), limits.nick)


@wants("message", '{"room": …, "text": …} or text')
def message(args: Args, limits: Limits) -> Message:
    """Parse the argument of `message`: an object, or a text for the whole namespace."""
    if args and isinstance(args[0], str):
        return Message(None, args[0], {})
    fields = _object(args)
    text = fields.get("text")
    if not isinstance(text, str):
        raise Refusal(Code.BAD_REQUEST, "text: must be a string")
    extra = {key: value for key, value in fields.items() if key not in ("room", "text")}
    if _has_binary(extra):
        raise Refusal(Code.BAD_REQUEST, "a stored message cannot contain binary data: relay it with emit")
    return Message(room_name(fields.get("room"), limits.room_name), text, extra)


@wants("emit", '{"event": …, "args": […], "to": …, "except": …}; args and except may be left out')
def relay(args: Args, limits: Limits) -> Relay:
    """Parse the argument of `emit`."""
    fields = _object(args)
    items = _items(fields)
    to = _names(fields, "to", limits)
    if not to:
        raise Refusal(Code.BAD_REQUEST, "to: name a room, or a list of rooms")
    return Relay(event_name(fields.get("event")), items, to, _names(fields, "except", limits))


@wants("ask", '{"event": …, "args": […]}; args may be left out')
def question(args: Args) -> Question:
    """Parse the argument of `ask`."""
    fields = _object(args)
    return Question(event_name(fields.get("event")), _items(fields))


@wants("history", 'a room or {"room": …, "after": …, "limit": …}; all but the room may be left out')
def page(args: Args, limits: Limits) -> Page:
    """Parse the argument of `history`."""
    fields = _object(args, short="room")
    default = min(limits.history_default, limits.history_max)
    limit = _integer(fields, "limit", 1, limits.history_max, default)
    after = _integer(fields, "after", 0, MAX_ID, None)
    return Page(room_name(fields.get("room"), limits.room_name), after, limit or default, _epoch(fields))


def integer(args: Args, key: str, low: int, high: int, default: int | None = None) -> int:
    """Return a number of an object; it is required without a default."""
    value = _integer(_object(args) if args else {}, key, low, high, default)
    if value is None:
        raise Refusal(Code.BAD_REQUEST, f"{key}: missing")
    return value


def _object(args: Args, short: str | None = None) -> Mapping[str, Json]:
    value = args[0] if args else None
    if short and isinstance(value, str | int | float):
        return {short: value}
    if not isinstance(value, dict):
        raise Refusal(Code.BAD_REQUEST, f"the argument must be {'a string or ' if short else ''}an object")
    return value


def _names(fields: Mapping[str, Json], key: str, limits: Limits) -> tuple[str, ...]:
    value = fields.get(key)
    names = value if isinstance(value, list) else [] if value is None else [value]
    if len(names) > limits.rooms_per_socket:
        raise Refusal(Code.BAD_REQUEST, f"{key}: more than {limits.rooms_per_socket} names")
    return tuple(room_name(name, limits.room_name) for name in names)


def _items(fields: Mapping[str, Json]) -> list[Json]:
    items = fields.get("args", [])
    if not isinstance(items, list):
        raise Refusal(Code.BAD_REQUEST, "args: must be a list")
    return items


def _integer(fields: Mapping[str, Json], key: str, low: int, high: int, default: int | None) -> int | None:
    value = fields.get(key, default)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refusal(Code.BAD_REQUEST, f"{key}: must be an integer from {low} to {high}")
    return value


def _epoch(fields: Mapping[str, Json]) -> str | None:
    value = fields.get("epoch")
    if value is not None and not isinstance(value, str):
        raise Refusal(Code.BAD_REQUEST, "epoch: must be the string that came with the history")
    return value


def _has_binary(value: Json) -> bool:
    try:
        # In C: quick for any number of values.
        strict_json.dumps(value)
    except TypeError:
        return True
    return False
