"""Valid names, and who may do what in a room."""

from collections.abc import Callable, Collection, Sequence

from nsroom_server.errors import Code, Refusal
from nsroom_server.settings.limits import Limits
from nsroom_server.settings.names import is_distinct, is_name
from nsroom_server.socketio.application import Json
from nsroom_server.socketio.packet import RESERVED_EVENTS

SERVER_EVENTS = frozenset(("message", "hi", "create-room", "join-room", "leave-room", "delete-room"))
"""Events that the server alone emits: relayed ones could not be told from its own."""

_NOT_DISTINCT = (
    "could look like another name: remove blanks at its ends and doubled ones, invisible characters and "
    "stacked accents, and compose accents with their letters (NFC)"
)


def room_name(value: Json, longest: int) -> str:
    """Return a valid room name.

    Raises: Refusal.
    """
    return _name(value, longest, "room", Code.BAD_ROOM)


def nick_name(value: Json, longest: int) -> str:
    """Return a valid nick.

    Raises: Refusal.
    """
    return _name(value, longest, "nick", Code.BAD_REQUEST)


def _name(value: Json, longest: int, what: str, code: Code) -> str:
    if not isinstance(value, str):
        raise Refusal(code, f"{what} has to be text")
    if not is_name(value, longest):
        raise Refusal(code, f"{what}: must be 1 to {longest} printable characters")
    if not is_distinct(value):
        raise Refusal(code, f"{what}: {_NOT_DISTINCT}")
    return value


def event_name(value: Json) -> str:
    """Return the name of an event that may be relayed.

    Raises: Refusal.
    """
    if not isinstance(value, str) or not value:
        raise Refusal(Code.BAD_REQUEST, "event: must be a string")
    if value in RESERVED_EVENTS:
        raise Refusal(Code.RESERVED_EVENT, f"{value}: Socket.IO reserves this name")
    if value in SERVER_EVENTS:
        raise Refusal(Code.RESERVED_EVENT, f"{value}: only the server emits this event; use another name")
    return value


def require_member(rooms: Collection[str], wanted: Sequence[str]) -> None:
    """Raise Refusal unless the client is in all wanted rooms."""
    if any(name not in rooms for name in wanted):
        raise Refusal(Code.NOT_A_MEMBER, "only a member may send to a room: join it first")


def require_deliverable(size: int, limits: Limits) -> None:
    """Raise Refusal for an event of `size` bytes that no member's queue can hold: it would close them."""
    if size > limits.queued_bytes:
        text = f"{size} bytes is more than a member's queue holds ({limits.queued_bytes}): send less at once"
        raise Refusal(Code.TOO_LARGE, text)


def require_joinable(name: str, rooms: Collection[str], most: int, is_sid: Callable[[str], bool]) -> None:
    """Raise Refusal for a socket's own room, and for one room too many."""
    require_shared(name, is_sid)
    if name not in rooms and len(rooms) >= most:
        raise Refusal(Code.TOO_MANY_ROOMS, f"no more than {most} rooms: leave one first")


def require_shared(name: str, is_sid: Callable[[str], bool]) -> None:
    """Raise Refusal for a socket's own room."""
    if is_sid(name):
        raise Refusal(Code.BAD_ROOM, "room: this is a socket's id")
