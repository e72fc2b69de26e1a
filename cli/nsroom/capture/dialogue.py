"""The Records of one TCP connection, of which bytes may be missing. Pure.

HTTP and WebSocket are read by the proxy's Conversation. Each direction is either synchronised, and passes its
data on to it, or waits for data that starts a message. Synchronised are: a connection seen from its start;
and a direction of a WebSocket after a hole within one frame, since the frame's size says where the next one
starts. Otherwise a segment must start with a request, with the response to one, or with WebSocket frames
that carry Engine.IO. That is a guess, but a good one: most messages are sent in a segment of their own.

A hole in HTTP ends the conversation, as requests and responses have lost each other, and starts another.
After a hole, what cannot be read is counted instead of reported as malformed, until something can be read.
What is missing becomes a GAP record once it is known that the connection belongs to Engine.IO.
"""

from collections.abc import Callable
from dataclasses import dataclass

from nsroom.capture import resuming
from nsroom.capture.addresses import UNCHANGED
from nsroom.proxy.messages import SENDER, Socket
from nsroom.proxy.sessions import Link, Sessions
from nsroom.proxy.traffic import Conversation
from nsroom.record import Direction, Json, Kind, Record

IN, OUT = Direction.IN, Direction.OUT
_MAX_HELD = 2**18
"""Bytes of a client that did not wait for the answer to its upgrade request."""


@dataclass(slots=True)
class _Way:
    """What is known about the position in the data of one direction."""

    is_synchronised: bool
    is_doubtful: bool = False
    """Whether nothing was read since the last hole."""
    is_frame_start: bool = False
    """Whether the next data is known to start a frame."""
    rest: int = 0
    """Bytes of an incomplete frame that are still to come."""
    missing: int = 0
    """Bytes that were not captured, and not reported yet."""
    unread: int = 0
    """Captured bytes that could not be read, and were not reported yet."""


class Dialogue:
    """One connection between two endpoints, numbered 0 and 1."""

    def __init__(
        self, sessions: Sessions, names: tuple[str, str], client: int | None, say: Callable[[str], None]
    ) -> None:
        """`client` is the client's number, or None if the capture starts within the connection."""
        self.is_ignored = False
        """Whether this is not Engine.IO: nothing will be read any more."""
        self._sessions = sessions
        self._names = names
        self._client = client
        self._say = say
        self._is_joined = client is None
        self._conversation = Conversation(sessions, UNCHANGED)
        self._link: Link | None = None
        self._ways = {way: _Way(client is not None) for way in (IN, OUT)}
        self._held = b""
        self._first_end: tuple[Direction, str] | None = None

    def feed(self, side: int, data: bytes, at: int) -> list[Record]:
        """Return the records of the data of one TCP segment."""
        if self.is_ignored:
            return []
        if self._client is None:
            self._client = _client(side, data)
        if self._client is None:
            if resuming.is_tls(data):
                self._ignore(data)
            return []
        direction = self._direction(side)
        way = self._ways[direction]
        if way.rest:
            data = _rest(way, data)
        if not data:
            return []
        if not way.is_synchronised and not self._resume(direction, way, data):
            way.unread += len(data)
            return []
        return self._read(direction, data, at)

    def lose(self, side: int, count: int, at: int) -> list[Record]:
        """Return the record of bytes that are missing."""
        if self.is_ignored or self._client is None:
            return []
        direction = self._direction(side)
        way = self._ways[direction]
        way.missing += count
        way.is_doubtful = True
        held, self._held = self._held, b""
        if self._conversation.socket is not None:
            self._lose_frames(self._conversation.socket, direction, way, count)
        else:
            self._conversation = Conversation(self._sessions, UNCHANGED)
            for each in self._ways.values():
                each.is_synchronised = False
        records = [] if self._link is None else self._gaps(self._link, direction, at)
        return records + (self.feed(self._client, held, at) if held else [])

    @property
    def held(self) -> int:
        """Roughly the bytes that wait for more."""
        return self._conversation.held + len(self._held)

    def release(self, at: int) -> list[Record]:
        """Discard what waits for more, because it takes too much memory; return the record of that."""
        size, self._held = self.held, b""
        socket = self._conversation.socket
        for way, each in self._ways.items():
            each.is_synchronised = each.is_frame_start = False
            each.is_doubtful, each.rest = True, 0
            if socket is not None:
                socket.restart(way)
        if socket is None:
            self._conversation = Conversation(self._sessions, UNCHANGED)
        if self._link is None:
            return []
        self._link.release()
        message = f"{_counted(size)} of incomplete messages were discarded, as they take too much memory"
        return [self._link.note(Kind.GAP, at, reason="discarded", message=message, data={"bytes": size})]

    def end(self, side: int, at: int) -> list[Record]:
        """Return the records that a side completes by closing the connection."""
        if self.is_ignored or self._client is None:
            return []
        direction = self._direction(side)
        self._first_end = self._first_end or (direction, "closed the connection")
        if not self._ways[direction].is_synchronised:
            return []
        return self._conversation.end(direction, at).records

    def close(self, at: int) -> list[Record]:
        """Return the records of a connection that both sides have closed."""
        records = self.finish(at)
        if self._first_end is None:
            return records
        closing = self._conversation.close(*self._first_end, at)
        if any(way.is_doubtful or not way.is_synchronised for way in self._ways.values()):
            # What is missing may be the close frame, or a response.
            first, how = self._first_end
            closing = [record._replace(reason=f"the {SENDER[first]} {how}") for record in closing]
        return records + closing

    def reset(self, side: int, at: int) -> list[Record]:
        """Return the records of a connection that a side has reset."""
        if self._client is not None and self._first_end is None:
            self._first_end = (self._direction(side), "reset the connection")
        return self.close(at)

    def finish(self, at: int) -> list[Record]:
        """Return the records of what could not be read, as nothing follows."""
        if self._link is None or self.is_ignored:
            return []
        return [record for way in (OUT, IN) for record in self._gaps(self._link, way, at, is_end=True)]

    def _direction(self, side: int) -> Direction:
        return OUT if side == self._client else IN

    def _ignore(self, data: bytes) -> None:
        self.is_ignored = True
        self._conversation, self._held = Conversation(self._sessions, UNCHANGED), b""
        if resuming.is_tls(data):
            self._say(
                f"the connection of {self._names[0]} and {self._names[1]} is encrypted (TLS), so it cannot "
                "be read: use nsroom proxy, or capture where TLS has ended, such as behind a reverse proxy"
            )

    def _resume(self, direction: Direction, way: _Way, data: bytes) -> bool:
        """Return whether reading can start with this data, after preparing for it."""
        conversation = self._conversation
        if direction is OUT and conversation.is_switching:
            return False
        if way.is_frame_start:
            way.is_frame_start = False
            way.is_synchronised = resuming.may_follow(data)
        elif conversation.socket is None and direction is OUT and resuming.is_request(data):
            way.is_synchronised = True
        elif conversation.socket is None and direction is IN and resuming.is_response(data):
            way.is_synchronised = not conversation.is_idle
        else:
            deflate = conversation.socket is not None
            way.is_synchronised = resuming.is_websocket(data, direction is OUT, deflate)
            if way.is_synchronised and conversation.socket is None:
                conversation.socket = Socket(self._link or self._unknown_link(), True, None)
        return way.is_synchronised

    def _unknown_link(self) -> Link:
        """Return the link of a session whose handshake was not captured: its sid is the client's address."""
        self._link = Link(self._sessions, self._names[self._client or 0], False, "", "websocket")
        return self._link

    def _read(self, direction: Direction, data: bytes, at: int) -> list[Record]:
        conversation = self._conversation
        if direction is OUT and conversation.is_switching:
            self._hold(self._ways[OUT], data)
            return []
        records = [record for seen in conversation.feed(direction, data, at) for record in seen.records]
        self._held += conversation.take_unread()
        records = self._checked(direction, data, records, at)
        if self._held and not conversation.is_switching:
            held, self._held = self._held, b""
            records += self._read(OUT, held, at)
        return records

    def _hold(self, way: _Way, data: bytes) -> None:
        """Keep the data of a client until it is known how to read it, unless that is too much."""
        self._held += data
        if len(self._held) > _MAX_HELD:
            way.unread += len(self._held)
            way.is_synchronised, way.is_doubtful = False, True
            self._held = b""

    def _checked(self, direction: Direction, data: bytes, records: list[Record], at: int) -> list[Record]:
        """Return the records to show, and find out whether the rest can be read."""
        conversation, way = self._conversation, self._ways[direction]
        socket = conversation.socket
        self._link = (socket and socket.link) or conversation.link or self._link
        if socket is None and conversation.is_transparent(direction):
            if self._link is None:
                self._ignore(data)
                return []
            self._conversation = Conversation(self._sessions, UNCHANGED)
            for each in self._ways.values():
                each.is_synchronised = False
        elif socket is not None and socket.link is None:
            self._ignore(b"")
        elif socket is not None and not socket.is_readable(direction):
            socket.restart(direction)
            way.is_synchronised = False
            way.unread += len(data)
        if self._is_joined and socket is not None and socket.link is not None:
            _detect_old(socket.link, records)
        return self._with_gaps(direction, way, records, at)

    def _with_gaps(self, direction: Direction, way: _Way, records: list[Record], at: int) -> list[Record]:
        """Return records after those of what was not read before; errors after a hole do not count."""
        if way.is_doubtful:
            records = [record for record in records if record.kind is not Kind.PROTOCOL_ERROR]
            way.is_doubtful = not records
        if self._link is None or all(record.kind is Kind.PROTOCOL_ERROR for record in records):
            return records
        gaps = self._gaps(self._link, direction, at)
        if not gaps:
            return records
        numbers = sorted(record.seq for record in gaps + records)
        return [record._replace(seq=seq) for record, seq in zip(gaps + records, numbers, strict=True)]

    def _lose_frames(self, socket: Socket, direction: Direction, way: _Way, count: int) -> None:
        known = way.rest if way.rest else socket.missing(direction) if way.is_synchronised else 0
        way.is_synchronised = False
        way.is_frame_start = count <= known
        way.rest = max(known - count, 0)
        socket.restart(direction)

    def _gaps(self, link: Link, direction: Direction, at: int, is_end: bool = False) -> list[Record]:
        """Return the records of what is missing in a direction, and of what could not be read."""
        way, sender = self._ways[direction], SENDER[direction]
        gaps: list[tuple[str, str, int]] = []
        if self._is_joined and not is_end and (way.unread or self._conversation.socket is not None):
            self._is_joined = False
            text = "the capture starts within this connection"
            more = f", and the first {_counted(way.unread)} from the {sender} do not start a message"
            gaps.append(("joined", text + (more if way.unread else ""), way.unread))
            way.unread = 0
        if way.missing:
            text = f"{_counted(way.missing)} from the {sender}: not in the capture"
            gaps.append(("missing", text, way.missing))
            way.missing = 0
        elif way.unread:
            text = f"{_counted(way.unread)} from the {sender}: unreadable without what is missing"
            gaps.append(("unreadable", text, way.unread))
            way.unread = 0
        return [
            link.note(Kind.GAP, at, reason=reason, message=text, data=_size(direction, count))
            for reason, text, count in gaps
        ]


def _client(side: int, data: bytes) -> int | None:
    """Return which side is the client, as data of a side shows, or None if it does not."""
    if resuming.is_request(data) or resuming.is_websocket(data, masked=True):
        return side
    if resuming.is_response(data) or resuming.is_websocket(data, masked=False):
        return 1 - side
    return None


def _rest(way: _Way, data: bytes) -> bytes:
    """Return the data after the rest of an incomplete frame."""
    count = min(way.rest, len(data))
    way.rest -= count
    way.unread += count
    return data[count:]


def _detect_old(link: Link, records: list[Record]) -> None:
    """Recognise Engine.IO 3, where the client sends the pings, if the handshake was not captured."""
    asks = {OUT: Kind.PING, IN: Kind.PONG}
    if any(record.kind is asks.get(record.direction) and not record.data for record in records):
        link.set_old()


def _counted(count: int) -> str:
    return "1 byte" if count == 1 else f"{count:,} bytes"


def _size(direction: Direction, count: int) -> dict[str, Json]:
    return {"direction": str(direction), "bytes": count}
