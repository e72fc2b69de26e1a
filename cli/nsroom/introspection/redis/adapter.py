"""The interface to the adapters that connect Socket.IO servers through Redis. Pure."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from nsroom.introspection.inventory import Feature
from nsroom.introspection.observer import Where
from nsroom.introspection.redis.payloads import Broadcast, Reply, options
from nsroom.output.room_names import Room
from nsroom.record import Json

Command = tuple[str | bytes, ...]
"""A command of Redis with its arguments."""
_SPECIAL = re.compile(r"([\\*?\[\]^-])")


def glob(text: str) -> str:
    """Return a pattern of Redis that matches only this text."""
    return _SPECIAL.sub(r"\\\1", text)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Channels to read: exact ones, or a pattern, or a channel of sharded pub/sub."""

    kind: str
    """`subscribe`, `psubscribe` or `ssubscribe`."""
    channel: str


@dataclass(frozen=True, slots=True)
class Adapter(ABC):
    """The adapters of all servers for one namespace: what they send, and how to act on their sockets."""

    package: ClassVar[str]
    """The package that the servers use."""
    features: ClassVar[frozenset[Feature]] = frozenset(Feature)
    """What can be seen, and done, of its sockets."""
    unseen: ClassVar[str] = ""
    """Events that pass Redis, but cannot be seen there without disturbing the servers."""

    key: str
    """The beginning of its channels' names."""
    namespace: str
    uid: str
    """The id that we use."""

    def within(self, namespace: str) -> "Adapter | None":
        """Return the adapter for a namespace, or None if this one is for another."""
        return self if namespace == self.namespace else None

    def streams_to_read(self, is_cluster: bool) -> list[str]:  # noqa: ARG002
        """Return the streams that events are added to; in a Redis Cluster only one can be read."""
        return []

    def read_entry(self, fields: Mapping[str, str]) -> Broadcast | None:  # noqa: ARG002
        """Return the event in an entry of a stream, or None if it is for others. Raises: DecodeError."""
        return None

    @abstractmethod
    def subscriptions(self) -> list[Subscription]:
        """Return what to subscribe to, without being counted as a server."""

    def join(self, room: Room, where: Where) -> Command:
        """Return the command that joins sockets to a room."""
        raise NotImplementedError

    def leave(self, room: Room, where: Where) -> Command:
        """Return the command that lets sockets leave a room."""
        raise NotImplementedError

    def disconnect(self, where: Where) -> Command:
        """Return the command that disconnects sockets from the namespace."""
        raise NotImplementedError

    def emit(self, where: Where, event: str | int | float, args: Sequence[Json]) -> Command:
        """Return the command that emits an event to sockets."""
        raise NotImplementedError

    @abstractmethod
    def read(self, channel: str, data: bytes) -> Reply | Broadcast | None:
        """Return what a message of a channel says, or None if it is for others. Raises: DecodeError."""


class Requests(NamedTuple):
    """The numbers of the types of requests."""

    fetch: int
    join: int
    leave: int
    disconnect: int


class AskedAdapter(Adapter):
    """Adapters that can be asked for their sockets; their requests differ only in form."""

    __slots__ = ()

    requests: ClassVar[Requests]

    @abstractmethod
    def count(self) -> Command:
        """Return the command that counts the servers; its answer ends with the number."""

    @abstractmethod
    def _request(self, kind: int, **fields: Json) -> Command:
        """Return the command that sends a request to each server."""

    def fetch(self, request: str) -> Command:
        """Return the command that asks each server for its sockets."""
        return self._request(self.requests.fetch, requestId=request, opts=options(None))

    def join(self, room: Room, where: Where) -> Command:
        """Return the command that joins sockets to a room."""
        return self._request(self.requests.join, opts=options(where), rooms=[room])

    def leave(self, room: Room, where: Where) -> Command:
        """Return the command that lets sockets leave a room."""
        return self._request(self.requests.leave, opts=options(where), rooms=[room])

    def disconnect(self, where: Where) -> Command:
        """Return the command that disconnects sockets from the namespace."""
        return self._request(self.requests.disconnect, opts=options(where), close=False)
