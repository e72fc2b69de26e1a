"""The parts of a frame, each with its meaning; and what all kinds of packets have to say of their values."""

from collections.abc import Iterator
from typing import NamedTuple

from nsroom.protocol import socketio
from nsroom.protocol.strict_json import Element
from nsroom.record import Json

_PREVIEW = 16
"""Bytes of binary data that are shown."""
LISTED = 1000
"""Elements that are taken apart: a field for each of a million would take gigabytes."""


class Field(NamedTuple):
    """A part of a frame: where it begins, its characters, its name and its meaning."""

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
    """Write the first bytes."""
    return data[:_PREVIEW].hex(" ") + (" …" if len(data) > _PREVIEW else "")


def counted(number: int, what: str) -> str:
    """Write a number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def argument(element: Element, index: int, is_event: bool, attachments: int = 0) -> tuple[str, str]:
    """Name an element of a payload, and say what it is."""
    if is_event and index == 0:
        return "event", _event(element.value)
    number = index if is_event else index + 1
    name = f"argument {number}" if element.key is None else element.key
    return name, describe(element.value, attachments)


def _event(name: str | int | float) -> str:
    if name in socketio.RESERVED_EVENTS:
        return f"{name}, a reserved name: JavaScript peers end the connection"
    return str(name)


def describe(value: Json, attachments: int = 0) -> str:
    """Say what kind of value it is; the characters are there already."""
    if isinstance(value, (dict, list)):
        return _container(value, list(_placeholders(value)) if attachments else [])
    if isinstance(value, bytes):
        return f"{counted(len(value), 'byte')}: {preview(value)}"
    if isinstance(value, str):
        return f"text of {counted(len(value), 'character')}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return "number"


def _container(value: dict[str, Json] | list[Json], attachments: list[int]) -> str:
    names = ", ".join(f"attachment {num}" for num in attachments)
    if isinstance(value, dict) and value.get("_placeholder") is True and names:
        return names
    size = counted(len(value), "member" if isinstance(value, dict) else "item")
    kind = "object" if isinstance(value, dict) else "list"
    return f"{kind} of {size}, with {names}" if names else f"{kind} of {size}"


def _placeholders(value: Json) -> Iterator[int]:
    """Yield the numbers of the attachments in a value, in their order."""
    rest = [value]
    while rest:
        value = rest.pop()
        if isinstance(value, dict) and value.get("_placeholder") is True:
            yield value["num"]
        elif isinstance(value, (dict, list)):
            rest.extend(reversed(value.values() if isinstance(value, dict) else value))
