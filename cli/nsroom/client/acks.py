"""Pending acknowledgements, and which events the server acknowledges."""

import asyncio
from collections.abc import Sequence
from itertools import count

from nsroom.client.events import Emit
from nsroom.errors import LostError
from nsroom.protocol.socketio import Packet
from nsroom.record import Record


class Acks:
    """Assigns ack ids and resolves the waiting futures."""

    def __init__(self) -> None:
        self._ids = count()
        self._pending: dict[tuple[str, int], asyncio.Future[Record]] = {}
        self._acknowledged: set[tuple[str, str | int | float | None]] = set()
        """Namespaces with the events that the server has acknowledged in them; None for all events."""

    def expect(self, emits: Sequence[Emit]) -> tuple[list[Packet], list[asyncio.Future[Record]]]:
        """Return the packets of events, each with a new id, and the futures of their acknowledgements."""
        packets = [emit.packet(next(self._ids)) for emit in emits]
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Record]] = [loop.create_future() for _ in packets]
        self._pending |= zip(map(_key, packets), futures, strict=True)
        return packets, futures

    def forget(self, packets: Sequence[Packet]) -> None:
        """Stop waiting for the answers to packets that were not sent."""
        for packet in packets:
            self._pending.pop(_key(packet), None)

    def resolve(self, record: Record) -> bool:
        """Resolve the future of an acknowledgement; return whether it was expected."""
        namespace = record.namespace or "/"
        future = self._pending.pop((namespace, record.id or 0), None)
        if future is not None and not future.done():
            future.set_result(record)
            self._acknowledged.add((namespace, record.event))
            if _is_reference_server(record):
                self._acknowledged.add((namespace, None))
        return future is not None

    def is_known_to_answer(self, emit: Emit) -> bool:
        """Return whether earlier answers show that the server acknowledges this event.

        It acknowledged this event before, or it is the reference server, which acknowledges all events.
        """
        return (emit.namespace, emit.event) in self._acknowledged or self.answers_everything(emit.namespace)

    def answers_everything(self, namespace: str) -> bool:
        """Return whether this namespace has answered as only the reference server does."""
        return (namespace, None) in self._acknowledged

    def fail_all(self, error: LostError, namespace: str | None = None) -> None:
        """Fail the futures of one namespace, or of all."""
        for key in [key for key in self._pending if namespace in (None, key[0])]:
            future = self._pending.pop(key)
            if not future.done():
                future.set_exception(error)
                future.exception()  # marked as retrieved: a caller may have stopped waiting


def _is_reference_server(record: Record) -> bool:
    """Return whether this is an answer as only the reference server gives one to a join."""
    first = record.args[0] if record.args else None
    if not isinstance(first, dict) or first.get("ok") is not True:
        return False
    return isinstance(first.get("room"), str) and isinstance(first.get("history"), list)


def _key(packet: Packet) -> tuple[str, int]:
    return packet.namespace, packet.id or 0
