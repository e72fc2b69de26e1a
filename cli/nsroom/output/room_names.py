"""Names of rooms: usually text, but a server on Node can also join a socket to a number.

The number 42 and the text "42" are two rooms. They are listed as `42` and `"42"`, and a user names them so;
the text can also be named without its quotes if the server has no such number.
"""

import json
import re
from collections.abc import Iterable

from nsroom.record import Json

Room = str | int | float
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DIGITS = re.compile("([0-9]+)")


def parse_room(value: Json) -> Room:
    """Return a reported room: a text or a number as it is, anything else as text."""
    return value if type(value) in (str, int, float) else str(value)


def room_text(room: Room) -> str:
    """Return the name to list: the text of a room, in quotes if it looks like a number."""
    if not isinstance(room, str):
        return json.dumps(room)
    return json.dumps(room) if _NUMBER.fullmatch(room) else room


def find_room(name: str, rooms: Iterable[Room]) -> Room:
    """Return the room that a user names, or the name itself if the server does not list such a room."""
    known = list(rooms)
    listed = next((room for room in known if room_text(room) == name), None)
    return listed if listed is not None else next((room for room in known if str(room) == name), name)


def is_named(name: str, room: Room) -> bool:
    """Return whether a user may mean this room by a name."""
    return name in (room_text(room), str(room))


def room_order(room: Room) -> list[tuple[int, int, str]]:
    """Return a sort key by which room-2 comes before room-10, and a number before the same text."""
    parts = _DIGITS.split(str(room))
    # The length first, because int() refuses thousands of digits.
    key = [
        (1, len(part.lstrip("0")), part.lstrip("0")) if at % 2 else (0, 0, part)
        for at, part in enumerate(parts)
    ]
    return [*key, (-1, isinstance(room, str), str(room))]
