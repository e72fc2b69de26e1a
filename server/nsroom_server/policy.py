"""Who may do what, with which names and how much of it: values in, values or a Refusal out."""

import hmac
import ipaddress
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

Json = Any
Args = Sequence[Json]

ROOM_NAME: Final = 128
NICK: Final = 64
ROOMS_OF_A_SOCKET: Final = 128
NAMESPACES_OF_A_CONNECTION: Final = 16
ATTACHMENTS: Final = 10
JSON_DEPTH: Final = 64
PENDING_ANSWERS: Final = 1024
HISTORY_DEFAULT: Final = 100
HISTORY_MAX: Final = 1000
LISTED: Final = 1000
"""Rooms or members named in one answer; the counts are always whole."""
MAX_ID: Final = 2**53 - 1
"""The largest integer that JavaScript holds exactly."""

LIMITS: Final[Mapping[str, int]] = {
    "attachments": ATTACHMENTS,
    "json_depth": JSON_DEPTH,
    "rooms_per_socket": ROOMS_OF_A_SOCKET,
    "namespaces_per_connection": NAMESPACES_OF_A_CONNECTION,
    "room_name": ROOM_NAME,
    "nick": NICK,
    "pending_answers": PENDING_ANSWERS,
    "history_default": HISTORY_DEFAULT,
    "history_max": HISTORY_MAX,
    "listed": LISTED,
}

RESERVED_EVENTS: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)


class Code(StrEnum):
    """The `error` of a refusal."""

    BAD_REQUEST = "bad_request"
    BAD_ROOM = "bad_room"
    DRAINING = "draining"
    HISTORY_UNAVAILABLE = "history_unavailable"
    INTERNAL_ERROR = "internal_error"
    LAB_ERROR = "lab_error"
    NOT_A_MEMBER = "not_a_member"
    RESERVED_EVENT = "reserved_event"
    TOO_MANY_ROOMS = "too_many_rooms"
    UNKNOWN_EVENT = "unknown_event"


class Refusal(Exception):
    """A request that is answered `{"error": code, "message": text}`."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def answer(self) -> dict[str, str]:
        """The acknowledgement's one argument."""
        return {"error": str(self.code), "message": str(self)}


@dataclass(frozen=True, slots=True)
class Join:
    """A request to be in a room; `after` is the last message id the client has."""

    room: str
    nick: str | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A text for a room, with whatever else is to travel along."""

    room: str
    text: str
    extra: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Relay:
    """An event for rooms; `skip` names rooms and sids that are left out."""

    event: str
    args: Args
    to: tuple[str, ...]
    skip: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a room's history: the last messages, or those after an id."""

    room: str
    after: int | None
    limit: int


def join(args: Args) -> Join:
    """Read the argument of `join`: a room's name, or an object."""
    fields = _object(args, short="room")
    nick = fields.get("nick")
    return Join(
        room=room_name(fields.get("room")),
        nick=None if nick is None else nick_name(nick),
        after=_integer(fields, "after", 0, MAX_ID, None),
    )


def room(args: Args) -> str:
    """Read the argument of `leave` and `who`: a room's name, or an object."""
    return room_name(_object(args, short="room").get("room"))


def nick(args: Args) -> str:
    """Read the argument of `nick`: the name, or an object."""
    return nick_name(_object(args, short="nick").get("nick"))


def message(args: Args) -> Message:
    """Read the argument of `message`."""
    fields = _object(args)
    text = fields.get("text")
    if not isinstance(text, str):
        raise Refusal(Code.BAD_REQUEST, "text: has to be text")
    extra = {key: value for key, value in fields.items() if key not in ("room", "text")}
    if _has_binary(extra):
        raise Refusal(Code.BAD_REQUEST, "a stored message holds no binary: relay it with emit")
    return Message(room_name(fields.get("room")), text, extra)


def relay(args: Args) -> Relay:
    """Read the argument of `emit`."""
    fields = _object(args)
    items = fields.get("args", [])
    if not isinstance(items, list):
        raise Refusal(Code.BAD_REQUEST, "args: has to be a list")
    to = _names(fields, "to")
    if not to:
        raise Refusal(Code.BAD_REQUEST, "to: name a room, or a list of rooms")
    return Relay(event_name(fields.get("event")), items, to, _names(fields, "except"))


def page(args: Args) -> Page:
    """Read the argument of `history`."""
    fields = _object(args, short="room")
    limit = _integer(fields, "limit", 1, HISTORY_MAX, HISTORY_DEFAULT)
    after = _integer(fields, "after", 0, MAX_ID, None)
    return Page(room_name(fields.get("room")), after, limit or HISTORY_DEFAULT)


def integer(args: Args, key: str, low: int, high: int, default: int | None = None) -> int:
    """Read one number of an object; without a default it has to be there."""
    value = _integer(_object(args) if args else {}, key, low, high, default)
    if value is None:
        raise Refusal(Code.BAD_REQUEST, f"{key}: is missing")
    return value


def room_name(value: Json) -> str:
    """Accept a room's name: 1 to 128 printable characters."""
    if not _is_name(value, ROOM_NAME):
        raise Refusal(Code.BAD_ROOM, f"room: has to be 1 to {ROOM_NAME} printable characters")
    return str(value)


def nick_name(value: Json) -> str:
    """Accept a nick: 1 to 64 printable characters."""
    if not _is_name(value, NICK):
        raise Refusal(Code.BAD_REQUEST, f"nick: has to be 1 to {NICK} printable characters")
    return str(value)


def event_name(value: Json) -> str:
    """Accept the name of an event that may be relayed."""
    if not isinstance(value, str) or not value:
        raise Refusal(Code.BAD_REQUEST, "event: has to be text")
    if value in RESERVED_EVENTS:
        raise Refusal(Code.RESERVED_EVENT, f"{value}: Socket.IO keeps this name for itself")
    return value


def require_member(rooms: Collection[str], wanted: Sequence[str]) -> None:
    """Refuse whoever is not in every one of the wanted rooms."""
    if any(name not in rooms for name in wanted):
        raise Refusal(Code.NOT_A_MEMBER, "only a member may send to a room: join it first")


def require_joinable(name: str, rooms: Collection[str], is_sid: Callable[[str], bool]) -> None:
    """Refuse a socket's own room, and one room too many."""
    if is_sid(name):
        raise Refusal(Code.BAD_ROOM, "room: this is a socket's id")
    if name not in rooms and len(rooms) >= ROOMS_OF_A_SOCKET:
        raise Refusal(Code.TOO_MANY_ROOMS, f"no more than {ROOMS_OF_A_SOCKET} rooms: leave one first")


def is_namespace(value: str) -> bool:
    """Tell whether a namespace can have this name."""
    return value.startswith("/") and _is_name(value, ROOM_NAME) and not set(value) & set(",?")


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_allowed_origin(origin: str, scheme: str, host: str, allowed: Collection[str]) -> bool:
    """Tell whether a page of `origin` may connect to the server that it knows as `host`."""
    if "*" in allowed or origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc.lower()) == (scheme, host.lower())


def knows_token(auth: Json, token: str) -> bool:
    """Compare the token of a CONNECT payload, in constant time."""
    given = auth.get("token") if isinstance(auth, Mapping) else None
    return isinstance(given, str) and hmac.compare_digest(_octets(given), _octets(token))


def depth(text: str) -> int:
    """Give a bound for how deep the JSON in `text` nests: exact, or the number of its brackets when few."""
    brackets = text.count("[") + text.count("{")
    return brackets if brackets <= JSON_DEPTH else _exact_depth(text)


def _exact_depth(text: str) -> int:
    deepest = level = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "[{":
            level += 1
            deepest = max(deepest, level)
        elif character in "]}":
            level -= 1
    return deepest


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_name(value: Json, longest: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= longest and value.isprintable()


def _object(args: Args, short: str | None = None) -> Mapping[str, Json]:
    value = args[0] if args else None
    if short and isinstance(value, str):
        return {short: value}
    if not isinstance(value, dict):
        raise Refusal(Code.BAD_REQUEST, f"give {'text or ' if short else ''}an object")
    return value


def _names(fields: Mapping[str, Json], key: str) -> tuple[str, ...]:
    value = fields.get(key)
    names = value if isinstance(value, list) else [] if value is None else [value]
    if len(names) > ROOMS_OF_A_SOCKET:
        raise Refusal(Code.BAD_REQUEST, f"{key}: more than {ROOMS_OF_A_SOCKET} names")
    return tuple(room_name(name) for name in names)


def _integer(fields: Mapping[str, Json], key: str, low: int, high: int, default: int | None) -> int | None:
    value = fields.get(key, default)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refusal(Code.BAD_REQUEST, f"{key}: has to be a whole number from {low} to {high}")
    return value


def _has_binary(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_has_binary(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_binary(item) for item in value)
    return isinstance(value, bytes)
