"""What was known at each record of a recording: the namespaces, the rooms and their members, the clients.

While the recording is read, what the model knows is copied at regular distances, as long as the copies are
small. What was known in between is learned again from the nearest copy before; going forward needs no copy.
"""

from bisect import bisect_right
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass

from nsroom.record import Record
from nsroom.tui.model.clients import Clients
from nsroom.tui.model.model import Model
from nsroom.tui.model.namespaces import Namespaces

_DISTANCE = 4096
"""Records between two copies: about 10 ms of learning."""
_MAX_SIZE = 40_000_000
"""Bytes of all copies together."""
_LARGE, _SMALL = 1000, 100
"""About the bytes of a namespace, room or client, and of a member or the name of an event."""


@dataclass(slots=True)
class Moment:
    """What was known before the record with this index."""

    index: int
    namespaces: Namespaces
    clients: Clients | None

    def learn(self, record: Record) -> None:
        """Learn from the record with the index, and go to the next one."""
        self.namespaces.learn(record, self.index)
        if self.clients is not None:
            self.clients.learn(record)
        self.index += 1

    @property
    def size(self) -> int:
        """About the bytes that a copy takes."""
        namespaces = self.namespaces.by_name.values()
        members = sum(len(room.members) for each in namespaces for room in each.rooms.values())
        events = sum(len(each.events) for each in namespaces)
        large = sum(1 + len(each.rooms) for each in namespaces)
        clients = len(self.clients.by_sid) if self.clients else 0
        return (large + clients) * _LARGE + (members + events) * _SMALL


class Timeline:
    """The moments of a recording."""

    def __init__(self, model: Model) -> None:
        self._model = model
        relayed = model.clients is not None
        self._first = Moment(0, Namespaces(relayed), Clients() if relayed else None)
        """The moment before the oldest record kept."""
        self._copies: list[Moment] = []
        self._size = 0
        self._current = deepcopy(self._first)

    def keep(self) -> None:
        """Copy what the model knows, if that is due: call this after each record that is read."""
        model = self._model
        if model.ring.end % _DISTANCE:
            return
        moment = Moment(model.ring.end, model.namespaces, model.clients)
        if self._size + moment.size <= _MAX_SIZE:
            self._size += moment.size
            self._copies.append(deepcopy(moment))

    def drop(self, records: Iterable[Record]) -> None:
        """Learn from the oldest records, which are no longer kept."""
        for record in records:
            self._first.learn(record)
        while self._copies and self._copies[0].index <= self._first.index:
            self._size -= self._copies.pop(0).size

    def after(self, index: int) -> Moment:
        """Return what was known after the record with this index."""
        at = bisect_right(self._copies, index + 1, key=lambda each: each.index)
        nearest = self._copies[at - 1] if at else self._first
        if not nearest.index <= self._current.index <= index + 1:
            self._current = deepcopy(nearest)
        while self._current.index <= index:
            self._current.learn(self._model[self._current.index])
        return self._current
