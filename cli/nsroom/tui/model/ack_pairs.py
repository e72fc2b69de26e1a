"""Which acknowledgement belongs to which emit, which are still waited for, and which will never come."""

from collections import OrderedDict

from nsroom.record import Direction, Kind, Record

_Key = tuple[Direction, str | None, str | None, int | None]
"""Who asked; the client, where there are several; the namespace; the id."""
_MAX_OPEN = 100_000


class Pairs:
    """Emits and their acknowledgements, by their indexes."""

    __slots__ = ("_open", "others", "unconfirmed")

    def __init__(self) -> None:
        self.others: dict[int, int] = {}
        """From an emit to its acknowledgement, and back."""
        self.unconfirmed: set[int] = set()
        """Our emits that were unanswered when the connection ended."""
        self._open: OrderedDict[_Key, int] = OrderedDict()

    def learn(self, record: Record, index: int) -> None:
        """Take in a record that has an id, or the end of a connection."""
        if record.kind is Kind.CLOSE:
            self._end(record.sid)
        elif record.id is None:
            return
        elif record.kind is Kind.EVENT:
            self._open[record.direction, record.sid, record.namespace, record.id] = index
            if len(self._open) > _MAX_OPEN:
                self._open.popitem(last=False)
        elif record.kind is Kind.ACK:
            self._answered(record, index)

    def _end(self, sid: str | None) -> None:
        """Give up what was asked on this client's connection."""
        ended = [key for key in self._open if key[1] == sid]
        self.unconfirmed.update(self._open[key] for key in ended if key[0] is Direction.OUT)
        for key in ended:
            del self._open[key]

    def _answered(self, record: Record, index: int) -> None:
        asker = Direction.OUT if record.direction is Direction.IN else Direction.IN
        emit = self._open.pop((asker, record.sid, record.namespace, record.id), None)
        if emit is not None:
            self.others[emit], self.others[index] = index, emit

    def waiting(self) -> int:
        """Count our emits that have no answer yet."""
        return sum(direction is Direction.OUT for direction, *_ in self._open)

    def drop(self, first: int) -> None:
        """Forget what is older than this index."""
        self.others = {
            index: other for index, other in self.others.items() if index >= first and other >= first
        }
        self.unconfirmed = {index for index in self.unconfirmed if index >= first}
        for key in [key for key, index in self._open.items() if index < first]:
            del self._open[key]
