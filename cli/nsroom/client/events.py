"""Events to emit, and how to parse their arguments."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nsroom.errors import DecodeError, UsageError
from nsroom.lazy import compile_lazily
from nsroom.protocol import strict_json
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json

_PLACEHOLDER = compile_lazily(r"\{(\w+)\}")
# In Python 3.11 looking up an enum member takes 0.2 µs.
_EVENT = PacketType.EVENT
_ITEM = compile_lazily(r"([A-Za-z_][\w.-]*)(:=@|:=|=@|=)(.*)", re.DOTALL)


class Emit(NamedTuple):
    """An event to emit."""

    namespace: str
    event: str | int | float
    args: list[Json]
    text: str | None = None
    """The event and its arguments as JSON, if that is known."""

    def packet(self, id: int | None = None) -> Packet:
        """Return the packet, with an id to request an acknowledgement."""
        return Packet(_EVENT, self.namespace, id, [self.event, *self.args], 0, self.text)


class Acknowledge(NamedTuple):
    """An acknowledgement of an event of the server."""

    namespace: str
    id: int
    args: list[Json]

    def packet(self) -> Packet:
        """Return the packet."""
        return Packet(PacketType.ACK, self.namespace, self.id, self.args)


class Line(NamedTuple):
    """An item to send, and the number of its line on stdin, if any."""

    number: int | None
    item: Emit | Acknowledge
    ask: bool = False
    """Whether to request an acknowledgement of the event, even if none is requested for others."""


def parse_arguments(texts: Sequence[str], plain: bool = False) -> list[Json]:
    """Return the arguments of an event: JSON or else text; `@file` is binary; `key=value` make an object.

    With `plain`, every argument is text. Raises: UsageError for a file that cannot be read.
    """
    if plain:
        return list(texts)
    args: list[Json] = []
    items: dict[str, Json] | None = None
    for text in texts:
        item = _ITEM.fullmatch(text)
        if item is None:
            args.append(_argument(text))
            continue
        if items is None:
            args.append(items := {})
        items[item[1]] = _item(item[2], item[3], item[1])
    return args


def _argument(text: str) -> Json:
    if text.startswith("@"):
        return _read(text[1:])
    try:
        return strict_json.load(text, exact=True)
    except DecodeError:
        return text


def _item(operator: str, text: str, key: str) -> Json:
    if operator == "=":
        return text
    if operator == "=@":
        return _read(text)
    if operator == ":=@":
        text = _read(text).decode("utf-8", "replace")
    try:
        return strict_json.load(text, exact=True)
    except DecodeError as error:
        raise UsageError(f"{key}:= needs JSON: {error}") from None


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "its name has a null character"
        raise UsageError(
            f'cannot read the file after @: {cause}; for text that starts with @, write "@…"'
        ) from None


def fill(value: Json, **texts: str) -> Json:
    """Return a template with every `{name}` in it, for the names of `texts`, replaced by the text."""
    if isinstance(value, str):  # in one pass: a text may have the placeholder of another one in it
        return _PLACEHOLDER.sub(lambda found: texts.get(found[1], found[0]), value)
    if isinstance(value, list):
        return [fill(item, **texts) for item in value]
    if isinstance(value, dict):
        return {fill(key, **texts): fill(item, **texts) for key, item in value.items()}
    return value


def relay(emit: Emit, to: Sequence[str], skip: Sequence[str]) -> Emit:
    """Return the event that makes the reference server relay `emit` to rooms."""
    envelope: dict[str, Json] = {"event": emit.event, "args": emit.args, "to": list(to)}
    if skip:
        envelope["except"] = list(skip)
    return Emit(emit.namespace, "emit", [envelope])


def message(namespace: str, room: str, text: str) -> Emit:
    """Return the event for a typed text: a message to a room, or to the namespace if the room is empty."""
    return Emit(namespace, "message", [{"room": room, "text": text} if room else text])


def is_item(text: str) -> bool:
    """Return whether a typed line is an event or a record for `parse_line`, and not a message."""
    return text[:1] in ("[", "{")
