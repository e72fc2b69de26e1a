"""Pending acknowledgements, and which events the server acknowledges."""

from collections.abc import Callable, Sequence
from itertools import count

from nsroom.client.events import Emit
from nsroom.errors import LostError
from nsroom.protocol.socketio import Packet
from nsroom.record import Json, Record

Settle = Callable[[Record | LostError], object]
"""Takes an acknowledgement, or why there will be none."""


class Acks:
    """Assigns ack ids, and passes each answer to what waits for it."""

    def __init__(self) -> None:
        self._ids = count()
        self._pending: dict[tuple[str, int], Settle] = {}
        self._acknowledged: set[tuple[str, str | int | float | None]] = set()
        """Namespaces with the events that the server has acknowledged in them; None for all events."""

    def expect(self, emits: Sequence[Emit], settles: Sequence[Settle]) -> list[Packet]:
        """Return the packets of events, each with a new id; each of `settles` waits for the answer to one."""
        packets = []
        for emit, settle in zip(emits, settles, strict=True):
            id = next(self._ids)
            packets.append(emit.packet(id))
            self._pending[emit.namespace, id] = settle
        return packets

    def forget(self, packets: Sequence[Packet]) -> None:
        """Stop waiting for the answers to packets that were not sent."""
        for packet in packets:
            self._pending.pop((packet.namespace, packet.id or 0), None)

    def resolve(self, record: Record) -> bool:
        """Pass an acknowledgement to what waits for it; return whether it was expected."""
        namespace = record.namespace or "/"
        settle = self._pending.pop((namespace, record.id or 0), None)
        if settle is None:
            return False
        self._acknowledged.add((namespace, record.event))
        if record.args and _is_reference_server(record.args[0]):
            self._acknowledged.add((namespace, None))
        settle(record)
        return True

    def is_known_to_answer(self, emit: Emit) -> bool:
        """Return whether earlier answers show that the server acknowledges this event.

        It acknowledged this event before, or it is the reference server, which acknowledges all events.
        """
        return (emit.namespace, emit.event) in self._acknowledged or self.answers_everything(emit.namespace)

    def answers_everything(self, namespace: str) -> bool:
        """Return whether this namespace has answered as only the reference server does."""
        return (namespace, None) in self._acknowledged

    def fail_all(self, error: LostError, namespace: str | None = None) -> None:
        """Report to what waits, in one namespace or in all, that there will be no answer."""
        for key in [key for key in self._pending if namespace in (None, key[0])]:
            self._pending.pop(key)(error)


def _is_reference_server(answer: Json) -> bool:
    """Return whether this is an answer as only the reference server gives one to a join."""
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        return False
    return isinstance(answer.get("room"), str) and isinstance(answer.get("history"), list)
