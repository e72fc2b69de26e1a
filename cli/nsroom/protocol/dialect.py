"""The dialect of a server: its revision of Engine.IO, and the encoding of its packets."""

from typing import NamedTuple

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3, msgpack_parser, socketio
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.protocol.socketio import Packet, PacketType

NOOP = f"{engineio.PacketType.NOOP:d}"


class Dialect(NamedTuple):
    """How packets are encoded on the wire; python-socketio knows only the default dialect."""

    engine: int = 4
    """The revision of Engine.IO: 3 for Socket.IO 2, 4 for later versions."""
    is_msgpack: bool = False
    query: str = ""
    """The query sent with every CONNECT of Socket.IO 2."""

    def __str__(self) -> str:
        if not self.is_old:
            return "msgpack" if self.is_msgpack else "Socket.IO 3 or later (Engine.IO 4)"
        return f"Socket.IO 2 (Engine.IO 3){' in msgpack' if self.is_msgpack else ''}"

    @property
    def is_old(self) -> bool:
        """Whether this is Socket.IO 2."""
        return self.engine == 3

    @property
    def options(self) -> str:
        """The command-line options that select this dialect."""
        options = ["--protocol 3"] * self.is_old + ["--parser msgpack"] * self.is_msgpack
        return " ".join(options) or "--protocol 4"

    def detected(self, is_old: bool, is_msgpack: bool) -> "Dialect":
        """Return the dialect detected from a server's packets."""
        return self._replace(engine=3 if is_old else 4, is_msgpack=is_msgpack)

    @property
    def other_engine(self) -> "Dialect":
        """This dialect with the other revision of Engine.IO."""
        return self._replace(engine=4 if self.is_old else 3)

    @property
    def other_parser(self) -> "Dialect":
        """This dialect with the other parser."""
        return self._replace(is_msgpack=not self.is_msgpack)

    def write(self, packet: Packet) -> list[str | bytes]:
        """Return a packet as the data of Engine.IO messages; none for a CONNECT that is not needed.

        A Socket.IO 2 server connects the root namespace unasked; its CONNECTs have a query, not a payload.

        Raises: ValueError if the protocol cannot carry the packet.
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
        """Return the frame on the wire for a frame of Engine.IO 4."""
        return engineio3.from_4(frame) if self.is_old else frame

    def to_polling(self, frame: str) -> str:
        """Return the frame in a posted body for a frame of Engine.IO 4."""
        return engineio3.escape_text(str(self.to_wire(frame))) if self.is_old else frame

    def split_body(self, body: bytes, limits: Limits = LIMITS) -> list[str | bytes]:
        """Return the frames of a polling body, as they are on the wire. Raises: DecodeError."""
        if self.is_old:
            return engineio3.split_payload(body, limits)
        if body.count(engineio.SEPARATOR.encode()) >= limits.packets:
            raise DecodeError(f"more than {limits.packets} packets", body)
        return [*engineio.split_payload(body.decode("utf-8", "surrogateescape"))]

    def join_body(self, frames: list[str]) -> str:
        """Return the polling body that carries frames, given as they are on the wire."""
        return engineio3.join_payload(frames) if self.is_old else engineio.SEPARATOR.join(frames)

    def as_default(self, frame: str | bytes) -> str | bytes:
        """Return the frame of Engine.IO 4 for one on the wire; packets keep only their type and namespace.

        That is enough for python-socketio to keep track of its connection.
        """
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
