"""The model of the live view: a sink of records that knows nothing about the screen."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from nsroom.client.messages import MessageEvents
from nsroom.filters import Filter, parse
from nsroom.output.summary import label, refused
from nsroom.proxy.marks import is_pending, mark_of
from nsroom.record import Json, Kind, Record
from nsroom.tui.model.ack_pairs import AckPairs
from nsroom.tui.model.chat import Chats
from nsroom.tui.model.clients import Clients
from nsroom.tui.model.groups import Groups
from nsroom.tui.model.namespaces import Namespaces
from nsroom.tui.model.rate_history import RateHistory
from nsroom.tui.model.ring import CAPACITY, Ring

# For every event of a flood: Python 3.11 needs 0.2 µs to look up or hash a member of an enumeration.
_EVENT, _ACK = Kind.EVENT, Kind.ACK
_ENDS_WAITING = frozenset([Kind.ACK, Kind.CLOSE])
_HEARTBEATS = frozenset([Kind.PING, Kind.PONG])


class Model:
    """The records seen, the rows shown, and the reader's position. A record is identified by its index."""

    def __init__(
        self,
        where: Filter | None = None,
        capacity: int = CAPACITY,
        relayed: bool = False,
        message_events: MessageEvents | None = None,
    ) -> None:
        self.ring = Ring(capacity)
        self.rows: list[int] = []
        """The indexes of the records that the filter shows."""
        self.where = where
        self.cursor: int | None = None
        """The index of the selected record."""
        self.following = True
        """Whether new rows scroll the window."""
        self.paused = False
        self.heartbeats = False
        """Whether to show heartbeats unless the filter mentions kinds."""
        self.acknowledgements = False
        """Whether acknowledgements have rows of their own although their event shows them."""
        self.collapsed = False
        """Whether repeats of an event share one row."""
        self.repeats: dict[int, int] = {}
        """For each row of several events, their number."""
        self.new = 0
        """Rows added since the reader stopped following."""
        self.marks: set[int] = set()
        self.pattern = ""
        """The text that was last searched for."""
        self.namespaces = Namespaces(relayed)
        self.clients = Clients() if relayed else None
        """The observed clients, or None if the connection is our own."""
        self.chats = Chats(message_events)
        self.acks = AckPairs()
        self.groups = Groups()
        """The figures of all events since the start."""
        self.rate_history = RateHistory()
        self._matching_groups = Groups() if where is not None else None
        """Those of the events that match the filter, if there is one."""
        self.pending: dict[int, int] = {}
        """The index of each packet that waits in the proxy, by its number there."""
        self._top = 0
        self._shown_until = 0
        self._cleared_before = 0

    async def write(self, records: Sequence[Record]) -> None:
        """Add records."""
        for record in records:
            self.add(record)
        self.trim()

    async def close(self) -> None:
        """Keep everything: the records are still on the screen."""

    def __getitem__(self, index: int) -> Record:
        return self.ring[index]

    @property
    def records(self) -> list[Record]:
        """All records kept."""
        return self.ring.records

    def add(self, record: Record) -> None:
        """Add a record. Callers must call `trim` now and then."""
        mark = mark_of(record) if record.data is not None else None
        waited = self.pending.pop(mark.get("id", 0), -1) if mark is not None else -1
        if waited in self.ring:
            self._settle(record, waited)
            return
        index = self.ring.add(record)
        if mark is not None and is_pending(record):
            self.pending[mark["id"]] = index
        self.namespaces.learn(record, index)
        if self.clients is None:
            self.chats.learn(record)
        else:
            self.clients.learn(record)
        if record.kind is _EVENT:
            self.rate_history.add(record.time // 1_000_000)
        if record.kind is _EVENT or record.kind in _ENDS_WAITING:
            if mark is None or record.kind is _EVENT or not is_pending(record):
                self.acks.learn(record, index)
            self.groups.learn(record, index)
        if not self.paused:
            self._show(record, index)

    def _settle(self, record: Record, index: int) -> None:
        """Replace the record of a packet that waited by that of what became of it."""
        self.ring.replace(index, record)
        if record.kind is _ACK and record.reason is None:
            self.acks.learn(record, index)

    def trim(self) -> list[Record]:
        """Drop the oldest records if there are too many; return them."""
        if not self.ring.is_over_limit:
            return []
        dropped = self.ring.drop_oldest()
        first = self.ring.first
        del self.rows[: bisect_left(self.rows, first)]
        self.acks.drop_before(first)
        self.marks = {index for index in self.marks if index >= first}
        self.repeats = {index: count for index, count in self.repeats.items() if index >= first}
        if self.cursor is not None and self.cursor < first:
            self.cursor = self.rows[0] if self.rows else None
        return dropped

    def _show(self, record: Record, index: int) -> None:
        self._shown_until = index + 1
        if self.where is not None and not self.where.test(record) and index not in self.pending.values():
            return
        if self._matching_groups is not None:
            self._matching_groups.learn(record, index)
        if self._is_hidden(record, index):
            return
        if self.collapsed and self._repeats_last_row(record):
            replaced, self.rows[-1] = self.rows[-1], index
            self.repeats[index] = self.repeats.pop(replaced, 1) + 1
            return
        self.rows.append(index)
        if not self.following:
            self.new += 1

    def _matches(self, record: Record, index: int) -> bool:
        return (self.where is None or self.where.test(record)) and not self._is_hidden(record, index)

    def _is_hidden(self, record: Record, index: int) -> bool:
        """Return whether a record has no row, although the filter matches it."""
        if record.kind is _EVENT:
            return False
        if record.kind in _HEARTBEATS:
            return self._hides_heartbeats()
        return record.kind is _ACK and self._is_folded(record, index)

    def _is_folded(self, ack: Record, index: int) -> bool:
        """Return whether the row of the event shows this acknowledgement."""
        event = self.acks.partners.get(index)
        if self.acknowledgements or event is None or event not in self.ring or refused(ack):
            return False
        return self.where is None or ("kind" not in self.where.fields and self.where.test(self[event]))

    def _repeats_last_row(self, record: Record) -> bool:
        """Return whether the last row is the same event, and nothing of its own is shown there."""
        last = self.rows[-1] if self.rows else None
        if last is None or last == self.cursor or last in self.marks:
            return False
        before = self[last]
        return record.id is None and before.id is None and _same_event(record, before)

    def _hides_heartbeats(self) -> bool:
        return not self.heartbeats and not (self.where and "kind" in self.where.fields)

    def answer(self, index: int) -> Record | None:
        """Return the acknowledgement of an event, or None."""
        partner = self.acks.partners.get(index, -1)
        is_shown = index < partner < self._shown_until and partner in self.ring
        return self[partner] if is_shown else None

    def previous(self, index: int) -> Record | None:
        """Return the event before this one of the same name, direction, namespace and client, or None."""
        event, before = self[index], self.records[: index - self.ring.first]
        if event.kind is not _EVENT:
            return None
        return next((record for record in reversed(before) if _same_event(record, event)), None)

    def is_waiting(self, index: int) -> bool:
        """Return whether an event still waits for its acknowledgement."""
        record = self[index]
        return record.kind is Kind.EVENT and record.id is not None and index not in self.acks.partners

    def last_arguments(self, namespace: str, event: str) -> list[Json]:
        """Return the event's most recent arguments, if that record is still kept."""
        index = self.namespaces[namespace].events.get(event, -1)
        return self[index].args or [] if index in self.ring else []

    def visible(self, height: int) -> list[int]:
        """Return the rows in a window of this height, including the selected one."""
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
        """Go to the end and follow new rows."""
        self.following, self.cursor, self.new = True, None, 0

    def move(self, steps: int) -> None:
        """Move the selection by rows; moving past the last row follows."""
        if not self.rows or (self.cursor is None and steps > 0 and self.following):
            return
        if self.cursor is not None:
            at = self._position()
        elif self.following:
            at = len(self.rows)
        else:  # scrolled: start from the top of the window
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
        """Scroll the window by rows without selecting one."""
        top = self.rows[max(len(self.rows) - height, 0)] if self.following and self.rows else self._top
        start = max(bisect_left(self.rows, top) + steps, 0)
        if start >= len(self.rows) - height:
            self.follow()
        else:
            self.following, self.cursor, self._top = False, None, self.rows[start]

    def select(self, index: int) -> None:
        """Select a record and stop following."""
        self.cursor, self.following = index, False

    def selected(self) -> Record | None:
        """Return the selected record, or None."""
        return self[self.cursor] if self.cursor is not None and self.cursor in self.ring else None

    def _position(self) -> int:
        return min(bisect_left(self.rows, self.cursor or 0), max(len(self.rows) - 1, 0))

    def filter(self, text: str) -> None:
        """Show only the records that match the expression, or all if it is empty.

        Raises: UsageError.
        """
        self.where = parse(text) if text.strip() else None
        if self.where is None:
            self._cleared_before = 0
        self.refilter()

    def only_client(self, sid: str) -> None:
        """Show only this client's records or, if that filter is set already, everything."""
        text = f"sid={json.dumps(sid)}"
        self.filter("" if self.where and self.where.text == text else text)

    def refilter(self) -> None:
        """Apply the filter to all records kept."""
        self.rows, self.repeats = [], {}
        self._matching_groups = Groups() if self.where is not None else None
        for index in range(max(self.ring.first, self._cleared_before), self._shown_until):
            self._show(self[index], index)
        if self.cursor is not None and self.rows:
            self.cursor = self.rows[self._position()]
        elif not self.rows:
            self.follow()
        self.new = 0

    @property
    def shown_groups(self) -> Groups:
        """The figures of the events that match the filter, or of all events without one."""
        return self._matching_groups if self._matching_groups is not None else self.groups

    def show_acknowledgements(self, shown: bool) -> None:
        """Show acknowledgements in rows of their own, or fold them into the rows of their events."""
        self.acknowledgements = shown
        self.refilter()

    def collapse(self) -> None:
        """Collapse repeats of an event into one row, or show each again."""
        self.collapsed = not self.collapsed
        self.refilter()

    def pause(self) -> None:
        """Hold the rows shown, or resume and add the rows held back."""
        self.paused = not self.paused
        if not self.paused:
            for index in range(max(self._shown_until, self.ring.first), self.ring.end):
                self._show(self[index], index)

    @property
    def shown_until(self) -> int:
        """The index of the first record that is held back: by a pause, or because a recording is played."""
        return self._shown_until

    def show_until(self, index: int) -> None:
        """Show the rows of the records before this index, and hold the others back."""
        for each in range(max(self._shown_until, self.ring.first), min(index, self.ring.end)):
            self._show(self[each], each)
        if index < self._shown_until:
            self._shown_until = index
            self.refilter()

    def next_row(self, index: int) -> int:
        """Return the index of the next record that the filter shows, or of the last record."""
        following = range(index, self.ring.end)
        return next((each for each in following if self._matches(self[each], each)), self.ring.end - 1)

    @property
    def held(self) -> int:
        """The number of records held back by a pause."""
        return self.ring.end - max(self._shown_until, self.ring.first)

    def clear(self) -> None:
        """Hide all rows; removing the filter shows them again."""
        self._cleared_before = max(self._shown_until, self.ring.first)
        self.rows.clear()
        self.follow()

    def mark(self) -> None:
        """Mark the selected record, or remove its mark."""
        if self.cursor is not None:
            self.marks ^= {self.cursor}

    def next_mark(self, forward: bool = True) -> bool:
        """Select the next marked row; return whether there was one."""
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
        """Go from an event to its acknowledgement or back; return the reason if that is impossible."""
        partner = self.acks.partners.get(self.cursor) if self.cursor is not None else None
        if partner is None or partner not in self.ring:
            return "this row has no acknowledgement"
        if self._is_folded(self[partner], partner):
            self.show_acknowledgements(True)
        if not self._is_shown(partner):
            return "hidden by the filter; x shows everything"
        self.select(partner)
        return ""

    def search(self, pattern: str, forward: bool = False) -> bool:
        """Select the next row with this text, ignoring case; return whether there was one."""
        self.pattern = pattern
        lowered = pattern.lower()
        at = self._position() if self.cursor is not None else len(self.rows)
        others: Iterable[int] = range(at + 1, len(self.rows)) if forward else range(at - 1, -1, -1)
        for position in others:
            if any(lowered in text.lower() for text in texts(self[self.rows[position]])):
                self.select(self.rows[position])
                return True
        return False


def _same_event(record: Record, other: Record) -> bool:
    """Return whether two events have the same name, direction, namespace and client."""
    return (
        record.kind is _EVENT
        and record.event == other.event
        and record.direction is other.direction
        and record.namespace == other.namespace
        and record.sid == other.sid
    )


def texts(record: Record) -> tuple[str, ...]:
    """Return the texts to search: the names and the content of a record."""
    frame = record.frames[0] if record.frames else None
    # A frame is much quicker to search than parsed arguments, and an event's frame contains everything.
    searchable = isinstance(frame, str) and "\\u" not in frame
    if searchable and record.kind is _EVENT:
        return (str(frame),)
    names = (record.namespace, record.reason, record.message, record.sid)
    content = (frame,) if searchable else (record.args, record.data)
    return (label(record), *(str(value) for value in (*names, *content) if value is not None))
