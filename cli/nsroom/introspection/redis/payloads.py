"""What servers publish in Redis: JSON or MessagePack, untrusted until it is checked. Pure."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from nsroom.errors import DecodeError
from nsroom.introspection.inventory import Socket, parse_socket
from nsroom.introspection.observer import Where
from nsroom.output.room_names import Room, parse_room
from nsroom.protocol import messagepack, strict_json
from nsroom.protocol.limits import LIST_LIMITS, Limits
from nsroom.record import Json

MAX_BYTES = 64 * 2**20
"""Of one message. Redis disconnects a subscriber who is 32 MB behind, unless it is configured otherwise."""
_LARGE = 100_000
"""Bytes of a reply whose depth is not checked before it is read: that takes three times as long."""
_MAX_ROOMS = 10_000
"""Rooms to which one event goes."""
_MAX_DEPTH = 100
"""Nested lists and objects in the data of a socket."""
_LIMITS = LIST_LIMITS._replace(frame=MAX_BYTES)
_UNCHECKED = _LIMITS._replace(depth=MAX_BYTES)
_EVENTS = (2, 5)
"""The types of packets with an event, without and with binary data."""


class Reply(NamedTuple):
    """One server's sockets in one namespace."""

    request: str
    sockets: list[Socket]
    server: str | None = None
    """The server's id, if it sends one."""


class Broadcast(NamedTuple):
    """An event that one server sends to the clients of all."""

    namespace: str
    event: str | int | float
    args: list[Json]
    rooms: Sequence[Room] = ()
    """None of them means all clients of the namespace."""
    skipped: Sequence[Room] = ()
    """Rooms and sids whose sockets do not get it."""


def load(data: bytes) -> dict[str, Json]:
    """Return the object that a message contains. Raises: DecodeError, and nothing else."""
    return _object(load_value(data))


def load_reply(data: bytes) -> dict[str, Json]:
    """Return the object of a reply, of which nothing but the data of a socket may be nested deeply.

    Raises: DecodeError, and nothing else.
    """
    return _object(load_value(data, _UNCHECKED if len(data) > _LARGE else _LIMITS))


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise DecodeError("not an object", b"")
    return value


def load_value(data: bytes, limits: Limits = _LIMITS) -> Json:
    """Return the value that a message contains. Raises: DecodeError, and nothing else."""
    if len(data) > MAX_BYTES:
        raise DecodeError(f"more than {MAX_BYTES} bytes", b"")
    return _load_json(data, limits) if data[:1] == b"{" else messagepack.load(data, _LIMITS)


def _load_json(data: bytes, limits: Limits) -> Json:
    if len(data) > _LARGE and sum(map(data.count, (b"[", b"{", b","))) > _LIMITS.values:
        raise DecodeError(f"more than {_LIMITS.values} values", b"")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("not UTF-8", data, error.start) from None
    return strict_json.load(text, limits=limits)


def sockets(described: Json, namespace: str, server: str | None = None) -> list[Socket]:
    """Return the sockets that a server lists; what does not describe a socket is left out.

    Raises: DecodeError if it is not a list.
    """
    if not isinstance(described, list):
        raise DecodeError("the sockets are not a list", b"")
    found = (parse_socket({**each, "nsp": namespace}) for each in described if isinstance(each, dict))
    return [replace(each, server=server, data=_shallow(each.data)) for each in found if each]


def _shallow(data: Json) -> Json:
    return data if _is_shallow(data, _MAX_DEPTH) else None


def _is_shallow(value: Json, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return not isinstance(value, list) or (
        levels > 0 and all(_is_shallow(each, levels - 1) for each in value)
    )


def broadcast(packet: Json, given: Json, namespace: str) -> Broadcast | None:
    """Return the event in a packet for other servers' clients, or None if the packet has none.

    Raises: DecodeError.
    """
    match packet, given:
        case {"type": kind, "data": [str() | int() | float() as event, *args]}, {"rooms": to} if (
            kind in _EVENTS
        ):
            return Broadcast(namespace, event, args, rooms(to), rooms(given.get("except") or []))
        case {"type": int()}, {"rooms": _}:
            return None
    raise DecodeError("not a packet with its rooms", b"")


def rooms(listed: Json) -> list[Room]:
    """Return the rooms in a list. Raises: DecodeError."""
    if not isinstance(listed, list) or len(listed) > _MAX_ROOMS:
        raise DecodeError(f"not a list of at most {_MAX_ROOMS} rooms", b"")
    return list(map(parse_room, listed))


def attachment(text: Json) -> bytes:
    """Return binary data that is base64 in a message. Raises: DecodeError."""
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise DecodeError("an attachment that is not base64", b"") from None


def options(where: Where) -> dict[str, Json]:
    """Return the adapters' description of the sockets to act on."""
    to = [] if where is None else where if isinstance(where, list) else [where]
    return {"rooms": to, "except": [], "flags": {}}


def packet(namespace: str, event: str | int | float, args: Sequence[Json]) -> dict[str, Json]:
    """Return the packet of an event, as the adapters send it."""
    return {"type": 2, "data": [event, *args], "nsp": namespace}
