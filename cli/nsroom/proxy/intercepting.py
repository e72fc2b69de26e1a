"""Packets that wait until the user decides, and packets of the user's own, in the sessions of the proxy.

Each session has a line for each direction. A packet that matches --intercept waits there until it is
forwarded, edited or dropped; the packets after it wait behind it, so that their order stays. Heartbeats and
handshakes never wait: without them the connection would end.

A packet that waits has one record when it arrives, with the state `waiting` or `behind`, and one when it goes
on, with the state `forwarded`, `edited` or `dropped`. Only the second says what the other side received.

The ids of our own acknowledgements start at FIRST_ID, which no client or server reaches by counting; their
answers are recorded, not passed on. Pure.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import NamedTuple, Protocol

from nsroom.client.events import Acknowledge, Emit
from nsroom.errors import UsageError
from nsroom.protocol import engineio
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.proxy.dropping import DROPPED
from nsroom.proxy.faults import PACKETS
from nsroom.proxy.marks import Mark, State, marked
from nsroom.proxy.rewriting import is_control, packet_frames, read_back
from nsroom.proxy.sessions import MAX_SESSIONS, Link, Sessions
from nsroom.record import Direction, Frame, Json, Kind, Record, framed

IN, OUT = Direction.IN, Direction.OUT
FIRST_ID = 1_000_000_000
"""Less than 2^31, which some servers store ids in."""
MAX_WAITING = 1000
MAX_BYTES = 16 * 2**20
"""Of the packets that wait. Beyond either limit, connections with waiting packets are not read."""
_MAX_CALLS = 10_000
"""Calls of ours in a session that wait for their answer; the oldest are forgotten."""
_OPPOSITE = {IN: OUT, OUT: IN}
_ENDED = "dropped: the connection ended before it was forwarded"
_REPLIED = "dropped: the user acknowledged the event before"


class Action(StrEnum):
    """What to do with a packet that waits."""

    FORWARD = "forward"
    EDIT = "edit"
    DROP = "drop"


class Decision(NamedTuple):
    """The user's decision about a packet; an edit keeps the event or the arguments that are None."""

    action: Action
    event: Json = None
    args: list[Json] | None = None


class Port(Protocol):
    """Sends frames to one side of a session."""

    def put(self, frames: list[Frame]) -> None:
        """Send frames."""

    def take(self) -> list[Frame]:
        """Return the frames that were not sent yet, and do not send them."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A packet that waits."""

    id: int
    session: "Session"
    direction: Direction
    frames: list[Frame]
    record: Record
    """As it arrived, or as it was edited."""
    state: State
    outcome: Mark | None = None
    """How it goes on, once that is decided: it may still wait behind another packet."""

    @property
    def size(self) -> int:
        """Bytes of the frames."""
        return engineio.byte_count(self.frames)


class _Call(NamedTuple):
    """An event of ours that waits for its acknowledgement."""

    event: str | int | float
    at: int


_Key = tuple[Direction, str, int]
"""Direction, namespace and id of an acknowledgement."""


class Interception:
    """The packets that wait, of all sessions."""

    def __init__(
        self, holds: Callable[[Record], bool], sessions: Sessions, changed: Callable[[], None]
    ) -> None:
        """`holds` selects the packets to wait; `changed` is called when fewer packets wait than before."""
        self._holds = holds
        self._changed = changed
        self.sessions = sessions
        self.waiting: OrderedDict[int, Waiting] = OrderedDict()
        self._bytes = 0
        self._ids = count(1)
        self._is_on = True
        self._known: OrderedDict[str, Session] = OrderedDict()

    def holds(self, record: Record) -> bool:
        """Return whether a packet must wait for a decision."""
        return self._is_on and record.kind in PACKETS and self._holds(record)

    @property
    def undecided(self) -> int:
        """The number of packets that wait for a decision."""
        return sum(each.state is State.WAITING and each.outcome is None for each in self.waiting.values())

    @property
    def is_full(self) -> bool:
        """Whether so much waits that no more should be read."""
        return len(self.waiting) >= MAX_WAITING or self._bytes >= MAX_BYTES

    def open(self, link: Link) -> "Session":
        """Return the session of a connection, creating it if needed."""
        session = self._known.get(link.sid) if link.sid else None
        if session is None:
            session = Session(self, link)
            self.register(session)
        session.link = link
        return session

    def register(self, session: "Session") -> None:
        """Store a session under its sid, once the handshake has assigned one."""
        sid = session.link.sid
        if sid is not None and sid not in self._known:
            self._known[sid] = session
            if len(self._known) > MAX_SESSIONS:
                self._known.popitem(last=False)

    def forget(self, session: "Session") -> None:
        """Forget a session that has ended."""
        self._known.pop(session.link.sid or "", None)

    def find(self, sid: str | None) -> "Session":
        """Return the session with this sid, or the only one. Raises: UsageError."""
        if sid is None and len(self._known) == 1:
            return next(iter(self._known.values()))
        if sid is None:
            how_many = (
                f"{len(self._known)} clients are connected" if self._known else "no client is connected"
            )
            raise UsageError(f"{how_many}: name one by the sid of its records")
        if sid not in self._known:
            raise UsageError(f"no client with the sid {sid!r:.60} is connected")
        return self._known[sid]

    def add(self, session: "Session", direction: Direction, frames: list[Frame], record: Record) -> Waiting:
        """Return a packet that waits from now on."""
        state = State.WAITING if self.holds(record) else State.BEHIND
        waiting = Waiting(next(self._ids), session, direction, frames, record, state)
        self.waiting[waiting.id] = waiting
        self._bytes += waiting.size
        return waiting

    def remove(self, waiting: Waiting) -> None:
        """Handle a packet that no longer waits."""
        del self.waiting[waiting.id]
        self._bytes -= waiting.size
        self._changed()

    def decide(self, id: int, decision: Decision, at: int) -> list[Record]:
        """Apply a decision; return the records of the packets that go on. Raises: UsageError."""
        waiting = self.waiting.get(id)
        if waiting is None or waiting.outcome is not None:
            raise UsageError(f"packet {id} does not wait: it was decided before, or its connection has ended")
        if decision.action is Action.DROP:
            return waiting.session.drop(waiting, at)
        if decision.action is Action.EDIT:
            size = waiting.size
            waiting.session.edit(waiting, decision)
            self._bytes += waiting.size - size
        else:
            waiting.outcome = Mark(id=id, state=State.FORWARDED)
        return waiting.session.advance(waiting.direction, at)

    def forward_all(self, at: int) -> list[Record]:
        """Forward every packet that waits; return their records."""
        lines = OrderedDict(((each.session, each.direction), None) for each in self.waiting.values())
        return [record for session, direction in lines for record in session.flush(direction, at)]

    def stop(self, at: int) -> list[Record]:
        """Forward every packet that waits, and let none wait any more; return their records."""
        self._is_on = False
        return self.forward_all(at)


@dataclass(slots=True, eq=False)
class Session:
    """The lines of one session. Set `ports` before packets arrive."""

    interception: Interception
    link: Link
    """The connection that was last seen."""
    ports: dict[Direction, Port] = field(default_factory=dict)
    _lines: dict[Direction, deque[Waiting]] = field(default_factory=lambda: {IN: deque(), OUT: deque()})
    _frames: dict[Direction, list[Frame]] = field(default_factory=lambda: {IN: [], OUT: []})
    """Of a packet that waits for its attachments."""
    _calls: OrderedDict[_Key, _Call] = field(default_factory=OrderedDict)
    _replied: set[_Key] = field(default_factory=set)
    _own_ids: Iterator[int] = field(default_factory=lambda: count(FIRST_ID))

    @property
    def dialect(self) -> Dialect:
        """How packets of this session are encoded."""
        return Dialect(3 if self.link.is_old else 4, self.link.observer.is_msgpack)

    def use(self, ports: dict[Direction, Port]) -> None:
        """Send through these ports from now on; what the previous ones have not sent yet comes first."""
        previous, self.ports = self.ports, ports
        for direction, port in previous.items():
            if left := port.take():
                ports[direction].put(left)

    def is_waiting(self, direction: Direction) -> bool:
        """Return whether packets of a direction wait."""
        return bool(self._lines[direction])

    def handle(
        self, direction: Direction, frame: Frame, records: list[Record], port: Port, at: int
    ) -> list[Record]:
        """Pass on a frame that arrived, or let it wait; return the records to show.

        `records` are those that the frame completes, and `port` is of the transport that it arrived on.
        """
        if is_control(frame):
            if frame[:1] == "1":
                records = self.flush_before(direction, records, at)
            port.put([frame])
            return records
        frames = self._frames[direction]
        frames.append(frame)
        if self.link.is_incomplete(direction):
            return records
        self._frames[direction] = []
        return self._receive(direction, frames, records)

    def _receive(self, direction: Direction, frames: list[Frame], records: list[Record]) -> list[Record]:
        """Handle a whole packet."""
        record = records[0] if records else None
        if record is not None:
            if record.kind is Kind.ACK and (own := self._answer(record, direction)):
                return [own]
            if self._lines[direction] or self.interception.holds(record):
                waiting = self.interception.add(self, direction, frames, record)
                self._lines[direction].append(waiting)
                return [marked(record, Mark(id=waiting.id, state=waiting.state))]
        self.ports[direction].put(frames)
        return records

    def _answer(self, record: Record, direction: Direction) -> Record | None:
        """Return the record of an acknowledgement that must not be passed on, or None."""
        key = (direction, str(record.namespace), record.id or 0)
        if call := self._calls.pop(key, None):
            rtt = (record.time - call.at) / 1000
            answer = record._replace(event=call.event, rtt_ms=rtt, message=None)
            return marked(answer, Mark(state=State.ANSWER))
        if key in self._replied:
            self._replied.discard(key)
            return marked(record, Mark(state=State.DROPPED))._replace(reason=_REPLIED)
        return None

    def drop(self, waiting: Waiting, at: int, reason: str = DROPPED) -> list[Record]:
        """Drop a packet; return its record, and those of the packets that only waited behind it."""
        self._lines[waiting.direction].remove(waiting)
        self.interception.remove(waiting)
        record = self._settled(waiting, Mark(id=waiting.id, state=State.DROPPED), at)
        return [record._replace(reason=reason), *self.advance(waiting.direction, at)]

    def edit(self, waiting: Waiting, decision: Decision) -> None:
        """Replace the event and the arguments of a packet, and let it go on. Raises: UsageError."""
        record = waiting.record
        if record.kind not in (Kind.EVENT, Kind.ACK):
            raise UsageError(f"a {record.kind} cannot be edited: forward or drop it")
        event = record.event if decision.event is None else decision.event
        args = record.args or [] if decision.args is None else decision.args
        offset = [record.data["offset"]] if isinstance(record.data, dict) and "offset" in record.data else []
        is_event = record.kind is Kind.EVENT
        kind, data = (PacketType.EVENT, [event, *args, *offset]) if is_event else (PacketType.ACK, args)
        frames, back = self._encoded(waiting.direction, Packet(kind, str(record.namespace), record.id, data))
        original: dict[str, Json] = {"event": record.event} if is_event else {}
        original["args"] = record.args
        edited = record._replace(
            event=back.event if is_event else record.event,
            args=(back.args or [])[: len(args)],
        )
        if record.frames is not None:
            edited = framed(edited, engineio.byte_count(frames), frames)
        waiting.frames, waiting.record = frames, edited
        waiting.outcome = Mark(id=waiting.id, state=State.EDITED, original=original)

    def advance(self, direction: Direction, at: int) -> list[Record]:
        """Pass on the packets at the head of a line that need no decision any more; return their records."""
        line, records = self._lines[direction], []
        while line and (line[0].outcome or line[0].state is State.BEHIND):
            waiting = line.popleft()
            self.interception.remove(waiting)
            self.ports[direction].put(waiting.frames)
            mark = waiting.outcome or Mark(id=waiting.id, state=State.FORWARDED)
            records.append(self._settled(waiting, mark, at))
        return records

    def flush(self, direction: Direction, at: int) -> list[Record]:
        """Forward all packets of a direction; return their records."""
        for waiting in self._lines[direction]:
            waiting.outcome = waiting.outcome or Mark(id=waiting.id, state=State.FORWARDED)
        return self.advance(direction, at)

    def flush_before(self, direction: Direction, records: list[Record], at: int) -> list[Record]:
        """Forward all packets of a direction, whose records come before these; return all of them."""
        flushed = self.flush(direction, at)
        again = self.interception.sessions.again
        return [*flushed, *(again(record, at) for record in records)] if flushed else records

    def end(self, at: int) -> list[Record]:
        """Handle the end of the session; return the records of the packets that were not passed on."""
        self.interception.forget(self)
        lost = [waiting for line in self._lines.values() for waiting in line]
        for line in self._lines.values():
            line.clear()
        for waiting in lost:
            self.interception.remove(waiting)
        marks = [Mark(id=waiting.id, state=State.DROPPED) for waiting in lost]
        settled = [self._settled(*each, at) for each in zip(lost, marks, strict=True)]
        return [record._replace(reason=_ENDED) for record in settled]

    def emit(self, direction: Direction, emit: Emit, ask: bool, at: int) -> list[Record]:
        """Send an event of the user's own, with `ask` for an acknowledgement. Raises: UsageError."""
        self._check_namespace(emit.namespace)
        id = next(self._own_ids) if ask else None
        frames, back = self._encoded(direction, emit.packet(id))
        if id is not None:
            self._calls[_OPPOSITE[direction], emit.namespace, id] = _Call(back.event or "", at)
            if len(self._calls) > _MAX_CALLS:
                self._calls.popitem(last=False)
        return self._send(direction, frames, back, at)

    def reply(self, direction: Direction, answer: Acknowledge, at: int) -> list[Record]:
        """Acknowledge an event in place of its receiver, and drop the acknowledgement of that one later.

        `direction` is that of the acknowledgement. Raises: UsageError.
        """
        key = (direction, answer.namespace, answer.id)
        event = self.link.observer.unanswered(_OPPOSITE[direction], answer.namespace, answer.id)
        if event is None or key in self._replied:
            raise UsageError(f"no event with the id {answer.id} waits for its acknowledgement")
        frames, back = self._encoded(direction, answer.packet())
        self._replied.add(key)
        return self._send(direction, frames, back._replace(event=event, message=None), at)

    def _send(self, direction: Direction, frames: list[Frame], record: Record, at: int) -> list[Record]:
        self.ports[direction].put(frames)
        sessions = self.interception.sessions
        record = sessions.again(record._replace(sid=self.link.sid, direction=direction), at)
        return [marked(record, Mark(state=State.SENT))]

    def _check_namespace(self, namespace: str) -> None:
        if namespace not in self.link.observer.namespaces:
            raise UsageError(f"the client is not connected to {namespace!r:.60}: nothing was sent")

    def _encoded(self, direction: Direction, packet: Packet) -> tuple[list[Frame], Record]:
        """Return a packet's frames and its record. Raises: UsageError if the other side would refuse it."""
        try:
            frames = packet_frames(packet, self.dialect)
            back = read_back(frames, direction)
        except ValueError as error:
            raise UsageError(str(error)) from None
        handshake = self.link.observer.handshake
        limit = handshake.max_payload if handshake is not None and direction is OUT else None
        size = max(engineio.byte_count([frame]) for frame in frames)
        if limit is not None and size > limit:
            raise UsageError(f"{size} bytes are more than the server accepts: its maxPayload is {limit}")
        return frames, back

    def _settled(self, waiting: Waiting, mark: Mark, at: int) -> Record:
        return marked(self.interception.sessions.again(waiting.record, at), mark)
