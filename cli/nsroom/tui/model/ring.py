"""The newest records, limited in number and memory."""

from sys import getsizeof

from nsroom.record import Json, Record

CAPACITY = 100_000
MAX_BYTES = 64_000_000
"""Of memory: a parsed record takes four to thirty times its bytes on the wire."""
_STEP = 4096
_RECORD = 400
"""Bytes of a record without its values."""


class Ring:
    """Records by index: the number of records before it in this run, which dropping does not change."""

    __slots__ = ("_bytes", "_capacity", "_sizes", "first", "records")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.records: list[Record] = []
        self.first = 0
        """The index of the oldest record kept, and so the number of records dropped."""
        self._capacity = capacity
        self._sizes: list[int] = []
        self._bytes = 0

    def __getitem__(self, index: int) -> Record:
        return self.records[index - self.first]

    def __contains__(self, index: int) -> bool:
        return self.first <= index < self.end

    @property
    def end(self) -> int:
        """The index of the next record."""
        return self.first + len(self.records)

    def add(self, record: Record) -> int:
        """Keep a record; return its index."""
        size = _memory(record)
        self.records.append(record)
        self._sizes.append(size)
        self._bytes += size
        return self.first + len(self.records) - 1

    def replace(self, index: int, record: Record) -> None:
        """Keep a record in the place of one that is kept."""
        at, size = index - self.first, _memory(record)
        self.records[at] = record
        self._bytes += size - self._sizes[at]
        self._sizes[at] = size

    @property
    def is_over_limit(self) -> bool:
        """Whether `drop_oldest` is due."""
        return len(self.records) > self._capacity or (self._bytes > MAX_BYTES and len(self.records) > 1)

    def drop_oldest(self) -> list[Record]:
        """Drop the oldest records, many at once, until the rest is within the limits; return them."""
        excess = len(self.records) - self._capacity
        count = max(min(_STEP, self._capacity // 2), excess) if excess > 0 else 0
        left = self._bytes - sum(self._sizes[:count])
        while left > MAX_BYTES * 3 // 4 and count < len(self.records) - 1:
            left -= self._sizes[count]
            count += 1
        dropped = self.records[:count]
        del self.records[:count], self._sizes[:count]
        self.first += count
        self._bytes = left
        return dropped


def _memory(record: Record) -> int:
    """Return about how many bytes of memory a record takes."""
    size = _RECORD
    values: list[Json] = [record.args, record.data, record.frames]
    while values:
        value = values.pop()
        size += getsizeof(value)
        if isinstance(value, list):
            values += value
        elif isinstance(value, dict):
            values += value.values()
    return size
