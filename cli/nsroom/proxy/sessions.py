"""The Engine.IO sessions that pass by, each under its sid, whatever connections they use."""

from collections import OrderedDict
from itertools import count

from nsroom.protocol.engineio import Handshake
from nsroom.protocol.session import Session
from nsroom.record import Direction, Json, Kind, Record

MAX_SESSIONS = 10_000
"""Those that were silent the longest are forgotten; a long poll tells nobody when its client is gone."""
_EVENT, _ACK = Kind.EVENT, Kind.ACK


class Sessions:
    """All sessions, and one sequence of records for them."""

    def __init__(self, raw: bool = False) -> None:
        self._raw = raw
        self._sequence = count(1)
        self._known: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, sid: str | None, is_old: bool = False) -> Session:
        """Give the session of this name; a new one where it has none yet, or is not known."""
        session = self._known.get(sid) if sid else None
        if session is None:
            session = Session(self._sequence, self._raw, is_old=is_old)
        if sid:
            self.keep(sid, session)
        return session

    def keep(self, sid: str, session: Session) -> None:
        """Remember the session under its name."""
        self._known[sid] = session
        self._known.move_to_end(sid)
        if len(self._known) > MAX_SESSIONS:
            self._known.popitem(last=False)

    def forget(self, sid: str | None) -> None:
        """Let a session go that is over."""
        if sid:
            self._known.pop(sid, None)

    def note(self, kind: Kind, at: int, sid: str | None = None, **fields: Json) -> Record:
        """Make a Record of what no packet says."""
        return Record(at, next(self._sequence), Direction.LOCAL, kind, sid=sid, **fields)


class Link:
    """What one request, or one WebSocket, carries of a session."""

    def __init__(self, sessions: Sessions, sid: str | None, is_old: bool) -> None:
        self.sid = sid
        self.is_old = is_old
        """Whether it speaks Engine.IO 3."""
        self._sessions = sessions
        self._session = sessions.find(sid, is_old)
        self._is_home = sid is None
        self._session.sid = sid

    def feed(self, direction: Direction, frame: str | bytes, at: int) -> list[Record]:
        """Observe one frame."""
        record = self._session.feed(direction, frame, at)
        if self.sid is None:
            self._opened(self._session.handshake)
        if record is None:
            return []
        return [record if record.kind is _EVENT or record.kind is _ACK else self._named(record)]

    def _opened(self, handshake: Handshake | None) -> None:
        """Give the session its name, once that is known."""
        if handshake is not None:
            self.sid = self._session.sid = handshake.sid
            self._sessions.keep(self.sid, self._session)

    def is_incomplete(self, direction: Direction) -> bool:
        """Tell whether attachments of a packet are still to come."""
        return self._session.is_incomplete(direction)

    def close(self) -> None:
        """Take note of the end of the WebSocket, and with it of the session that lived there."""
        if self._is_home:
            self._sessions.forget(self.sid)

    def note(self, kind: Kind, at: int, **fields: Json) -> Record:
        """Make a Record of what no packet says."""
        return self._sessions.note(kind, at, self.sid, **fields)

    def _named(self, record: Record) -> Record:
        """Put the Engine.IO sid in; that of the namespace, which CONNECT gives, stays in the data."""
        if record.kind is Kind.UPGRADE:
            self._is_home = True
        elif record.kind is Kind.CLOSE:
            self._sessions.forget(self.sid)
        elif record.kind is Kind.CONNECT and record.sid is not None:
            record = record._replace(data={"sid": record.sid, **(record.data or {})})
        return record._replace(sid=self.sid)
