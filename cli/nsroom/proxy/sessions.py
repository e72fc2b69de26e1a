"""The relayed Engine.IO sessions by sid, across connections."""

from collections import OrderedDict
from itertools import count

from nsroom.protocol.engineio import Handshake
from nsroom.protocol.limits import Limits
from nsroom.protocol.session import Observer
from nsroom.protocol.websocket import MAX_MESSAGE, Message
from nsroom.proxy.heartbeats import Heartbeats, Send
from nsroom.proxy.notices import Notices
from nsroom.record import Direction, Json, Kind, Record

MAX_SESSIONS = 10_000
"""The least recently used are forgotten: a client that stops polling is not noticed otherwise."""
LIMITS = Limits(frame=MAX_MESSAGE, packet=MAX_MESSAGE, packets=100_000)
"""What passes is only looked at, for many clients at once."""
_EVENT, _ACK = Kind.EVENT, Kind.ACK


class Sessions:
    """All sessions, with one sequence of records for all of them."""

    def __init__(self, notices: Notices, raw: bool = False, heartbeats: Heartbeats | None = None) -> None:
        self.notices = notices
        self.heartbeats = heartbeats
        """Those of held sessions, or None if sessions are not held."""
        self._raw = raw
        self._sequence = count(1)
        self._known: OrderedDict[str, Observer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def held(self) -> int:
        """Roughly the bytes that all sessions take."""
        return sum(session.held for session in self._known.values())

    def release(self) -> None:
        """Forget all sessions, because they take too much memory; open WebSockets keep theirs."""
        self._known.clear()

    def find(self, sid: str | None, is_old: bool = False) -> Observer:
        """Return the session with this sid, or a new one if the sid is unknown or not assigned yet."""
        session = self._known.get(sid) if sid else None
        if session is None:
            session = Observer(self._sequence, self._raw, LIMITS, is_old=is_old)
        if sid:
            self.keep(sid, session)
        return session

    def keep(self, sid: str, session: Observer) -> None:
        """Store the session under its sid."""
        self._known[sid] = session
        self._known.move_to_end(sid)
        if len(self._known) > MAX_SESSIONS:
            self._known.popitem(last=False)

    def forget(self, sid: str | None) -> None:
        """Forget a session that has ended."""
        if sid:
            self._known.pop(sid, None)

    def note(self, kind: Kind, at: int, sid: str | None = None, **fields: Json) -> Record:
        """Return a Record that was not made from a packet."""
        return Record(at, next(self._sequence), Direction.LOCAL, kind, sid=sid, **fields)

    def again(self, record: Record, at: int) -> Record:
        """Return a record of a packet that was seen before, as the newest one."""
        return record._replace(time=at, seq=next(self._sequence))


class Link:
    """One request, or one WebSocket, of a session."""

    def __init__(self, sessions: Sessions, sid: str | None, is_old: bool, path: str, transport: str) -> None:
        self.sid = sid
        self.is_old = is_old
        """Whether the client speaks Engine.IO 3."""
        self.request = b""
        """The head of the polling request, as the server received it."""
        self._is_post = False
        self.send: Send | None = None
        """Sends a message through the WebSocket; None if this is a request."""
        self._path = path
        self._transport = transport
        self._sessions = sessions
        self._session = sessions.find(sid, is_old)
        self._is_transport = sid is None
        """Whether the session ends with this connection: it started here, or was upgraded to it."""
        self._session.sid = sid

    def feed(self, direction: Direction, frame: str | bytes, at: int) -> list[Record]:
        """Return the records of one frame."""
        record = self._session.feed(direction, frame, at)
        if self.sid is None:
            self._opened(self._session.handshake, at)
        if record is None:
            return []
        return [record if record.kind is _EVENT or record.kind is _ACK else self._named(record)]

    def _opened(self, handshake: Handshake | None, at: int) -> None:
        """Store the session under its sid, once the handshake has assigned one."""
        if handshake is not None:
            self.sid = self._session.sid = handshake.sid
            self._sessions.keep(self.sid, self._session)
            if self._sessions.heartbeats is not None:
                self._sessions.heartbeats.open(handshake, self.is_old, at, self.request, self.send)

    def ask(self, head: bytes, is_post: bool, at: int) -> None:
        """Handle the head of a polling request, as the server receives it."""
        self.request, self._is_post = head, is_post
        if self._sessions.heartbeats is not None:
            self._sessions.heartbeats.request(self.sid, head, is_post, at)

    def answer(self) -> None:
        """Handle the end of the response."""
        if self._is_post and self._sessions.heartbeats is not None:
            self._sessions.heartbeats.response(self.sid)

    @property
    def observer(self) -> Observer:
        """What the packets of the session have shown."""
        return self._session

    def is_incomplete(self, direction: Direction) -> bool:
        """Return whether a packet in this direction waits for attachments."""
        return self._session.is_incomplete(direction)

    def control(self, direction: Direction, message: Message, at: int) -> None:
        """Handle a control frame."""
        if self._sessions.heartbeats is not None:
            self._sessions.heartbeats.control(self.sid, direction, message, at)

    def discard_incomplete(self, direction: Direction) -> None:
        """Forget the packet in this direction that waits for attachments, because frames are missing."""
        self._session.discard_incomplete(direction)

    @property
    def held(self) -> int:
        """Roughly the bytes that the session takes."""
        return self._session.held

    def release(self) -> None:
        """Forget the session's state, because it takes too much memory."""
        self._session.release()

    def set_old(self) -> None:
        """Read the session as Engine.IO 3 from now on."""
        self.is_old = self._session.is_old = True

    def report_refusal(self, why: str, origin: str) -> None:
        """Report that the server refused the handshake."""
        self._sessions.notices.report_refusal(why, origin)

    def close(self) -> None:
        """Handle the end of the WebSocket, and of the session if this was its transport."""
        if self._is_transport:
            self._sessions.forget(self.sid)

    def note(self, kind: Kind, at: int, **fields: Json) -> Record:
        """Return a Record of this session that was not made from a packet."""
        if kind is Kind.CLOSE and self._sessions.heartbeats is not None:
            self._sessions.heartbeats.forget(self.sid, self.send)
        return self._sessions.note(kind, at, self.sid, **fields)

    def _named(self, record: Record) -> Record:
        """Return the record with the Engine.IO sid; the sid that CONNECT assigns is kept in the data."""
        if record.kind is Kind.OPEN:
            record = record._replace(data={"transport": self._transport, **(record.data or {})})
        elif record.kind is Kind.UPGRADE:
            self._is_transport = True
        elif record.kind is Kind.CLOSE:
            self._sessions.forget(self.sid)
        elif record.kind is Kind.CONNECT:
            self._report_session(record)
            if record.sid is not None:
                record = record._replace(data={"sid": record.sid, **(record.data or {})})
        record = record._replace(sid=self.sid)
        if self._sessions.heartbeats is not None:
            self._sessions.heartbeats.see(record, self.send)
        return record

    def _report_session(self, connect: Record) -> None:
        keys = connect.data or () if connect.direction is Direction.OUT else ()
        self._sessions.notices.report_session(self._path, connect.namespace or "/", keys, self.is_old)
