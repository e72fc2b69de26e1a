"""The entries of the bus, as values.

An entry is one row of text, so that the scripts in Redis can handle it without parsing the JSON in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from nsroom_server.engineio.packets import size_of

_OVERHEAD = 100
"""Bytes of an entry in memory, besides its data."""


class Op(StrEnum):
    """The kind of an entry; the values are what servers of all versions read and write."""

    MESSAGE = "m"
    """A chat message, to be numbered and stored; `data` is its body."""
    EVENT = "e"
    """An event to relay; `data` holds the packet, its rooms and the rooms to skip."""
    JOIN = "j"
    """A socket has joined a room, or changed its nick; `data` is the nick."""
    LEAVE = "l"
    """A socket has left a room."""
    QUERY = "q"
    """A query to the other servers; `data` is an event with the arguments, `sid` the query's number."""
    REPLY = "r"
    """A part of a reply; `room` is the server that sent the query, `sid` the query's number."""
    WATCH = "w"
    """An administrator is connected to the origin."""
    SERVER_DOWN = "g"
    """A server has stopped, or its lease has expired: all its members are gone."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change or a message for all servers."""

    op: Op
    namespace: str
    room: str = ""
    sid: str = ""
    data: str = ""

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The arguments of the script."""
        return (self.op, room_key(self.namespace, self.room), self.sid, self.data)

    @property
    def size(self) -> int:
        """The approximate number of bytes in memory."""
        return size_of(self.data) + _OVERHEAD


@dataclass(frozen=True, slots=True)
class ReceivedEntry:
    """An entry as it is read from the bus."""

    sequence: int
    """Counts the entries of the bus: a gap means missed entries, a step back means lost data."""
    origin: str
    """The server that published it."""
    number: int
    """Counts the origin's entries; 0 if the script wrote the entry on the origin's behalf."""
    id: int
    """The id of a message in its room; otherwise 0."""
    entry: Entry

    @classmethod
    def parse(cls, row: str) -> Self:
        """Parse a row of the stream; neither printable names nor JSON contain a line feed."""
        sequence, origin, number, id_, op, namespace, room, sid, data = row.split("\n")
        return cls(int(sequence), origin, int(number), int(id_), Entry(Op(op), namespace, room, sid, data))


@dataclass(frozen=True, slots=True)
class Membership:
    """A socket in a room, and the server that it is connected to."""

    server: str
    namespace: str
    room: str
    sid: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The members of all rooms at one position of the stream."""

    position: str
    """The stream id of the last entry that the snapshot includes."""
    sequence: int
    nicks: Mapping[Membership, str]
    """The nick of each member, as JSON."""

    @classmethod
    def parse(cls, reply: Sequence[str]) -> Self:
        """Parse the script's reply: position, sequence, then server, member and nick for each member."""
        position, sequence, *rest = reply
        rows = zip(*[iter(rest)] * 3, strict=True)
        nicks = {Membership(server, *member.split("\n")): nick for server, member, nick in rows}
        return cls(position, int(sequence), nicks)


def room_key(namespace: str, room: str) -> str:
    """Return the name of a room in Redis; printable names contain no line feed."""
    return f"{namespace}\n{room}"


def parse_position(position: str) -> tuple[int, int]:
    """Return the milliseconds and the counter of a stream id, which compare in the stream's order.

    Raises: ValueError.
    """
    milliseconds, _, counter = position.partition("-")
    return int(milliseconds), int(counter)
