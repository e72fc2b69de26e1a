"""The messages of a relayed WebSocket: bytes in, bytes to pass on and Records out."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from nsroom.protocol import websocket
from nsroom.protocol.websocket import Message, Opcode, client_frame
from nsroom.proxy.dropping import Cutter, Drops
from nsroom.proxy.ping_timeout import FirstMessage, Report
from nsroom.proxy.sessions import Link
from nsroom.record import Direction, Kind, Record

IN, OUT = Direction.IN, Direction.OUT
SENDER = {IN: "server", OUT: "client"}
_TEXT, _BINARY = Opcode.TEXT, Opcode.BINARY


Insert = Callable[[bytes], None]
"""Sends bytes to the server after those that were fed. Raises: ConnectionError."""


class Seen(NamedTuple):
    """Bytes to pass on, and the Records of their packets."""

    data: bytes
    records: list[Record]


class Socket:
    """The messages of a WebSocket, in both directions; without a link (not Engine.IO) they pass unread."""

    def __init__(self, link: Link | None, deflate: bool, drops: Drops | None) -> None:
        self.link = link
        self._deflate = deflate
        self._readers = {way: websocket.Reader(deflate) for way in (IN, OUT)} if link else {}
        self._cutters = {way: Cutter(drops) for way in (IN, OUT)} if drops else {}
        self._closed = False
        self._first_message: FirstMessage | None = None

    def hold(self, link: Link, insert: Insert, report: Report) -> None:
        """Change the handshake, if it is still to come, and allow the proxy to send heartbeats."""
        if link.sid is None:
            self._first_message = FirstMessage(report)

        def send(opcode: Opcode, data: bytes) -> bool:
            reader = self._readers.get(OUT)
            if reader is None or not reader.is_between:
                return False
            insert(client_frame(opcode, data))
            return True

        link.send = send

    def is_transparent(self, direction: Direction) -> bool:
        """Return whether the bytes of this direction pass unchanged."""
        first = self._first_message
        return not self._cutters and (direction is OUT or first is None or first.is_done)

    def feed(self, direction: Direction, data: bytes, at: int) -> list[Seen]:
        """Return the bytes to pass on, with their Records; if packets are dropped, incomplete ones wait."""
        first = self._first_message if direction is IN else None
        if first is None or first.is_done:
            return self._feed(direction, data, at)
        return [Seen(first.feed(seen.data), seen.records) for seen in self._feed(direction, data, at)]

    def _feed(self, direction: Direction, data: bytes, at: int) -> list[Seen]:
        if self.link is None:
            return [Seen(data, [])]
        messages = self._messages(self.link, direction, data, at)
        if direction in self._cutters:
            cut = self._cutters[direction].cut(data, messages, lambda: self._is_incomplete(direction))
            return [Seen(*piece) for piece in cut]
        seen: list[Record] = []
        for _, records in messages:
            seen += records
        return [Seen(data, seen)]

    def end(self, direction: Direction, _at: int) -> Seen:
        """Handle the end of a direction; return the bytes that were held back."""
        rest = self._cutters[direction].end() if direction in self._cutters else b""
        first = self._first_message if direction is IN else None
        return Seen(first.end() + rest if first is not None else rest, [])

    def close(self, reason: str, at: int) -> list[Record]:
        """Return the Record of the connection's end, unless the WebSocket was closed before."""
        if self.link is None:
            return []
        self.link.close()
        if self._closed:
            return []
        return [self.link.note(Kind.CLOSE, at, reason=f"{reason} without closing the WebSocket")]

    @property
    def held(self) -> int:
        """Roughly the bytes that wait for more, and that the session takes."""
        return sum(reader.held for reader in self._readers.values()) + (self.link.held if self.link else 0)

    def is_readable(self, direction: Direction) -> bool:
        """Return whether the data of a direction was a WebSocket's so far."""
        return direction in self._readers

    def missing(self, direction: Direction) -> int:
        """Return the bytes until the next frame of a direction starts, or 0 while that is unknown."""
        return self._readers[direction].missing if direction in self._readers else 0

    def restart(self, direction: Direction) -> None:
        """Read on where a frame starts, after data that is missing."""
        if self.link is not None:
            self._readers[direction] = websocket.Reader(self._deflate)
            self.link.discard_incomplete(direction)

    def _is_incomplete(self, direction: Direction) -> bool:
        return self.link is not None and self.link.is_incomplete(direction)

    def _messages(
        self, link: Link, direction: Direction, data: bytes, at: int
    ) -> Iterator[tuple[Message | None, list[Record]]]:
        """Yield each message that is now complete, with the Records that it completes."""
        reader = self._readers.get(direction)
        if reader is None:
            yield None, []
            return
        try:
            for message in reader.feed(data):
                if message.opcode is _TEXT or message.opcode is _BINARY:
                    yield message, link.feed(direction, message.data, at)
                else:
                    yield message, self._control(link, direction, message, at)
        except ValueError as error:
            del self._readers[direction]
            yield None, [link.note(Kind.PROTOCOL_ERROR, at, message=unreadable(direction, error))]

    def _control(self, link: Link, direction: Direction, message: Message, at: int) -> list[Record]:
        link.control(direction, message, at)
        records = []
        if fault := websocket.control_fault(message):
            text = f"the {SENDER[direction]} sent {fault}; it is passed on"
            records.append(link.note(Kind.PROTOCOL_ERROR, at, message=text))
        if message.opcode is not Opcode.CLOSE or self._closed:
            return records
        self._closed = True
        assert isinstance(message.data, bytes)
        code, text = websocket.close_reason(message.data)
        details = ": ".join(filter(None, ["no code" if code is None else f"code {code}", text]))
        reason = f"the {SENDER[direction]} closed the WebSocket"
        return [*records, link.note(Kind.CLOSE, at, reason=reason, message=details)]


def unreadable(direction: Direction, reason: str | ValueError) -> str:
    """Return the text of a record about data that nsroom cannot read."""
    return f"the {SENDER[direction]}'s data cannot be read from here on: {reason}"
