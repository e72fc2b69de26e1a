"""The messages of the adapters that extend socket.io-adapter's `ClusterAdapter`. Pure.

They are `createShardedAdapter` of `@socket.io/redis-adapter` 8.2 and later, and version 0.3 of
`@socket.io/redis-streams-adapter`. Every server subscribes to `KEY#NAMESPACE#`, and to that followed by
`UID#`, where it is answered. All messages are `{uid, nsp, type, data}`, in JSON or MessagePack.

- The sharded adapter uses sharded pub/sub. An event for one room goes to `KEY#NAMESPACE#ROOM#`, which only
  servers with members subscribe to.
- The streams adapter adds what lasts to the stream KEY, and publishes what does not: questions and answers.

The servers count who is subscribed to `KEY#NAMESPACE#`, and wait for the answer of each. Hence nsroom never
subscribes to it; a pattern that matches it is not counted, but sharded pub/sub has no patterns.
"""

import base64
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    options,
    packet,
    sockets,
)
from nsroom.protocol import messagepack, strict_json
from nsroom.record import Json

Streams = Mapping[str, Sequence[str]]
"""The names of the streams that there are, by the key of their servers."""

PATTERN = "*#/*#"
"""The channels that show which servers there are."""
_PUBLIC = re.compile(r"(.+)(?<!-request)(?<!-response)#(/[^#]*)#", re.DOTALL)
_PRIVATE = re.compile(r"(.+#/[^#]*#)[0-9a-f]{16}#", re.DOTALL)
"""The channel on which one server is answered."""
_MAX_ROOMS = 10_000
"""Rooms of a namespace whose channels are read."""


class _Type(IntEnum):
    """The types of messages."""

    INITIAL_HEARTBEAT = 1
    HEARTBEAT = 2
    BROADCAST = 3
    SOCKETS_JOIN = 4
    SOCKETS_LEAVE = 5
    DISCONNECT_SOCKETS = 6
    FETCH_SOCKETS = 7
    FETCH_SOCKETS_RESPONSE = 8
    SERVER_SIDE_EMIT = 9
    SERVER_SIDE_EMIT_RESPONSE = 10
    BROADCAST_CLIENT_COUNT = 11
    BROADCAST_ACK = 12
    ADAPTER_CLOSE = 13


@dataclass(frozen=True, slots=True)
class ClusterAdapter(AskedAdapter):
    """One namespace of the servers, which are asked with `publish`."""

    requests: ClassVar[Requests] = Requests(
        fetch=_Type.FETCH_SOCKETS,
        join=_Type.SOCKETS_JOIN,
        leave=_Type.SOCKETS_LEAVE,
        disconnect=_Type.DISCONNECT_SOCKETS,
    )
    publish: ClassVar[str]
    number: ClassVar[str]

    @property
    def _public(self) -> str:
        return f"{self.key}#{self.namespace}#"

    @property
    def _own(self) -> str:
        return f"{self._public}{self.uid}#"

    def count(self) -> Command:
        """Return the command that counts the servers; its answer ends with the number."""
        return (self.number, self._public)

    def emit(self, where: Where, event: str | int | float, args: Sequence[Json]) -> Command:
        """Return the command that emits an event to sockets."""
        sent = packet(self.namespace, event, args)
        return self._request(_Type.BROADCAST, packet=sent, opts=options(where))

    def _request(self, kind: int, **fields: Json) -> Command:
        message = {"uid": self.uid, "nsp": self.namespace, "type": int(kind), "data": fields}
        return (self.publish, self._public, messagepack.dump(message))

    def read(self, channel: str, data: bytes) -> Reply | Broadcast | None:
        """Return what a message of a channel says, or None if it is for others. Raises: DecodeError."""
        if channel == self._own:
            return self._reply(load_reply(data))
        return read_event(load(data), self.uid)

    def _reply(self, message: Mapping[str, Json]) -> Reply | None:
        match message:
            case {"type": _Type.FETCH_SOCKETS_RESPONSE, "data": {"requestId": str() as request} as data}:
                server = message.get("uid")
                server = server if isinstance(server, str) else None
                return Reply(request, sockets(data.get("sockets"), self.namespace, server), server)
        raise DecodeError("not a list of sockets", b"")


@dataclass(frozen=True, slots=True)
class ShardedAdapter(ClusterAdapter):
    """Servers with `createShardedAdapter`."""

    package: ClassVar[str] = "@socket.io/redis-adapter (sharded)"
    publish: ClassVar[str] = "SPUBLISH"
    number: ClassVar[str] = "PUBSUB SHARDNUMSUB"
    unseen: ClassVar[str] = (
        "events that the servers of a sharded adapter send to a whole namespace or to several rooms"
    )

    rooms: tuple[str, ...] = field(default=(), compare=False)
    """The channels of rooms."""

    def room_of(self, channel: str) -> str | None:
        """Return the name of the room that a channel is for, or None for that of our replies."""
        return None if channel == self._own else channel.removeprefix(self._public).removesuffix("#")

    def subscriptions(self) -> list[Subscription]:
        """Return the channels of our replies and of the rooms."""
        return [Subscription("ssubscribe", each) for each in (self._own, *self.rooms)]


@dataclass(frozen=True, slots=True)
class StreamsAdapter(ClusterAdapter):
    """Servers with `@socket.io/redis-streams-adapter`."""

    package: ClassVar[str] = "@socket.io/redis-streams-adapter"
    publish: ClassVar[str] = "PUBLISH"
    number: ClassVar[str] = "PUBSUB NUMSUB"

    streams: tuple[str, ...] = field(default=(), compare=False)
    """The streams that there are."""

    def subscriptions(self) -> list[Subscription]:
        """Return the channel of our replies, and as a pattern that of events with acknowledgements."""
        return [Subscription("subscribe", self._own), Subscription("psubscribe", glob(self._public))]

    def streams_to_read(self, is_cluster: bool) -> list[str]:
        """Return the streams that events are added to; in a Redis Cluster only one can be read."""
        return [self.key] if is_cluster else stream_names(self.key)

    def read_entry(self, fields: Mapping[str, str]) -> Broadcast | None:
        """Return the event in an entry of a stream, or None if it is for others. Raises: DecodeError."""
        kind, data = fields.get("type", ""), fields.get("data", "")
        if not kind.isdecimal() or len(kind) > 9:
            raise DecodeError("an entry without a type", b"")
        return read_event({**fields, "type": int(kind), "data": _entry_data(data)}, self.uid)

    def emit(self, where: Where, event: str | int | float, args: Sequence[Json]) -> Command:
        """Return the command that emits an event to sockets, which clients can recover if there is a stream.

        Not with MAXLEN: how much the servers keep is not known.
        """
        if not self.streams:
            return super(StreamsAdapter, self).emit(where, event, args)
        data = {"packet": packet(self.namespace, event, args), "opts": options(where)}
        packed = base64.b64encode(messagepack.dump(data))
        head = ("uid", self.uid, "nsp", self.namespace, "type", str(int(_Type.BROADCAST)))
        return ("XADD", self.streams[0], "*", *head, "data", packed)


@dataclass(frozen=True, slots=True)
class ShardedStreamsAdapter(StreamsAdapter):
    """Servers with `@socket.io/redis-streams-adapter` and its option `useShardedPubSub`."""

    publish: ClassVar[str] = "SPUBLISH"
    number: ClassVar[str] = "PUBSUB SHARDNUMSUB"

    def subscriptions(self) -> list[Subscription]:
        """Return the channel of our replies."""
        return [Subscription("ssubscribe", self._own)]


def read_event(message: Mapping[str, Json], own: str) -> Broadcast | None:
    """Return the event for clients in a message, or None if it has none, or `own` is its sender.

    Raises: DecodeError.
    """
    kind = message.get("type")
    if kind not in tuple(_Type):
        raise DecodeError("a message of an unknown type", b"")
    if kind != _Type.BROADCAST or message.get("uid") == own:
        return None
    match message:
        case {"nsp": str() as namespace, "data": {"packet": sent, "opts": given}}:
            return broadcast(sent, given, namespace)
    raise DecodeError("an event without a packet and its rooms", b"")


def _entry_data(data: str) -> Json:
    if data.startswith("{"):
        return strict_json.load(data)
    try:
        return load(base64.b64decode(data, validate=True)) if data else None
    except ValueError as error:
        if isinstance(error, DecodeError):
            raise
        raise DecodeError("neither JSON nor base64", b"") from None


def stream_names(key: str) -> list[str]:
    """Return the names of the streams that servers may use, with `streamCount` up to 16.

    A namespace's number is the remainder of a hash that can be negative.
    """
    return [key, *(f"{key}-{number}" for number in range(-15, 16))]


def find_sharded(channels: Collection[str], uid: str, streams: Streams) -> list[ClusterAdapter]:
    """Return the adapters of the servers that subscribe to these channels of sharded pub/sub."""
    return [_sharded(key, namespace, uid, channels, streams) for key, namespace in _find(channels)]


def _sharded(
    key: str, namespace: str, uid: str, channels: Collection[str], streams: Streams
) -> ClusterAdapter:
    """Return the adapter: that of streams if their servers' key has one, and no room has a channel."""
    found = _rooms(channels, f"{key}#{namespace}#")
    if streams.get(key) and not found:
        return ShardedStreamsAdapter(key, namespace, uid, streams=tuple(streams[key]))
    return ShardedAdapter(key, namespace, uid, rooms=found)


def find_streams(channels: Collection[str], uid: str, streams: Streams) -> list[StreamsAdapter]:
    """Return the adapters of the servers that subscribe to these channels."""
    return [
        StreamsAdapter(key, namespace, uid, streams=tuple(streams.get(key, ())))
        for key, namespace in _find(channels)
    ]


def keys(channels: Collection[str]) -> set[str]:
    """Return the keys of the servers that subscribe to these channels."""
    return {key for key, _ in _find(channels)}


def _find(channels: Collection[str]) -> list[tuple[str, str]]:
    """Return the key and the namespace of each channel on which servers are asked."""
    answered = {match[1] for match in filter(None, map(_PRIVATE.fullmatch, channels))}
    matches = filter(None, map(_PUBLIC.fullmatch, sorted(channels)))
    return [(match[1], match[2]) for match in matches if match[0] in answered]


def _rooms(channels: Iterable[str], public: str) -> tuple[str, ...]:
    found = (
        each
        for each in channels
        if each.startswith(public) and each != public and not _PRIVATE.fullmatch(each)
    )
    return tuple(sorted(found))[:_MAX_ROOMS]
