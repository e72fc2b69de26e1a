"""The messages of python-socketio's Redis managers, version 5.14 and later, and of Flask-SocketIO. Pure.

All servers subscribe to one channel for all namespaces, `socketio` unless the application chose another, and
publish JSON: `{"method": "emit", …}`. No message asks the servers for their sockets. Earlier versions publish
pickled objects; those are not read, because unpickling runs the code in them.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from nsroom.errors import DecodeError, RefusedError
from nsroom.introspection.inventory import Feature
from nsroom.introspection.observer import Where
from nsroom.introspection.redis.adapter import Adapter, Command, Subscription
from nsroom.introspection.redis.payloads import Broadcast, Reply, attachment, load, rooms
from nsroom.output.room_names import Room
from nsroom.protocol import strict_json
from nsroom.record import Json

CHANNELS = ("socketio", "flask-socketio")
_OTHERS = ("callback", "disconnect", "enter_room", "leave_room", "close_room")
_SID = re.compile(r"[A-Za-z0-9_-]{20}")
_PICKLE = b"\x80"


@dataclass(frozen=True, slots=True)
class PythonManager(Adapter):
    """All namespaces of the servers; to act on one, take that of `within`."""

    package: ClassVar[str] = "python-socketio"
    features: ClassVar[frozenset[Feature]] = frozenset(Feature) - {Feature.ALL_EVENTS}

    def within(self, namespace: str) -> Self:
        """Return the same for one namespace."""
        return replace(self, namespace=namespace)

    def subscriptions(self) -> list[Subscription]:
        """Return the channel."""
        return [Subscription("subscribe", self.key)]

    def join(self, room: Room, where: Where) -> Command:
        """Return the command that joins a socket to a room. Raises: RefusedError."""
        return self._publish("enter_room", sid=_sid(where), room=room)

    def leave(self, room: Room, where: Where) -> Command:
        """Return the command that lets a socket leave a room. Raises: RefusedError."""
        return self._publish("leave_room", sid=_sid(where), room=room)

    def disconnect(self, where: Where) -> Command:
        """Return the command that disconnects a socket from the namespace. Raises: RefusedError."""
        return self._publish("disconnect", sid=_sid(where))

    def emit(self, where: Where, event: str | int | float, args: Sequence[Json]) -> Command:
        """Return the command that emits an event to sockets."""
        attachments: list[bytes] = []
        data: list[Json] = [_without_binary(arg, attachments) for arg in args]
        if attachments:
            data = [data, *(base64.b64encode(each).decode() for each in attachments)]
        return self._publish(
            "emit",
            event=event,
            data=data,
            binary=bool(attachments),
            room=where,
            skip_sid=None,
            callback=None,
        )

    def _publish(self, method: str, **fields: Json) -> Command:
        message = {"method": method, "namespace": self.namespace, **fields, "host_id": self.uid}
        return ("PUBLISH", self.key, strict_json.dump(message))

    def read(self, channel: str, data: bytes) -> Reply | Broadcast | None:  # noqa: ARG002
        """Return the event that a message has for clients, or None. Raises: DecodeError."""
        if data.startswith(_PICKLE):
            raise DecodeError("pickled, as by versions before 5.14", b"")
        message = load(data)
        method = message.get("method")
        if method in _OTHERS or message.get("host_id") == self.uid:
            return None
        match message:
            case {
                "method": "emit",
                "event": str() as event,
                "data": given,
                "namespace": str() as namespace,
            }:
                args = _arguments(given, message.get("binary"))
                to, skipped = _names(message.get("room")), _names(message.get("skip_sid"))
                return Broadcast(namespace, event, args, to, skipped)
        raise DecodeError("a message of an unknown method or form", b"")


def _sid(where: Where) -> str:
    if not isinstance(where, str) or not _SID.fullmatch(where):
        raise RefusedError(
            f"python-socketio's Redis manager acts on one socket by its sid, not on a room: {where}"
        )
    return where


def _names(value: Json) -> list[Room]:
    return [] if value is None else rooms(value if isinstance(value, list) else [value])


def _arguments(data: Json, is_binary: Json) -> list[Json]:
    """Return the arguments, of which only the last versions always send a list."""
    attachments: dict[int, bytes] = {}
    if is_binary:
        if not isinstance(data, list) or not data:
            raise DecodeError("binary data without attachments", b"")
        data, attachments = data[0], dict(enumerate(map(attachment, data[1:])))
    args = data if isinstance(data, list) else [data]
    return [_with_binary(arg, attachments) for arg in args] if is_binary else args


def _with_binary(value: Json, attachments: dict[int, bytes]) -> Json:
    """Return a value with the attachments instead of their placeholders, each once."""
    match value:
        case {"_placeholder": True, "num": int() as number}:
            if number not in attachments:
                raise DecodeError("a placeholder without an attachment", b"")
            return attachments.pop(number)
        case dict():
            return {key: _with_binary(each, attachments) for key, each in value.items()}
        case list():
            return [_with_binary(each, attachments) for each in value]
    return value


def _without_binary(value: Json, attachments: list[bytes]) -> Json:
    """Return a value with placeholders instead of bytes, which are added to the attachments."""
    match value:
        case bytes():
            attachments.append(value)
            return {"_placeholder": True, "num": len(attachments) - 1}
        case dict():
            return {key: _without_binary(each, attachments) for key, each in value.items()}
        case list():
            return [_without_binary(each, attachments) for each in value]
    return value


def find(subscribers: dict[str, int], uid: str) -> list[PythonManager]:
    """Return the managers of the servers, given the number of subscribers of each channel."""
    return [PythonManager(channel, "", uid) for channel, number in subscribers.items() if number]
