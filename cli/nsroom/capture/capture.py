"""The Records of a capture: packets to TCP connections, connections to dialogues. Pure; memory is bounded.

Connections are kept until they are idle for long, or too many: after its end one is kept to recognise
packets that come late. What waits for missing bytes is given up when it takes too much memory.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator

from nsroom.capture import packets
from nsroom.capture.dialogue import Dialogue
from nsroom.capture.files import CaptureError, Packet, Reader
from nsroom.capture.packets import ACK, SYN, Segment, Unread
from nsroom.capture.tcp import Connection, Data, End, Event, Hole
from nsroom.errors import DataError
from nsroom.proxy.notices import Notices
from nsroom.proxy.sessions import Sessions
from nsroom.record import Record

MAX_CONNECTIONS = 4096
MAX_WAITING = 2**26
"""Bytes of all connections that wait for missing ones."""
MAX_HELD = 2**27
"""Bytes of incomplete messages, and of the state of sessions."""
_STEP = 2**20
"""Bytes of packets between two looks at how much is held."""
MAX_IDLE = 3_600_000_000
"""Microseconds after which a connection is forgotten; heartbeats come every 25 s."""
_PAUSE = 50_000
"""Microseconds between two searches for what is overdue."""


class _Known:
    """A connection with its dialogue."""

    def __init__(self, key: bytes, dialogue: Dialogue, time: int) -> None:
        self.key = key
        self.tcp = Connection()
        self.dialogue = dialogue
        self.time = time

    def is_reused(self, side: int, segment: Segment) -> bool:
        """Return whether a segment starts another connection; without a SYN an ignored one goes on."""
        return bool(segment.flags & SYN or not self.dialogue.is_ignored) and self.tcp.is_reused(side, segment)


class Capture:
    """Reads one capture."""

    def __init__(self, say: Callable[[str], None], raw: bool = False) -> None:
        """`say` prints a line for the user; with `raw`, records have their frames."""
        self._say = say
        self._reader = Reader()
        self._sessions = Sessions(Notices("", lambda _: None), raw)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._waiting: dict[bytes, _Known] = {}
        self._waiting_size = 0
        self._unread: Counter[Unread] = Counter()
        self._cut = 0
        """Packets of which the end was not captured."""
        self._damage: CaptureError | None = None
        self._encrypted = False
        self._packets = self._records = 0
        self._now = self._searched = self._weighed = 0

    def feed(self, data: bytes) -> Iterator[Record]:
        """Yield the records of the packets in the next bytes of the file."""
        try:
            for packet in self._reader.feed(data):
                self._packets += 1
                for record in self._packet(packet):
                    self._records += 1
                    yield record
        except CaptureError as error:
            self._damage = error

    @property
    def is_damaged(self) -> bool:
        """Whether the rest of the file cannot be read."""
        return self._damage is not None

    def end(self) -> Iterator[Record]:
        """Yield the records of what still waits, at the end of the file.

        Raises: CaptureError if it is damaged or cut off, DataError if it has no Engine.IO traffic.
        """
        for known in list(self._known.values()):
            for record in self._forget(known):
                self._records += 1
                yield record
        self._report_unread()
        if self._damage is not None:
            raise self._damage
        self._reader.end()
        if not self._records:
            raise DataError(self._nothing())

    def _packet(self, packet: Packet) -> Iterator[Record]:
        self._now = packet.time
        segment = packets.parse(packet)
        if isinstance(segment, Segment):
            self._cut += bool(segment.missing)
            yield from self._segment(segment)
        elif segment is not None:
            self._unread[segment] += 1
        self._weighed += len(packet.data)
        if self._weighed > _STEP:
            self._weighed = 0
            yield from self._release()
        if self._waiting_size > MAX_WAITING or not _PAUSE > self._now - self._searched >= 0:
            self._searched = self._now
            yield from self._search()

    def _segment(self, segment: Segment) -> Iterator[Record]:
        one, other = segment.source, segment.destination
        side = int(one > other)
        key = other + one if side else one + other
        known = self._known.get(key)
        if known is not None and known.is_reused(side, segment):
            yield from self._forget(known)
            known = None
        if known is None:
            if not segment.data and not segment.flags & SYN:
                return
            known = self._add(key, side, segment)
            if len(self._known) > MAX_CONNECTIONS:
                yield from self._forget(next(iter(self._known.values())))
        known.time = self._now
        self._known.move_to_end(key)
        if known.dialogue.is_ignored and not segment.flags & SYN:
            return
        events = known.tcp.add(side, segment, self._now)
        if events:  # nearly every second packet has none
            yield from self._events(known, events)

    def _add(self, key: bytes, side: int, segment: Segment) -> _Known:
        """Add a connection: the client is the side that starts it, if that was captured."""
        client = None
        if segment.flags & SYN:
            client = 1 - side if segment.flags & ACK else side
        ends = (segment.source, segment.destination) if not side else (segment.destination, segment.source)
        names = packets.name(ends[0]), packets.name(ends[1])
        known = self._known[key] = _Known(
            key, Dialogue(self._sessions, names, client, self._report_encrypted), self._now
        )
        return known

    def _events(self, known: _Known, events: Iterable[Event]) -> Iterator[Record]:
        """Yield the records of events, and keep account of what waits."""
        before = known.tcp.size
        dialogue = known.dialogue
        for event in events:
            if isinstance(event, Data):
                yield from dialogue.feed(event.side, event.data, event.time)
            elif isinstance(event, Hole):
                yield from dialogue.lose(event.side, event.size, event.time)
            elif isinstance(event, End):
                yield from dialogue.end(event.side, event.time)
                if known.tcp.is_closed:
                    yield from dialogue.close(event.time)
            else:
                yield from dialogue.reset(event.side, event.time)
        self._account(known, before)

    def _account(self, known: _Known, before: int) -> None:
        self._waiting_size += known.tcp.size - before
        if known.tcp.size:
            self._waiting[known.key] = known
        else:
            self._waiting.pop(known.key, None)

    def _search(self) -> Iterator[Record]:
        """Stop waiting for what is overdue or takes too much memory, and forget idle connections."""
        for known in list(self._waiting.values()):
            limit = None if self._waiting_size > MAX_WAITING else self._now
            yield from self._events(known, known.tcp.give_up(limit))
        while self._known:
            known = next(iter(self._known.values()))
            if self._now - known.time <= MAX_IDLE:
                break
            yield from self._forget(known)

    def _release(self) -> Iterator[Record]:
        """Discard what is incomplete, from the largest on, if it takes too much memory."""
        sizes = {key: known.dialogue.held for key, known in self._known.items()}
        total = sum(sizes.values())
        if total + self._sessions.held <= MAX_HELD:
            return
        self._sessions.release()
        for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if total <= MAX_HELD // 2:
                break
            total -= sizes[key]
            yield from self._known[key].dialogue.release(self._now)

    def _forget(self, known: _Known) -> Iterator[Record]:
        """Yield the records of what still waits, and forget the connection."""
        yield from self._events(known, known.tcp.give_up())
        yield from known.dialogue.finish(self._now)
        self._known.pop(known.key, None)

    def _report_encrypted(self, text: str) -> None:
        if not self._encrypted:
            self._encrypted = True
            self._say(text)

    def _report_unread(self) -> None:
        for reason, count in self._unread.items():
            self._say(f"not read: {reason} ({count:,})")
        if self._cut:
            self._say(f"{self._cut:,} packets were cut off when they were captured: use tcpdump without -s")

    def _nothing(self) -> str:
        return (
            f"no Engine.IO traffic in this capture ({self._packets:,} packets): "
            "is it of the server's port, and of connections that are not encrypted?"
        )
