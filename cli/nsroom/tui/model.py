"""The model of the live view: one more sink of records. It knows nothing of the screen."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from nsroom.filters import Filter, parse
from nsroom.record import Direction, Kind, Record
from nsroom.tui.chat import Chats
from nsroom.tui.spaces import Spaces

CAPACITY = 100_000
MAX_BYTES = 256_000_000
"""Records, and bytes of their frames, that are kept; the oldest go first."""
_STEP = 4096


class Model:
    """The records seen, those shown of them, and where the reader is.

    A record is named by its index: how many came before it in this run. Indexes stay when old records are
    dropped.
    """

    def __init__(self, where: Filter | None = None, capacity: int = CAPACITY) -> None:
        self.records: list[Record] = []
        self.first = 0
        """The index of the oldest record that is kept: how many were dropped."""
        self.rows: list[int] = []
        """The indexes of the records that the filter shows."""
        self.where = where
        self.cursor: int | None = None
        """The index of the selected record."""
        self.following = True
        self.paused = False
        self.new = 0
        """Rows that came while the reader was elsewhere."""
        self.marks: set[int] = set()
        self.pattern = ""
        self.spaces = Spaces()
        self.chats = Chats()
        self.answers: dict[int, int] = {}
        """The indexes of emits and acknowledgements, each leading to the other."""
        self._asked: dict[tuple[Direction, str | None, int | None], int] = {}
        self._capacity = capacity
        self._bytes = 0
        self._top = 0
        self._seen = 0

    async def write(self, records: Sequence[Record]) -> None:
        """Take records."""
        for record in records:
            self._add(record)
        if len(self.records) > self._capacity or self._bytes > MAX_BYTES:
            self._drop()

    async def close(self) -> None:
        """Keep everything: the reader may still be here."""

    def __getitem__(self, index: int) -> Record:
        return self.records[index - self.first]

    def _add(self, record: Record) -> None:
        index = self.first + len(self.records)
        self.records.append(record)
        self._bytes += record.bytes or 0
        self.spaces.learn(record)
        self.chats.learn(record)
        if record.id is not None:
            self._pair(record, index)
        if not self.paused:
            self._show(record, index)

    def _show(self, record: Record, index: int) -> None:
        self._seen = index + 1
        if self.where is None or self.where(record):
            self.rows.append(index)
            if not self.following:
                self.new += 1

    def _pair(self, record: Record, index: int) -> None:
        if record.kind is Kind.EVENT:
            self._asked[record.direction, record.namespace, record.id] = index
            return
        other = Direction.OUT if record.direction is Direction.IN else Direction.IN
        emit = self._asked.pop((other, record.namespace, record.id), None)
        if emit is not None:
            self.answers[emit], self.answers[index] = index, emit

    def _drop(self) -> None:
        """Let the oldest records go, a good number at once."""
        count = max(min(_STEP, len(self.records) // 2), len(self.records) - self._capacity)
        self._bytes -= sum(record.bytes or 0 for record in self.records[:count])
        del self.records[:count]
        self.first += count
        del self.rows[: bisect_left(self.rows, self.first)]
        self.marks = {index for index in self.marks if index >= self.first}
        self.answers = {index: other for index, other in self.answers.items() if index >= self.first}
        self._asked = {key: index for key, index in self._asked.items() if index >= self.first}
        if self.cursor is not None and self.cursor < self.first:
            self.cursor = self.rows[0] if self.rows else None

    def answer(self, index: int) -> Record | None:
        """Give the acknowledgement of an emit."""
        other = self.answers.get(index)
        return self[other] if other is not None and other > index and other >= self.first else None

    def is_waiting(self, index: int) -> bool:
        """Tell whether an event wants an acknowledgement that has not come."""
        record = self[index]
        return record.kind is Kind.EVENT and record.id is not None and index not in self.answers

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
        if not self.rows:
            return
        if self.cursor is None:
            if steps > 0:
                return
            at = len(self.rows)
        else:
            at = self._position()
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
        start = bisect_left(
            self.rows, self.rows[max(len(self.rows) - height, 0)] if self.following else self._top
        )
        start = max(start + steps, 0)
        if start >= len(self.rows) - height:
            self.follow()
            return
        self.following, self.cursor, self._top = False, None, self.rows[start]

    def select(self, index: int) -> None:
        """Select a record; following pauses."""
        self.cursor, self.following = index, False

    def selected(self) -> Record | None:
        """Give the selected record."""
        return None if self.cursor is None or self.cursor < self.first else self[self.cursor]

    def _position(self) -> int:
        return min(bisect_left(self.rows, self.cursor or 0), max(len(self.rows) - 1, 0))

    def filter(self, text: str) -> None:
        """Show what matches the expression, of what is here and of what comes; an empty one shows all.

        Raises: UsageError.
        """
        self.where = parse(text) if text.strip() else None
        where, last = self.where, self._seen - self.first
        shown = enumerate(self.records[:last], self.first)
        self.rows = [index for index, record in shown if where is None or where(record)]
        if self.cursor is not None and self.rows:
            self.cursor = self.rows[min(bisect_left(self.rows, self.cursor), len(self.rows) - 1)]
        self.new = 0

    def pause(self) -> None:
        """Hold what is shown, or go on with all that came meanwhile."""
        self.paused = not self.paused
        if not self.paused:
            for index in range(max(self._seen, self.first), self.first + len(self.records)):
                self._show(self[index], index)

    @property
    def held(self) -> int:
        """Count what came during a pause."""
        return self.first + len(self.records) - self._seen

    def clear(self) -> None:
        """Hide what came so far; taking the filter off shows it again."""
        self.rows.clear()
        self.follow()

    def mark(self) -> None:
        """Mark the selected record, or take its mark away."""
        if self.cursor is not None:
            self.marks ^= {self.cursor}

    def next_mark(self, forward: bool = True) -> None:
        """Select the next marked record."""
        self._go(sorted(self.marks), forward)

    def jump(self) -> bool:
        """Go from an emit to its acknowledgement, or back."""
        other = self.answers.get(self.cursor) if self.cursor is not None else None
        if other is None or other < self.first:
            return False
        self.select(other)
        return True

    def search(self, pattern: str, forward: bool = False) -> bool:
        """Select the next row that holds the text, in any case; backwards from here unless told otherwise."""
        self.pattern = pattern
        wanted = pattern.casefold()
        at = self._position() if self.cursor is not None else len(self.rows)
        others = range(at + 1, len(self.rows)) if forward else range(at - 1, -1, -1)
        for position in others:
            if wanted in _text(self[self.rows[position]]):
                self.select(self.rows[position])
                return True
        return False

    def _go(self, indexes: list[int], forward: bool) -> None:
        here = self.cursor if self.cursor is not None else self.first + len(self.records)
        if forward:
            indexes = indexes[bisect_right(indexes, here) :]
        else:
            indexes = indexes[: bisect_left(indexes, here)][::-1]
        if indexes:
            self.select(indexes[0])


def _text(record: Record) -> str:
    parts = (
        record.event,
        record.namespace,
        record.args,
        record.reason,
        record.message,
        record.data,
        record.sid,
    )
    return " ".join(str(part) for part in parts if part is not None).casefold()
