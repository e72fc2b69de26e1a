"""Leave packets out of a WebSocket on purpose: whole ones, between frames, so that it stays a WebSocket."""

from collections.abc import Callable, Iterable

from nsroom.protocol.websocket import MAX_MESSAGE, Message, Opcode
from nsroom.record import Record

Drops = Callable[[Record], bool]
"""Decides about one packet."""
_DATA = (Opcode.TEXT, Opcode.BINARY)
DROPPED = "dropped on purpose"


class Cutter:
    """One direction's bytes, kept back until it is known what they are."""

    def __init__(self, drops: Drops) -> None:
        self._drops = drops
        self._held = bytearray()
        self._base = 0
        self._messages: list[Message] = []

    def cut(
        self,
        data: bytes,
        messages: Iterable[tuple[Message | None, list[Record]]],
        is_incomplete: Callable[[], bool],
    ) -> list[tuple[bytes, list[Record]]]:
        """Give the bytes to pass on, packet for packet, with the records of each.

        Without a message, and beyond what is looked at of one, everything goes on as it came.
        """
        self._held += data
        pieces = []
        for message, records in messages:
            if message is not None and message.opcode in _DATA:
                self._messages.append(message)
            if message is None:
                pieces.append((self._release(len(self._held)), records))
            elif not is_incomplete():
                pieces.append(self._decided(message.stop, records))
        if len(self._held) > MAX_MESSAGE:
            pieces.append((self._release(len(self._held)), []))
        return pieces

    def end(self) -> bytes:
        """Give what was kept back when no more comes."""
        return self._release(len(self._held))

    def _decided(self, stop: int, records: list[Record]) -> tuple[bytes, list[Record]]:
        start, messages, self._messages = self._base, self._messages, []
        data = self._release(stop - start)
        # Of a message in fragments, or one that was too large to keep back, some is gone already.
        whole = all(message.whole and message.start >= start for message in messages)
        if not (messages and whole and any(map(self._drops, records))):
            return data, records
        for message in reversed(messages):
            data = data[: message.start - start] + data[message.stop - start :]
        return data, [record._replace(reason=DROPPED) for record in records]

    def _release(self, count: int) -> bytes:
        data = bytes(self._held[:count])
        del self._held[:count]
        self._base += count
        return data
