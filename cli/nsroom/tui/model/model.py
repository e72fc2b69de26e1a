"""The model of the live view: one more sink of records. It knows nothing of the screen."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from nsroom.filters import Filter, parse
from nsroom.output.summary import label
from nsroom.record import Json, Kind, Record
from nsroom.tui.model.ack_pairs import Pairs
from nsroom.tui.model.chat import Chats
from nsroom.tui.model.clients import Clients
from nsroom.tui.model.namespaces import Spaces
from nsroom.tui.model.ring import CAPACITY, Ring

# For every event of a flood: Python 3.11 looks a member of an enumeration up, or hashes it, in 0.2 µs.
_EVENT = Kind.EVENT
_ANSWERS = frozenset([Kind.ACK, Kind.CLOSE])
_HEARTBEATS = frozenset([Kind.PING, Kind.PONG])


class Model:
    """The records seen, those shown of them, and where the reader is. A record is named by its index."""

    def __init__(self, where: Filter | None = None, capacity: int = CAPACITY, relayed: bool = False) -> None:
        self.ring = Ring(capacity)
        self.rows: list[int] = []
        """The indexes of the records that the filter shows."""
        self.where = where
        self.cursor: int | None = None
        """The index of the selected record."""
        self.following = True
        self.paused = False
        self.heartbeats = False
        """Whether heartbeats are shown where no filter speaks of kinds."""
        self.new = 0
        """Rows that came while the reader was elsewhere."""
        self.marks: set[int] = set()
        self.pattern = ""
        self.spaces = Spaces(relayed)
        self.clients = Clients() if relayed else None
        """Those whose traffic this is, unless it is our own."""
        self.chats = Chats()
        self.pairs = Pairs()
        self._top = 0
        self._seen = 0
        self._from = 0

    async def write(self, records: Sequence[Record]) -> None:
        """Take records."""
        for record in records:
            self.add(record, record.bytes or 0)
        self.trim()

    async def close(self) -> None:
        """Keep everything: the reader may still be here."""

    def __getitem__(self, index: int) -> Record:
        return self.ring[index]

    @property
    def records(self) -> list[Record]:
        """All records that are kept."""
        return self.ring.records

    def add(self, record: Record, size: int) -> None:
        """Take one record that came of `size` bytes; `trim` is to follow, now and then."""
        index = self.ring.add(record, size)
        self.spaces.learn(record, index)
        if self.clients is None:
            self.chats.learn(record)
        else:
            self.clients.learn(record)
        if record.kind is _EVENT or record.kind in _ANSWERS:
            self.pairs.learn(record, index)
        if not self.paused:
            self._show(record, index)

    def trim(self) -> None:
        """Let old records go where there are too many."""
        if not self.ring.over:
            return
        self.ring.drop()
        first = self.ring.first
        del self.rows[: bisect_left(self.rows, first)]
        self.pairs.drop(first)
        self.marks = {index for index in self.marks if index >= first}
        if self.cursor is not None and self.cursor < first:
            self.cursor = self.rows[0] if self.rows else None

    def _show(self, record: Record, index: int) -> None:
        self._seen = index + 1
        if self._is_wanted(record):
            self.rows.append(index)
            if not self.following:
                self.new += 1

    def _is_wanted(self, record: Record) -> bool:
        if record.kind is not _EVENT and record.kind in _HEARTBEATS and self._hides_heartbeats():
            return False
        return self.where is None or self.where.test(record)

    def _hides_heartbeats(self) -> bool:
        return not self.heartbeats and not (self.where and "kind" in self.where.fields)

    def answer(self, index: int) -> Record | None:
        """Give the acknowledgement of an emit."""
        other = self.pairs.others.get(index)
        return self[other] if other is not None and other > index and other in self.ring else None

    def is_waiting(self, index: int) -> bool:
        """Tell whether an event wants an acknowledgement that has not come."""
        record = self[index]
        return record.kind is Kind.EVENT and record.id is not None and index not in self.pairs.others

    def last_arguments(self, namespace: str, event: str) -> list[Json]:
        """Give the arguments that the event last had, if they are still kept."""
        index = self.spaces[namespace].events.get(event, -1)
        return self[index].args or [] if index in self.ring else []

    def visible(self, height: int) -> list[int]:
        """Give the rows that a window of this height shows, the selected one among them."""
        end = len(self.rows)
        if self.following:
            start = max(end - height, 0)
        else:
            start = min(bisect_left(self.rows, self._top), max(end - height, 0))
            if self.cursor is not None:
                at = self._position()
                start = min(max(start, at - height + 1), at)
        self._top = self.rows[start] if self.rows else 0
        return self.rows[start : start + height]

    def follow(self) -> None:
        """Go to the end, and stay there."""
        self.following, self.cursor, self.new = True, None, 0

    def move(self, steps: int) -> None:
        """Select the row so many steps further; beyond the last one lies following."""
        if not self.rows or (self.cursor is None and steps > 0 and self.following):
            return
        if self.cursor is not None:
            at = self._position()
        elif self.following:
            at = len(self.rows)
        else:  # scrolled: begin at what is on top
            at = bisect_left(self.rows, self._top)
        if at + steps >= len(self.rows):
            self.follow()
        else:
            self.select(self.rows[max(at + steps, 0)])

    def home(self) -> None:
        """Select the oldest row."""
        if self.rows:
            self.select(self.rows[0])

    def scroll(self, steps: int, height: int) -> None:
        """Move the window by rows without selecting."""
        top = self.rows[max(len(self.rows) - height, 0)] if self.following and self.rows else self._top
        start = max(bisect_left(self.rows, top) + steps, 0)
        if start >= len(self.rows) - height:
            self.follow()
        else:
            self.following, self.cursor, self._top = False, None, self.rows[start]

    def select(self, index: int) -> None:
        """Select a record; following pauses."""
        self.cursor, self.following = index, False

    def selected(self) -> Record | None:
        """Give the selected record."""
        return self[self.cursor] if self.cursor is not None and self.cursor in self.ring else None

    def _position(self) -> int:
        return min(bisect_left(self.rows, self.cursor or 0), max(len(self.rows) - 1, 0))

    def filter(self, text: str) -> None:
        """Show what matches the expression, of what is here and of what comes; an empty one shows all.

        Raises: UsageError.
        """
        self.where = parse(text) if text.strip() else None
        if self.where is None:
            self._from = 0
        self.refilter()

    def only_client(self, sid: str) -> None:
        """Show only this client's records, or those of all again."""
        text = f"sid={json.dumps(sid)}"
        self.filter("" if self.where and self.where.text == text else text)

    def refilter(self) -> None:
        """Choose anew what is shown."""
        first = max(self.ring.first, self._from)
        records = self.records[first - self.ring.first : max(self._seen - self.ring.first, 0)]
        where = self.where.test if self.where else lambda _: True
        beats = _HEARTBEATS if self._hides_heartbeats() else ()
        self.rows = [
            index
            for index, record in enumerate(records, first)
            if where(record) and (record.kind not in beats)
        ]
        if self.cursor is not None and self.rows:
            self.cursor = self.rows[self._position()]
        elif not self.rows:
            self.follow()
        self.new = 0

    def pause(self) -> None:
        """Hold what is shown, or go on with all that came meanwhile."""
        self.paused = not self.paused
        if not self.paused:
            for index in range(max(self._seen, self.ring.first), self.ring.end):
                self._show(self[index], index)

    @property
    def held(self) -> int:
        """Count what came during a pause."""
        return self.ring.end - max(self._seen, self.ring.first)

    def clear(self) -> None:
        """Hide what came so far; taking the filter off shows it again."""
        self._from = max(self._seen, self.ring.first)
        self.rows.clear()
        self.follow()

    def mark(self) -> None:
        """Mark the selected record, or take its mark away."""
        if self.cursor is not None:
            self.marks ^= {self.cursor}

    def next_mark(self, forward: bool = True) -> bool:
        """Select the next marked record that is shown; tell whether there is one."""
        here = self.cursor if self.cursor is not None else self.ring.end
        marks = [index for index in sorted(self.marks) if self._is_shown(index)]
        marks = marks[bisect_right(marks, here) :] if forward else marks[: bisect_left(marks, here)][::-1]
        if marks:
            self.select(marks[0])
        return bool(marks)

    def _is_shown(self, index: int) -> bool:
        at = bisect_left(self.rows, index)
        return at < len(self.rows) and self.rows[at] == index

    def jump(self) -> str:
        """Go from an emit to its acknowledgement, or back; say why not, if not."""
        other = self.pairs.others.get(self.cursor) if self.cursor is not None else None
        if other is None or other not in self.ring:
            return "this row has no acknowledgement, and is none"
        if not self._is_shown(other):
            return "what belongs to this row is hidden by the filter: x shows everything"
        self.select(other)
        return ""

    def search(self, pattern: str, forward: bool = False) -> bool:
        """Select the next row that holds the text, in any case; backwards from here unless told otherwise."""
        self.pattern = pattern
        wanted = pattern.lower()
        at = self._position() if self.cursor is not None else len(self.rows)
        others: Iterable[int] = range(at + 1, len(self.rows)) if forward else range(at - 1, -1, -1)
        for position in others:
            if any(wanted in text.lower() for text in texts(self[self.rows[position]])):
                self.select(self.rows[position])
                return True
        return False


def texts(record: Record) -> tuple[str, ...]:
    """Give the texts in which a search looks: the names and what the record carries."""
    frame = record.frames[0] if record.frames else None
    # What was on the wire is much quicker to search than what came of it, and an event's is all there is.
    quick = isinstance(frame, str) and "\\u" not in frame
    if quick and record.kind is _EVENT:
        return (str(frame),)
    told = (record.namespace, record.reason, record.message, record.sid)
    carried = (frame,) if quick else (record.args, record.data)
    return (label(record), *(str(value) for value in (*told, *carried) if value is not None))
