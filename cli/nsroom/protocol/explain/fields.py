"""Fields, the parts of a frame with their meaning; and descriptions of values in packets of any encoding."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypedDict

from nsroom.protocol import socketio
from nsroom.protocol.strict_json import Element
from nsroom.record import Json

_PREVIEW = 16
"""Bytes of binary data."""
LISTED = 1000
"""Elements that get a field of their own: a million fields would take gigabytes."""


class Field(TypedDict):
    """A part of a frame, as it is printed: its position, its characters, its name and its meaning."""

    at: int
    text: str
    name: str
    meaning: str


IDS = {
    socketio.PacketType.EVENT: "wants an acknowledgement",
    socketio.PacketType.BINARY_EVENT: "wants an acknowledgement",
    socketio.PacketType.ACK: "answers the event of this id",
    socketio.PacketType.BINARY_ACK: "answers the event of this id",
}


def preview(data: bytes) -> str:
    """Return the first bytes in hexadecimal."""
    return data[:_PREVIEW].hex(" ") + (" …" if len(data) > _PREVIEW else "")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 byte` or `2 bytes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def argument(element: Element, index: int, is_event: bool, attachments: int = 0) -> tuple[str, str]:
    """Return the name and the meaning of an element of a payload."""
    if is_event and index == 0:
        return "event", event(element.value)
    number = index if is_event else index + 1
    name = f"argument {number}" if element.key is None else element.key
    return name, describe(element.value, attachments)


def event(name: str | int | float) -> str:
    """Return the meaning of the name of an event."""
    if name in socketio.RESERVED_EVENTS:
        return f"{name}, a reserved name: JavaScript peers end the connection"
    return str(name)


def describe(value: Json, attachments: int = 0) -> str:
    """Return the type and size of a value; the field already shows its characters."""
    kind: Any = type(value)
    if kind in _SIZED:
        size = described(kind, len(value))
        return _with_attachments(value, size) if attachments and kind is not str else size
    if kind is bytes:
        return f"{counted(len(value), 'byte')}: {preview(value)}"
    return _CONSTANTS[value] if value is None or kind is bool else "number"


_CONSTANTS = {None: "null", True: "true", False: "false"}


@lru_cache(maxsize=1024)
def described(kind: Any, size: int) -> str:
    """Return the description of a text, an object or a list of this size."""
    what, noun = _SIZED[kind]
    return f"{what} of {counted(size, noun)}"


_SIZED: dict[Any, tuple[str, str]] = {
    str: ("text", "character"),
    dict: ("object", "member"),
    list: ("list", "item"),
}


def _with_attachments(value: dict[str, Json] | list[Json], size: str) -> str:
    names = ", ".join(f"attachment {num}" for num in _placeholders(value))
    if isinstance(value, dict) and value.get("_placeholder") is True and names:
        return names
    return f"{size}, with {names}" if names else size


def _placeholders(value: Json) -> Iterator[int]:
    """Yield the numbers of the attachments in a value, in the order of their placeholders."""
    rest = [value]
    while rest:
        value = rest.pop()
        if isinstance(value, dict) and value.get("_placeholder") is True:
            yield value["num"]
        elif isinstance(value, (dict, list)):
            rest.extend(reversed(value.values() if isinstance(value, dict) else value))
