"""Observe both directions of one connection: frames in, Records out.

Pure: it never sends, waits or looks at a clock. Engine.IO protocol 4 and Socket.IO protocol 5; those before
if told so. That packets are in MessagePack it sees by itself: no other binary data comes unannounced.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3, msgpack_parser, socketio
from nsroom.protocol.engineio import Handshake
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.protocol.redaction import is_connect, redacted
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Json, Kind, Record, framed

_OPPOSITE = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}
# For every event of a flood: Python 3.11 looks a member of an enumeration up in 0.2 µs.
_EVENT, _CONNECT = Kind.EVENT, Kind.CONNECT
_MAX_UNANSWERED = 100_000
# What adapters that recover a connection number their packets with: yeast, a Redis stream's id, an ObjectId.
_OFFSET = re.compile(r"[0-9A-Za-z_-]{7}(\.[0-9A-Za-z_-]+)?|\d{13}-\d+|[0-9a-f]{24}")


class _Asked(NamedTuple):
    """An event that wants an acknowledgement."""

    at: int
    event: str | int | float


@dataclass(slots=True)
class _Incomplete:
    """A packet whose attachments are still to come."""

    packet: Packet
    frames: list[str | bytes]
    attachments: list[bytes] = field(default_factory=list)


class Session:
    """What is known of one connection from its frames."""

    def __init__(
        self,
        sequence: Iterator[int] | None = None,
        raw: bool = False,
        limits: Limits = LIMITS,
        is_old: bool = False,
    ) -> None:
        self.is_old = is_old
        """Whether it speaks Engine.IO 3, as Socket.IO 2 does."""
        self.is_msgpack = False
        """Whether the server was heard to speak MessagePack."""
        self.handshake: Handshake | None = None
        self.sid: str | None = None
        """Stands in the records of events and acknowledgements, where sessions are to be told apart."""
        self.namespaces: dict[str, str | None] = {}
        """The connected namespaces and their sids; None from a Socket.IO 2 that was not expected."""
        self.recovery: dict[str, str] = {}
        """The private id of each namespace whose server can recover a connection."""
        self.offsets: dict[str, str] = {}
        """The last offset of each such namespace."""
        self._sequence = sequence or count(1)
        self._raw = raw
        self._limits = limits
        self._incomplete: dict[Direction, _Incomplete] = {}
        self._asked: dict[tuple[Direction, str, int | None], _Asked] = {}

    def feed(self, direction: Direction, frame: str | bytes, at: int) -> Record | None:
        """Take one Engine.IO frame seen at `at` (microseconds); give the Record of what it completes.

        A polling body is split into its frames first (`Dialect.split_body`).
        """
        try:
            if isinstance(frame, bytes) or frame[:1] in ("b", "4"):
                return self._message(direction, engineio3.to_4(frame) if self.is_old else frame, frame, at)
            return self._control(direction, frame, at)
        except DecodeError as error:
            incomplete = self._incomplete.pop(direction, None)
            frames = [*incomplete.frames, frame] if incomplete else [frame]
            return self.malformed(direction, frames, at, str(error))

    def is_incomplete(self, direction: Direction) -> bool:
        """Tell whether attachments of a packet are still to come."""
        return direction in self._incomplete

    def note(self, kind: Kind, at: int, direction: Direction = Direction.LOCAL, **fields: Json) -> Record:
        """Make a Record of what no frame says: a lost connection, a gap."""
        return Record(at, next(self._sequence), direction, kind, **fields)

    def _message(self, direction: Direction, frame: str | bytes, wire: str | bytes, at: int) -> Record | None:
        incomplete = self._incomplete and self._incomplete.get(direction)
        if incomplete:
            return self._attachment(incomplete, direction, frame, wire, at)
        if not isinstance(frame, str) or frame[0] == "b" or frame[1:2] == "{":
            return self._packet(direction, self._whole(direction, frame), at, [wire])
        packet = socketio.decode(frame[1:], self._limits)
        if packet.attachments:
            self._incomplete[direction] = _Incomplete(packet, [wire])
            return None
        return self._packet(direction, packet, at, [wire])

    def _whole(self, direction: Direction, frame: str | bytes) -> Packet:
        """Read a packet of socket.io-msgpack-parser: binary data that no packet announced, or an object."""
        try:
            packet = msgpack_parser.decode(engineio.decode(frame, self._limits).data, self._limits)
        except DecodeError:
            if self.is_msgpack:
                raise
            if isinstance(frame, str) and frame[0] != "b":
                return socketio.decode(frame[1:], self._limits)
            raise DecodeError("binary data that no packet announced", frame) from None
        self.is_msgpack |= direction is Direction.IN
        return packet

    def _attachment(
        self,
        incomplete: _Incomplete,
        direction: Direction,
        frame: str | bytes,
        wire: str | bytes,
        at: int,
    ) -> Record | None:
        data = engineio.decode(frame, self._limits).data
        if not isinstance(data, bytes):
            raise DecodeError("text where a binary attachment was due", frame)
        if len(incomplete.frames) < incomplete.packet.attachments:
            incomplete.attachments.append(data)
            incomplete.frames.append(wire)
            return None
        packet = socketio.join(incomplete.packet, [*incomplete.attachments, data], str(incomplete.frames[0]))
        del self._incomplete[direction]
        return self._packet(direction, packet, at, [*incomplete.frames, wire])

    def _packet(self, direction: Direction, packet: Packet, at: int, frames: list[str | bytes]) -> Record:
        record = _PACKETS[packet.type](self, direction, packet, at)
        if not self._raw:
            return record
        if record.kind is _CONNECT and direction is Direction.OUT:
            frames = [redacted(frames[0])]
        return framed(record, engineio.byte_count(frames), frames)

    def _event(self, direction: Direction, packet: Packet, at: int) -> Record:
        namespace, id, args = packet.namespace, packet.id, packet.data
        event = args.pop(0)
        if id is not None:
            if len(self._asked) >= _MAX_UNANSWERED:
                del self._asked[next(iter(self._asked))]
            self._asked[direction, namespace, id] = _Asked(at, event)
        elif self.recovery and namespace in self.recovery and direction is Direction.IN:
            return self._recoverable(packet, event, at)
        sequence = next(self._sequence)
        return Record(at, sequence, direction, _EVENT, namespace, id, event, args, None, self.sid)

    def _recoverable(self, packet: Packet, event: str, at: int) -> Record:
        """Set the offset apart that a recovering server adds to an event as one more argument."""
        namespace, args = packet.namespace, packet.data
        offset = None
        if args and isinstance(args[-1], str) and _OFFSET.fullmatch(args[-1]):
            offset = {"offset": args.pop()}
            self.offsets[namespace] = offset["offset"]
        return Record(
            at,
            next(self._sequence),
            Direction.IN,
            Kind.EVENT,
            namespace,
            None,
            event,
            args,
            sid=self.sid,
            data=offset,
        )

    def _ack(self, direction: Direction, packet: Packet, at: int) -> Record:
        asked = self._asked.pop((_OPPOSITE[direction], packet.namespace, packet.id), None)
        return Record(
            at,
            next(self._sequence),
            direction,
            Kind.ACK,
            packet.namespace,
            packet.id,
            asked and asked.event,
            packet.data,
            (at - asked.at) / 1000 if asked else None,
            self.sid,
            message=None if asked else "no event of this id was waiting",
        )

    def _connect(self, direction: Direction, packet: Packet, at: int) -> Record:
        if direction is Direction.OUT:
            return self.note(Kind.CONNECT, at, direction, namespace=packet.namespace)
        data = dict(packet.data or {})
        sid = self._old_sid(packet.namespace) if self.is_old else data.pop("sid", None)
        self.namespaces[packet.namespace] = sid if isinstance(sid, str) else None
        if isinstance(data.get("pid"), str):
            self.recovery[packet.namespace] = data.pop("pid")
        else:
            self.recovery.pop(packet.namespace, None)
            self.offsets.pop(packet.namespace, None)
        return self.note(
            Kind.CONNECT,
            at,
            direction,
            namespace=packet.namespace,
            sid=self.namespaces[packet.namespace],
            data=data or None,
        )

    def _old_sid(self, namespace: str) -> str | None:
        """Give the sid that a server of Socket.IO 2 uses without saying it."""
        if self.handshake is None:
            return None
        return self.handshake.sid if namespace == "/" else f"{namespace}#{self.handshake.sid}"

    def _disconnect(self, direction: Direction, packet: Packet, at: int) -> Record:
        sid = self.namespaces.pop(packet.namespace, None)
        who = "server" if direction is Direction.IN else "client"
        return self.note(
            Kind.DISCONNECT,
            at,
            direction,
            namespace=packet.namespace,
            sid=sid,
            reason=f"{who} namespace disconnect",
        )

    def _connect_error(self, direction: Direction, packet: Packet, at: int) -> Record:
        data = packet.data
        self.namespaces.pop(packet.namespace, None)
        message = data.get("message") if isinstance(data, dict) else data
        return self.note(
            Kind.CONNECT_ERROR,
            at,
            direction,
            namespace=packet.namespace,
            message=message if isinstance(message, str) else None,
            data=data,
        )

    def _control(self, direction: Direction, frame: str, at: int) -> Record | None:
        packet = engineio.decode(frame, self._limits)
        kind = _KINDS.get(packet.type)
        if kind is None:
            return None
        fields: dict[str, Json] = {"data": packet.data or None}
        if kind is Kind.OPEN:
            fields = self._open(str(packet.data))
        if self._raw:
            fields |= {"bytes": engineio.byte_count([frame]), "frames": [frame]}
        return self.note(kind, at, direction, **fields)

    def _open(self, data: str) -> dict[str, Json]:
        self.handshake = shake = engineio.parse_handshake(data)
        values = {
            "upgrades": list(shake.upgrades),
            "pingInterval": shake.ping_interval,
            "pingTimeout": shake.ping_timeout,
            "maxPayload": shake.max_payload,
        }
        return {"sid": shake.sid, "data": values}

    def malformed(self, direction: Direction, frames: list[str | bytes], at: int, message: str) -> Record:
        """Show a malformed frame, with those before it of the packet that it was to complete."""
        if direction is Direction.OUT:
            frames = [redacted(each) if is_connect(each, self.is_old) else each for each in frames]
        return self.note(
            Kind.PROTOCOL_ERROR,
            at,
            direction,
            message=message,
            bytes=engineio.byte_count(frames),
            frames=frames,
        )


_KINDS = {
    engineio.PacketType.OPEN: Kind.OPEN,
    engineio.PacketType.CLOSE: Kind.CLOSE,
    engineio.PacketType.PING: Kind.PING,
    engineio.PacketType.PONG: Kind.PONG,
    engineio.PacketType.UPGRADE: Kind.UPGRADE,
}
_PACKETS: dict[PacketType, Callable[[Session, Direction, Packet, int], Record]] = {
    PacketType.CONNECT: Session._connect,
    PacketType.DISCONNECT: Session._disconnect,
    PacketType.EVENT: Session._event,
    PacketType.ACK: Session._ack,
    PacketType.CONNECT_ERROR: Session._connect_error,
    PacketType.BINARY_EVENT: Session._event,
    PacketType.BINARY_ACK: Session._ack,
}
