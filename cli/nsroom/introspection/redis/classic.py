"""The messages of `@socket.io/redis-adapter` with `createAdapter`, version 8. Pure.

Every server subscribes to `KEY-request#NAMESPACE#`, and answers a request on `KEY-response#NAMESPACE#`, or on
that followed by `UID#` with the option `publishOnSpecificResponseChannel`. An event goes to `KEY#NAMESPACE#`,
or to that followed by `ROOM#` if it is for one room. KEY is `socket.io` unless the application chose another.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from nsroom.errors import DecodeError
from nsroom.introspection.observer import Where
from nsroom.introspection.redis.adapter import AskedAdapter, Command, Requests, Subscription, glob
from nsroom.introspection.redis.payloads import (
    Broadcast,
    Reply,
    broadcast,
    load,
    load_reply,
    load_value,
    options,
    packet,
    sockets,
)
from nsroom.protocol import messagepack, strict_json
from nsroom.record import Json

_REQUESTS = re.compile(r"(.+)-request#(/.*)#", re.DOTALL)


class _Type(IntEnum):
    """The types of requests."""

    SOCKETS = 0
    ALL_ROOMS = 1
    REMOTE_JOIN = 2
    REMOTE_LEAVE = 3
    REMOTE_DISCONNECT = 4
    REMOTE_FETCH = 5
    SERVER_SIDE_EMIT = 6
    BROADCAST = 7


@dataclass(frozen=True, slots=True)
class ClassicAdapter(AskedAdapter):
    """One namespace of the servers; their replies do not tell which server they are from."""

    package: ClassVar[str] = "@socket.io/redis-adapter"
    requests: ClassVar[Requests] = Requests(
        fetch=_Type.REMOTE_FETCH,
        join=_Type.REMOTE_JOIN,
        leave=_Type.REMOTE_LEAVE,
        disconnect=_Type.REMOTE_DISCONNECT,
    )

    def subscriptions(self) -> list[Subscription]:
        """Return the channels of replies, and as patterns those of events and requests.

        The servers wait for an answer of everyone who subscribes to the requests' channel by its name.
        """
        return [
            Subscription("subscribe", self._responses),
            Subscription("subscribe", f"{self._responses}{self.uid}#"),
            Subscription("psubscribe", f"{glob(self._events)}*"),
            Subscription("psubscribe", glob(self._requests)),
        ]

    @property
    def _requests(self) -> str:
        return f"{self.key}-request#{self.namespace}#"

    @property
    def _responses(self) -> str:
        return f"{self.key}-response#{self.namespace}#"

    @property
    def _events(self) -> str:
        return f"{self.key}#{self.namespace}#"

    def count(self) -> Command:
        """Return the command that counts the servers; its answer ends with the number."""
        return ("PUBSUB NUMSUB", self._requests)

    def _request(self, kind: int, **fields: Json) -> Command:
        return ("PUBLISH", self._requests, strict_json.dump({"uid": self.uid, "type": int(kind), **fields}))

    def emit(self, where: Where, event: str | int | float, args: Sequence[Json]) -> Command:
        """Return the command that emits an event to sockets."""
        message = [self.uid, packet(self.namespace, event, args), options(where)]
        return ("PUBLISH", self._events, messagepack.dump(message))

    def read(self, channel: str, data: bytes) -> Reply | Broadcast | None:
        """Return what a message of a channel says, or None if it is for others. Raises: DecodeError."""
        if channel.startswith(self._responses):
            return self._read_reply(data)
        if channel == self._requests:
            return self._read_request(load(data))
        return self._read_event(load_value(data)) if channel.startswith(self._events) else None

    def _read_reply(self, data: bytes) -> Reply | None:
        # The replies to the servers' own requests can have megabytes. Ours begin with our id.
        if self.uid.encode() not in data[:200]:
            return None
        reply = load_reply(data)
        if not isinstance(request := reply.get("requestId"), str):
            raise DecodeError("a reply without the id of its request", data)
        return Reply(request, sockets(reply.get("sockets"), self.namespace))

    def _read_request(self, request: dict[str, Json]) -> Broadcast | None:
        kind = request.get("type")
        if kind not in tuple(_Type):
            raise DecodeError("a request of an unknown type", b"")
        if kind != _Type.BROADCAST or request.get("uid") == self.uid:
            return None
        return broadcast(request.get("packet"), request.get("opts"), self.namespace)

    def _read_event(self, message: Json) -> Broadcast | None:
        match message:
            case [uid, sent, given]:
                return None if uid == self.uid else broadcast(sent, given, self.namespace)
        raise DecodeError("not a list of sender, packet and rooms", b"")


def find(channels: Iterable[str], uid: str) -> list[ClassicAdapter]:
    """Return the adapters of the servers that subscribe to these channels."""
    return [
        ClassicAdapter(match[1], match[2], uid) for match in filter(None, map(_REQUESTS.fullmatch, channels))
    ]
