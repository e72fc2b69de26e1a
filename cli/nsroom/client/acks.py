"""Acknowledgements: those that are waited for, and those that say no."""

import asyncio
from collections.abc import Sequence
from itertools import count

from nsroom.client.events import Emit
from nsroom.errors import LostError
from nsroom.protocol.socketio import Packet
from nsroom.record import Json, Record


def is_refusal(args: Sequence[Json] | None) -> bool:
    """Tell whether an acknowledgement is the server's error: its first argument has `error`."""
    return bool(args) and isinstance(args[0], dict) and "error" in args[0]  # type: ignore[index]


def refusal(args: Sequence[Json] | None) -> str:
    """Give the server's reason out of such an acknowledgement."""
    answer = (args or [{}])[0]
    message = answer.get("message")
    return f"{answer.get('error')}: {message}" if message else f"{answer.get('error')}"


class Acks:
    """Gives events their ids, and those who wait the acknowledgements that come."""

    def __init__(self) -> None:
        self._ids = count()
        self._waiting: dict[tuple[str, int], asyncio.Future[Record]] = {}

    def expect(self, emits: Sequence[Emit]) -> tuple[list[Packet], list[asyncio.Future[Record]]]:
        """Give the packets of events that want an acknowledgement, and the futures of these."""
        packets = [emit.packet(next(self._ids)) for emit in emits]
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Record]] = [loop.create_future() for _ in packets]
        self._waiting |= zip(map(_key, packets), futures, strict=True)
        return packets, futures

    def withdraw(self, packets: Sequence[Packet]) -> None:
        """Wait no longer for packets that were not sent."""
        for packet in packets:
            self._waiting.pop(_key(packet), None)

    def answer(self, record: Record) -> None:
        """Give an acknowledgement to who waits for it."""
        future = self._waiting.pop((record.namespace or "/", record.id or 0), None)
        if future is not None and not future.done():
            future.set_result(record)

    def forsake(self, error: LostError, namespace: str | None = None) -> None:
        """Tell everyone who waits, of one namespace or of all, that none will come."""
        for key in [key for key in self._waiting if namespace in (None, key[0])]:
            future = self._waiting.pop(key)
            if not future.done():
                future.set_exception(error)
                future.exception()  # retrieved: not everyone who asked still waits


def _key(packet: Packet) -> tuple[str, int]:
    return packet.namespace, packet.id or 0
