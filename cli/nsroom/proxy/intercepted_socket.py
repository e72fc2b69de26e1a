"""The WebSocket of an intercepted session: its messages are rewritten, so packets can wait and change."""

from collections.abc import Callable

from nsroom.protocol.websocket import MAX_MESSAGE, Message, Opcode
from nsroom.proxy.intercepting import Interception, Port
from nsroom.proxy.messages import Seen, Socket
from nsroom.proxy.rewriting import on_websocket, plain, websocket_frame
from nsroom.proxy.sessions import Link
from nsroom.record import Direction, Frame, Record

IN, OUT = Direction.IN, Direction.OUT
Write = Callable[[Direction, bytes], None]
"""Sends bytes to the server (`out`) or to the client (`in`)."""


class WebSocketPort:
    """Sends frames through one direction of a WebSocket."""

    def __init__(self, socket: "InterceptedSocket", direction: Direction) -> None:
        self._socket = socket
        self._direction = direction

    def put(self, frames: list[Frame]) -> None:
        """Send frames."""
        self._socket.write_frames(self._direction, frames)

    def take(self) -> list[Frame]:
        """Return nothing: every frame was sent."""
        return []


class InterceptedSocket(Socket):
    """The messages of a WebSocket, in both directions; fragmented ones are sent whole."""

    def __init__(self, link: Link, interception: Interception, write: Write) -> None:
        super().__init__(link, deflate=False, drops=None)
        self._intercepted = link
        self._session = interception.open(link)
        self._interception = interception
        self._write_now = write
        self._feeding: Direction | None = None
        """The direction of the data that is being fed: what goes on in it is returned."""
        self._passed = bytearray()
        self._is_over = False
        """Whether one side has closed the WebSocket."""
        self._ports: dict[Direction, Port] = {way: WebSocketPort(self, way) for way in (IN, OUT)}
        self._unsent = {IN: bytearray(), OUT: bytearray()}
        """The bytes of messages that are incomplete."""
        self._base = {IN: 0, OUT: 0}
        """Their position in all bytes of the direction."""
        if link.sid is None:
            self._session.use(self._ports)

    def is_waiting(self, direction: Direction) -> bool:
        """Return whether packets of a direction wait."""
        return self._session.is_waiting(direction)

    def is_transparent(self, _direction: Direction) -> bool:
        """Return False: messages are rewritten."""
        return False

    def write_frames(self, direction: Direction, frames: list[Frame]) -> None:
        """Send frames through this WebSocket."""
        dialect = self._session.dialect
        self._write(direction, b"".join(on_websocket(frame, direction, dialect) for frame in frames))

    def feed(self, direction: Direction, data: bytes, at: int) -> list[Seen]:
        """Return the bytes to pass on, with the records; other bytes may be sent later."""
        self._unsent[direction] += data
        records: list[Record] = []
        self._feeding = direction
        for message, seen in self._messages(self._intercepted, direction, data, at):
            if message is None:
                records += self._flush_before(direction, seen, at)
                self._write(direction, self._rest(direction))
            else:
                records += self._message(direction, message, seen, at)
                self._trim(direction, message)
        passed, self._passed, self._feeding = bytes(self._passed), bytearray(), None
        return [Seen(passed, records)]

    def end(self, direction: Direction, at: int) -> Seen:
        """Send what still waits, and return its records and the bytes of incomplete messages."""
        return Seen(self._rest(direction), self._side_ended(direction, [], at))

    def close(self, reason: str, at: int) -> list[Record]:
        """Return the records of the connection's end, and of the packets that were not passed on."""
        records = super().close(reason, at)
        return [*self._session.end(at), *records] if self._is_used else records

    @property
    def _is_used(self) -> bool:
        """Whether the session uses this WebSocket: an upgrade may fail, or not be complete yet."""
        return self._session.ports is self._ports

    def _write(self, direction: Direction, data: bytes) -> None:
        if direction is self._feeding:
            self._passed += data
        else:
            self._write_now(direction, data)

    def _flush_before(self, direction: Direction, records: list[Record], at: int) -> list[Record]:
        return self._session.flush_before(direction, records, at) if self._is_used else records

    def _side_ended(self, direction: Direction, records: list[Record], at: int) -> list[Record]:
        """Handle that a side sends nothing more: what waits for it cannot be delivered either."""
        if self._is_over or not self._is_used:
            return records
        self._is_over = True
        return [*self._flush_before(direction, records, at), *self._session.end(at)]

    def _rest(self, direction: Direction) -> bytes:
        rest = bytes(self._unsent[direction])
        self._unsent[direction].clear()
        self._base[direction] += len(rest)
        return rest

    def _trim(self, direction: Direction, message: Message) -> None:
        """Forget the bytes of a message that was sent."""
        reader, unsent = self._readers.get(direction), self._unsent[direction]
        if reader is not None and reader.is_fragmented and len(unsent) <= 2 * MAX_MESSAGE:
            return  # if the message cannot be read, its fragments pass unread
        sent = message.stop - self._base[direction]
        del unsent[:sent]
        self._base[direction] = message.stop

    def _message(
        self, direction: Direction, message: Message, records: list[Record], at: int
    ) -> list[Record]:
        if message.opcode not in (Opcode.TEXT, Opcode.BINARY):
            if message.opcode is Opcode.CLOSE:
                records = self._side_ended(direction, records, at)
            assert isinstance(message.data, bytes)
            self._write(direction, websocket_frame(direction, message.opcode, message.data))
            return records
        link = self._intercepted
        frame = plain(message.data, link.is_old)
        if not self._is_over:
            self._interception.register(self._session)
        records = self._session.handle(direction, frame, records, self._ports[direction], at)
        if frame == "5" and direction is OUT:
            self._session.link = link
            self._session.use(self._ports)
        return records
