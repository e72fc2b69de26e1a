"""How one server wants to be spoken to: the revision of Engine.IO, and what packets are written in."""

from dataclasses import dataclass, replace

from nsroom.protocol import engineio, engineio3, msgpack_parser, socketio
from nsroom.protocol.socketio import Packet, PacketType

NOOP = f"{engineio.PacketType.NOOP:d}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What stands between the packets and the wire; python-socketio knows only the default one."""

    engine: int = 4
    """The revision of Engine.IO: 3 is what Socket.IO 2 speaks."""
    is_msgpack: bool = False
    query: str = ""
    """Of every namespace that is asked for, in Socket.IO 2."""

    def __str__(self) -> str:
        if not self.is_old:
            return "msgpack" if self.is_msgpack else "Socket.IO 3 or later (Engine.IO 4)"
        return f"Socket.IO 2 (Engine.IO 3){' in msgpack' if self.is_msgpack else ''}"

    @property
    def is_old(self) -> bool:
        """Whether it is that of Socket.IO 2."""
        return self.engine == 3

    @property
    def options(self) -> str:
        """Give the options that ask for it, as far as they are needed."""
        options = ["--protocol 3"] * self.is_old + ["--parser msgpack"] * self.is_msgpack
        return " ".join(options) or "--protocol 4"

    def heard(self, is_old: bool, is_msgpack: bool) -> "Dialect":
        """Give the dialect of a server that was heard to speak so."""
        return replace(self, engine=3 if is_old else 4, is_msgpack=is_msgpack)

    @property
    def other_engine(self) -> "Dialect":
        """Give the dialect of the other generation."""
        return replace(self, engine=4 if self.is_old else 3)

    @property
    def other_parser(self) -> "Dialect":
        """Give the dialect with the other parser."""
        return replace(self, is_msgpack=not self.is_msgpack)

    def write(self, packet: Packet) -> list[str | bytes]:
        """Write a packet as the data of Engine.IO messages; none where the server does it unasked.

        Socket.IO 2 connects the root namespace by itself, and takes a query for the others, but no payload.

        Raises: ValueError for what the protocol cannot carry.
        """
        query = ""
        if self.is_old and packet.type is PacketType.CONNECT:
            if packet.namespace == "/":
                return []
            packet, query = packet._replace(data=None), self.query
        if not self.is_msgpack:
            return socketio.encode(packet, query)
        return [msgpack_parser.encode_old(packet, query) if self.is_old else msgpack_parser.encode(packet)]

    def to_wire(self, frame: str | bytes) -> str | bytes:
        """Give the frame on the wire for one of Engine.IO 4."""
        return engineio3.from_4(frame) if self.is_old else frame

    def split_body(self, body: bytes) -> list[str | bytes]:
        """Give the frames on the wire of a polling body. Raises: DecodeError."""
        if self.is_old:
            return engineio3.split_payload(body)
        return [*engineio.split_payload(body.decode("utf-8", "surrogateescape"))]

    def join_body(self, frames: list[str]) -> str:
        """Write frames of the wire as a polling body."""
        return engineio3.join_payload(frames) if self.is_old else engineio.SEPARATOR.join(frames)

    def as_default(self, frame: str | bytes) -> str | bytes:
        """Give what python-socketio needs of a frame on the wire: of a packet its type and namespace."""
        if self.is_old:
            frame = engineio3.to_4(frame)
        if isinstance(frame, str) and not frame.startswith(("b", "4{")):
            return frame
        try:
            packet = msgpack_parser.decode(engineio.decode(frame).data)
            return f"4{socketio.encode(packet._replace(id=None, data=None))[0]!s}"
        except ValueError:
            return NOOP


DEFAULT = Dialect()
