"""What servers tell each other: the entries of the bus, as values.

An entry is a row of text: Redis' scripts handle it without reading the JSON in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from nsroom_server.engineio.packets import size_of


class Op(StrEnum):
    """What an entry does."""

    MESSAGE = "m"
    """Numbered and kept; `data` is its body."""
    EVENT = "e"
    """Relayed; `data` is the packet and where it goes."""
    JOIN = "j"
    """A socket is in a room; `data` is its nick. Of a member it changes the nick."""
    LEAVE = "l"
    ASK = "q"
    """A question to the other servers; `data` is an event, `sid` its number."""
    ANSWER = "r"
    """A part of an answer; `room` is the server that asked, `sid` the question's number."""
    WATCH = "w"
    """There is an administrator here."""
    GONE = "g"
    """A server has ended, or has not been heard of for too long: so have its members."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happens on all servers."""

    op: Op
    namespace: str
    room: str = ""
    sid: str = ""
    data: str = ""

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The arguments of the script."""
        return (self.op, key(self.namespace, self.room), self.sid, self.data)

    @property
    def octets(self) -> int:
        """About how much of memory it takes."""
        return size_of(self.data) + 100


@dataclass(frozen=True, slots=True)
class Heard:
    """An entry as the bus has it."""

    sequence: int
    """Counts the bus' entries: one that is not the last one's successor tells that some are missing."""
    origin: str
    number: int
    """Counts the origin's entries; 0 where the origin has not written it itself."""
    id: int
    """Of a message in its room."""
    entry: Entry

    @classmethod
    def read(cls, row: str) -> Self:
        """Read a row of the stream: neither printable names nor JSON hold a line feed."""
        sequence, origin, number, id_, op, namespace, room, sid, data = row.split("\n")
        return cls(int(sequence), origin, int(number), int(id_), Entry(Op(op), namespace, room, sid, data))


@dataclass(frozen=True, slots=True)
class Place:
    """A socket in a room, and the server that it is connected to."""

    server: str
    namespace: str
    room: str
    sid: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who is where, at one moment of the bus."""

    position: str
    """The id of the last entry that it knows of."""
    sequence: int
    nicks: Mapping[Place, str]
    """The data of each member's entry."""

    @classmethod
    def read(cls, reply: Sequence[str]) -> Self:
        """Read the script's answer: position, sequence, then server, member, nick and so on."""
        position, sequence, *rest = reply
        rows = zip(*[iter(rest)] * 3, strict=True)
        nicks = {Place(server, *member.split("\n")): nick for server, member, nick in rows}
        return cls(position, int(sequence), nicks)


def key(namespace: str, room: str) -> str:
    """Name a room; what is printable holds no line feed."""
    return f"{namespace}\n{room}"


def moment(position: str) -> tuple[int, int]:
    """Make a stream's id comparable."""
    time, _, count = position.partition("-")
    return int(time), int(count)
