"""Observe both directions of one connection: frames in, Records out. It never sends, waits or reads a clock.

Engine.IO 4 with Socket.IO 5, or Engine.IO 3 with Socket.IO 2 (`is_old`). MessagePack is detected: a binary
frame is either an attachment of the packet before it, or a whole packet of socket.io-msgpack-parser.

State: the handshake, the connected namespaces with their sids and recovery offsets; for each direction one
packet that waits for its attachments; for each direction, namespace and id one event that waits for its ack.

Invariants: every frame ends up in exactly one Record, except NOOPs and the frames that still wait for
attachments; `feed` never raises: a malformed frame becomes a PROTOCOL_ERROR, and discards the incomplete
packet of its direction. The values of a CONNECT's payload never appear in a Record.

Call `feed` for every frame, of both directions, in the order in which they were seen: an ack is matched with
the event before it, and a sid is known only after its CONNECT. `note` adds Records of the same sequence.
"""

from collections.abc import Callable, Iterator
from itertools import count

from nsroom.errors import DecodeError
from nsroom.lazy import compile_lazily
from nsroom.protocol import engineio, engineio3, msgpack_parser, socketio, strict_json
from nsroom.protocol.engineio import Handshake
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.protocol.redaction import (
    redacted,
    redacted_answer,
    redacted_malformed,
    redacted_name,
    redacted_payload,
)
from nsroom.protocol.refusals import message_of
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Json, Kind, Record, framed

_OPPOSITE = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}
# Names for the hot path: in Python 3.11 looking up an enum member takes 0.2 µs.
_EVENT, _ACK = Kind.EVENT, Kind.ACK
_MAX_UNANSWERED = 100_000
_ENTRY = 500
"""Bytes of an event that waits for its acknowledgement, or of a namespace."""
_MAX_NAME = 1024
"""Characters of an event's name that wait for its acknowledgement."""
_PLAIN = tuple(f"{engineio.PacketType.MESSAGE:d}{kind:d}" for kind in (PacketType.EVENT, PacketType.ACK))
"""The start of nearly every frame of a flood."""
_ANSWER = compile_lazily(r"43([0-9]{1,15})(?=\[)")
"""An acknowledgement in the root namespace; its payload can only be a list."""
# The offsets of adapters with connection state recovery: a yeast, the id of a Redis stream, an ObjectId.
_OFFSET = compile_lazily(r"[0-9A-Za-z_-]{7}(\.[0-9A-Za-z_-]+)?|\d{13}-\d+|[0-9a-f]{24}")


class _Incomplete:
    """A packet that waits for attachments."""

    __slots__ = ("attachments", "frames", "packet", "size")

    def __init__(self, packet: Packet, frame: str | bytes) -> None:
        self.packet = packet
        self.frames = [frame]
        self.attachments: list[bytes] = []
        self.size = 0


class Observer:
    """The state of one connection, as its frames show it."""

    def __init__(
        self,
        sequence: Iterator[int] | None = None,
        raw: bool = False,
        limits: Limits = LIMITS,
        is_old: bool = False,
    ) -> None:
        self.is_old = is_old
        """Whether the connection speaks Engine.IO 3, as Socket.IO 2 does."""
        self.is_msgpack = False
        """Whether the server has sent a packet in MessagePack."""
        self.handshake: Handshake | None = None
        self.sid: str | None = None
        """The sid of event and ack Records; set it when Records of several sessions are mixed."""
        self.namespaces: dict[str, str | None] = {}
        """The connected namespaces and their sids; None for a Socket.IO 2 server read without `is_old`."""
        self.recovery: dict[str, str] = {}
        """The `pid` of each namespace that can recover its connection."""
        self.offsets: dict[str, str] = {}
        """The last offset of each of these namespaces."""
        self._sequence = sequence or count(1)
        self._raw = raw
        self._limits = limits
        self._incomplete: dict[Direction, _Incomplete] = {}
        self._unanswered: dict[tuple[Direction, str, int | None], tuple[int, str | int | float]] = {}
        """The time and the name of each event that waits for its acknowledgement."""

    def feed(self, direction: Direction, frame: str | bytes, at: int) -> Record | None:
        """Read one Engine.IO frame seen at `at` (microseconds); return the Record that it completes, if any.

        Split a polling body into its frames first (`Dialect.split_body`).
        """
        if frame[:2] in _PLAIN and (record := self._plain(direction, frame, at)) is not None:
            return record
        try:
            if isinstance(frame, bytes) or frame[:1] in ("b", "4"):
                return self._message(direction, engineio3.to_4(frame) if self.is_old else frame, frame, at)
            return self._control(direction, frame, at)
        except DecodeError as error:
            incomplete = self._incomplete.pop(direction, None)
            frames = [*incomplete.frames, frame] if incomplete else [frame]
            return self.malformed(direction, frames, at, str(error))

    def sent(self, packet: Packet, frame: str, at: int) -> Record:
        """Return the Record of an event that is sent in one frame, made from the packet: its `text` was read.

        It is the Record that `feed` makes of the frame.
        """
        return self._packet(Direction.OUT, packet._replace(data=[*packet.data]), at, [frame])

    def note_question(self, direction: Direction, packet: Packet, at: int) -> None:
        """Let an event with an id wait for its acknowledgement; `feed` and `sent` do so themselves."""
        if len(self._unanswered) >= _MAX_UNANSWERED:
            del self._unanswered[next(iter(self._unanswered))]
        event = packet.data[0]
        name = event[:_MAX_NAME] if isinstance(event, str) else event
        self._unanswered[direction, packet.namespace, packet.id] = at, name

    def is_incomplete(self, direction: Direction) -> bool:
        """Return whether a packet in this direction waits for attachments."""
        return direction in self._incomplete

    def discard_incomplete(self, direction: Direction) -> None:
        """Forget the packet in this direction that waits for attachments, because frames are missing."""
        self._incomplete.pop(direction, None)

    @property
    def held(self) -> int:
        """Roughly the bytes that the state of the connection takes."""
        entries = len(self._unanswered) + len(self.namespaces) + len(self.offsets)
        incomplete = sum(len(each.frames[0]) + each.size for each in self._incomplete.values())
        return incomplete + entries * _ENTRY

    def release(self) -> None:
        """Forget the connection's state, because it takes too much memory."""
        for each in (self._incomplete, self._unanswered, self.namespaces, self.recovery, self.offsets):
            each.clear()

    @property
    def question(self) -> str | int | float | None:
        """The first event of the server that waits for our acknowledgement, or None."""
        waiting = ((key[0], event) for key, (_, event) in self._unanswered.items())
        return next((event for direction, event in waiting if direction is Direction.IN), None)

    def is_question(self, namespace: str, id: int) -> bool:
        """Return whether an event of the server with this id waits for our acknowledgement."""
        return (Direction.IN, namespace, id) in self._unanswered

    def unanswered(self, direction: Direction, namespace: str, id: int) -> str | int | float | None:
        """Return the event of this direction and id if it waits for its acknowledgement, or None."""
        asked = self._unanswered.get((direction, namespace, id))
        return asked and asked[1]

    def note(self, kind: Kind, at: int, direction: Direction = Direction.LOCAL, **fields: Json) -> Record:
        """Return a Record that was not made from a packet, such as a lost connection or a gap."""
        return Record(at, next(self._sequence), direction, kind, **fields)

    def _plain(self, direction: Direction, frame: str | bytes, at: int) -> Record | None:
        """Return the Record of an event without an id, or of an acknowledgement; None for any other frame.

        It is the Record that `_message` returns, in half of the time.
        """
        limits, id, namespace, start = self._limits, None, "/", 2
        if self.is_old or self._incomplete or not isinstance(frame, str) or len(frame) > limits.frame:
            return None
        if frame.startswith("42/"):
            start = frame.find(",[", 2, limits.namespace + 4) + 1
            namespace = frame[2 : start - 1]
            if not start or "," in namespace or "?" in namespace or '"' in namespace:
                return None
        elif not frame.startswith("42["):
            found = _ANSWER.match(frame)
            if found is None or (id := int(found[1])) > limits.id:
                return None
            start = found.end()
        try:
            args = strict_json.load(frame, start, limits)
        except DecodeError:
            return None
        if id is not None:
            record = self._answered(direction, "/", id, args, at)
        elif socketio.is_event(args) and namespace not in self.recovery:
            event, sequence = args.pop(0), next(self._sequence)
            record = Record(at, sequence, direction, _EVENT, namespace, None, event, args, None, self.sid)
        else:
            return None
        return framed(record, engineio.byte_count([frame]), [frame]) if self._raw else record

    def _message(self, direction: Direction, frame: str | bytes, wire: str | bytes, at: int) -> Record | None:
        incomplete = self._incomplete and self._incomplete.get(direction)
        if incomplete:
            return self._attachment(incomplete, direction, frame, wire, at)
        if not isinstance(frame, str) or frame[0] == "b" or frame[1:2] == "{":
            return self._packet(direction, self._msgpack(direction, frame), at, [wire])
        if frame[1:2] == "1" and direction is Direction.IN:
            packet = socketio.decode_from_server(frame[1:], self._limits)
        else:
            packet = socketio.decode(frame[1:], self._limits)
        if packet.attachments:
            self._incomplete[direction] = _Incomplete(packet, wire)
            return None
        return self._packet(direction, packet, at, [wire])

    def _msgpack(self, direction: Direction, frame: str | bytes) -> Packet:
        """Return the packet of socket.io-msgpack-parser in an unannounced binary frame or a JSON object."""
        try:
            data = frame if isinstance(frame, bytes) else engineio.decode(frame, self._limits).data
            packet = msgpack_parser.decode(data, self._limits)
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
        data = frame if isinstance(frame, bytes) else engineio.decode(frame, self._limits).data
        if not isinstance(data, bytes):
            raise DecodeError("expected a binary attachment, not text", frame)
        incomplete.size += len(data)
        if len(incomplete.frames[0]) + incomplete.size > self._limits.packet:
            del incomplete.frames[1:]
            raise DecodeError(f"larger than {self._limits.packet} bytes with its attachments", frame)
        if len(incomplete.frames) < incomplete.packet.attachments:
            incomplete.attachments.append(data)
            incomplete.frames.append(wire)
            return None
        attachments = [*incomplete.attachments, data]
        packet = socketio.join(incomplete.packet, attachments, str(incomplete.frames[0]), self._limits)
        del self._incomplete[direction]
        return self._packet(direction, packet, at, [*incomplete.frames, wire])

    def _packet(self, direction: Direction, packet: Packet, at: int, frames: list[str | bytes]) -> Record:
        if '"' in packet.namespace:
            packet = packet._replace(namespace=redacted_name(packet.namespace))
        record = _PACKETS[packet.type](self, direction, packet, at)
        if not self._raw:
            return record
        if record.kind is not _EVENT and record.kind is not _ACK:
            frames = [redacted(frames[0]) if direction is Direction.OUT else redacted_answer(frames[0])]
        return framed(record, engineio.byte_count(frames), frames)

    def _event(self, direction: Direction, packet: Packet, at: int) -> Record:
        namespace, id, args = packet.namespace, packet.id, packet.data
        if id is not None:
            self.note_question(direction, packet, at)
        event = args.pop(0)
        if id is None and self.recovery and namespace in self.recovery and direction is Direction.IN:
            return self._recoverable(packet, event, at)
        sequence = next(self._sequence)
        return Record(at, sequence, direction, _EVENT, namespace, id, event, args, None, self.sid)

    def _recoverable(self, packet: Packet, event: str, at: int) -> Record:
        """Return the event's Record, with the offset that the server appended as an argument in `data`."""
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
        return self._answered(direction, packet.namespace, packet.id, packet.data, at)

    def _answered(self, direction: Direction, namespace: str, id: int | None, args: Json, at: int) -> Record:
        asked = self._unanswered.pop((_OPPOSITE[direction], namespace, id), None)
        sequence = next(self._sequence)
        if asked is None:
            message = "no event with this id was waiting"
            return Record(
                at, sequence, direction, _ACK, namespace, id, None, args, None, self.sid, None, message
            )
        asked_at, event = asked
        rtt = (at - asked_at) / 1000
        return Record(at, sequence, direction, _ACK, namespace, id, event, args, rtt, self.sid)

    def _connect(self, direction: Direction, packet: Packet, at: int) -> Record:
        if direction is Direction.OUT:
            keys = redacted_payload(packet.data)
            return self.note(Kind.CONNECT, at, direction, namespace=packet.namespace, data=keys)
        if packet.namespace not in self.namespaces and len(self.namespaces) >= self._limits.namespaces:
            raise DecodeError(f"more than {self._limits.namespaces} namespaces", packet.namespace)
        data = dict(packet.data or {})
        if "sid" in data and not (isinstance(data["sid"], str) and data["sid"]):
            raise DecodeError("the `sid` of CONNECT must be a non-empty string", packet.namespace)
        sid = self._old_sid(packet.namespace) if self.is_old else data.pop("sid", None)
        self.namespaces[packet.namespace] = sid
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
        """Return the sid of a namespace in Socket.IO 2, whose CONNECT does not contain it."""
        if self.handshake is None:
            return None
        return self.handshake.sid if namespace == "/" else f"{namespace}#{self.handshake.sid}"

    def _disconnect(self, direction: Direction, packet: Packet, at: int) -> Record:
        data = packet.data if direction is Direction.IN else None
        sid = self.namespaces.pop(packet.namespace, None)
        side = "server" if direction is Direction.IN else "client"
        return self.note(
            Kind.DISCONNECT,
            at,
            direction,
            namespace=packet.namespace,
            sid=sid,
            reason=f"{side} namespace disconnect",
            message=message_of(data),
            data=data,
        )

    def _connect_error(self, direction: Direction, packet: Packet, at: int) -> Record:
        data = packet.data if direction is Direction.IN else None  # a client has no reason to send one
        self.namespaces.pop(packet.namespace, None)
        return self.note(
            Kind.CONNECT_ERROR,
            at,
            direction,
            namespace=packet.namespace,
            message=message_of(data),
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
        if direction is Direction.OUT and packet.data:
            frame = redacted(frame)
            fields["data"] = frame[1:]
        if self._raw:
            fields |= {"bytes": engineio.byte_count([frame]), "frames": [frame]}
        return self.note(kind, at, direction, **fields)

    def _open(self, data: str) -> dict[str, Json]:
        self.handshake = handshake = engineio.parse_handshake(data)
        values = {
            "upgrades": list(handshake.upgrades),
            "pingInterval": handshake.ping_interval,
            "pingTimeout": handshake.ping_timeout,
            "maxPayload": handshake.max_payload,
        }
        return {"sid": handshake.sid, "data": values}

    def malformed(self, direction: Direction, frames: list[str | bytes], at: int, message: str) -> Record:
        """Return the Record of malformed frames, without what could be credentials."""
        if direction is Direction.OUT:
            frames = [redacted_malformed(frame, self.is_old) for frame in frames]
        else:
            frames = [redacted_answer(frame) for frame in frames]
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
_PACKETS: dict[PacketType, Callable[[Observer, Direction, Packet, int], Record]] = {
    PacketType.CONNECT: Observer._connect,
    PacketType.DISCONNECT: Observer._disconnect,
    PacketType.EVENT: Observer._event,
    PacketType.ACK: Observer._ack,
    PacketType.CONNECT_ERROR: Observer._connect_error,
    PacketType.BINARY_EVENT: Observer._event,
    PacketType.BINARY_ACK: Observer._ack,
}
