"""Match events with their acknowledgements."""

from collections import OrderedDict

from nsroom.record import Direction, Kind, Record

_Key = tuple[Direction, str | None, str | None, int | None]
"""Direction of the event, sid of the client if there are several, namespace, acknowledgement id."""
_MAX_PENDING = 100_000


class AckPairs:
    """Events and their acknowledgements, by index."""

    __slots__ = ("_pending", "partners", "unconfirmed")

    def __init__(self) -> None:
        self.partners: dict[int, int] = {}
        """From an event to its acknowledgement, and back."""
        self.unconfirmed: set[int] = set()
        """Our events that were not acknowledged before the connection ended."""
        self._pending: OrderedDict[_Key, int] = OrderedDict()

    def learn(self, record: Record, index: int) -> None:
        """Learn from an event, an acknowledgement or the end of a connection."""
        if record.kind is Kind.CLOSE:
            self._fail_pending(record.sid)
        elif record.id is None:
            return
        elif record.kind is Kind.EVENT:
            self._pending[record.direction, record.sid, record.namespace, record.id] = index
            if len(self._pending) > _MAX_PENDING:
                self._pending.popitem(last=False)
        elif record.kind is Kind.ACK:
            self._match(record, index)

    def _fail_pending(self, sid: str | None) -> None:
        """Mark the events on this client's connection as unconfirmed."""
        ended = [key for key in self._pending if key[1] == sid]
        self.unconfirmed.update(self._pending[key] for key in ended if key[0] is Direction.OUT)
        for key in ended:
            del self._pending[key]

    def _match(self, record: Record, index: int) -> None:
        sent = Direction.OUT if record.direction is Direction.IN else Direction.IN
        event = self._pending.pop((sent, record.sid, record.namespace, record.id), None)
        if event is not None:
            self.partners[event], self.partners[index] = index, event

    def count_pending(self) -> int:
        """Return the number of our events that wait for an acknowledgement."""
        return sum(direction is Direction.OUT for direction, *_ in self._pending)

    def drop_before(self, first: int) -> None:
        """Forget everything with an index below `first`."""
        self.partners = {
            index: partner for index, partner in self.partners.items() if index >= first and partner >= first
        }
        self.unconfirmed = {index for index in self.unconfirmed if index >= first}
        for key in [key for key, index in self._pending.items() if index < first]:
            del self._pending[key]
