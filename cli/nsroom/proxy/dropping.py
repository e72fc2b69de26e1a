"""Drop packets from a relayed WebSocket on purpose: whole messages only, so that the stream stays valid."""

from collections.abc import Callable, Iterable

from nsroom.protocol.websocket import MAX_MESSAGE, Message, Opcode
from nsroom.record import Record

Drops = Callable[[Record], bool]
"""Returns whether to drop a packet."""
_DATA = (Opcode.TEXT, Opcode.BINARY)
DROPPED = "dropped on purpose"


class Cutter:
    """The bytes of one direction, held back until their packet is complete."""

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
        """Return the bytes to pass on, one piece for each packet, with the records of each.

        Bytes that are not a message, or belong to one that is too large to hold back, pass unchanged.
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
        """Return the bytes held back, at the end of the direction."""
        return self._release(len(self._held))

    def _decided(self, stop: int, records: list[Record]) -> tuple[bytes, list[Record]]:
        start, messages, self._messages = self._base, self._messages, []
        data = self._release(stop - start)
        # The start of a fragmented message, or of one too large to hold back, was passed on already.
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
