"""The wire tap: every frame of a connection passes it, and becomes Records.

python-socketio's client spends a task on every event, without back-pressure, and answers events that ask
for an acknowledgement by itself. So events and acknowledgements end here; the handshake, the heartbeat and
the namespaces go on to what drives the connection.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from nsroom.channel import Channel, now
from nsroom.errors import DecodeError
from nsroom.protocol.dialect import DEFAULT, NOOP, Dialect
from nsroom.protocol.engineio import SEPARATOR
from nsroom.protocol.session import Session
from nsroom.record import Direction, Kind, Record

_BLOCKED = 5.0
"""Seconds after which python-engineio hears that our own output, not the server, is what is slow."""
# For every event of a flood: Python 3.11 looks a member of an enumeration up in 0.2 µs.
_EVENT, _IN = Kind.EVENT, Direction.IN
_DRIVEN = frozenset(Kind) - {Kind.EVENT, Kind.ACK, Kind.PROTOCOL_ERROR}
"""What the driver of the connection must see."""


class WebSocket(Protocol):
    """The WebSocket that carries the frames."""

    async def abandon(self) -> None:
        """Close without waiting for the other side."""


class Tap:
    """Feeds one connection's frames to its Session, and what comes of them to a channel."""

    def __init__(
        self,
        session: Session,
        channel: Channel | None,
        notice: Callable[[Record], None],
        is_due: Callable[[Record], bool] = lambda _: True,
        dialect: Dialect = DEFAULT,
    ) -> None:
        self.session = session
        self.channel = channel
        self.dialect = dialect
        """What the frames on the wire are in; python-socketio sees those of the default one."""
        self.stranger: str | bytes | None = None
        """What came where the handshake was due."""
        self.websocket: WebSocket | None = None
        """What carries the frames, also while python-engineio still waits for its handshake."""
        self.close_code: int | None = None
        self.silent = False
        """Whether the server missed its heartbeat."""
        self._notice = notice
        self._is_due = is_due
        self._pongs: dict[bytes, asyncio.Future[None]] = {}

    def feed(self, direction: Direction, frame: str | bytes, at: int | None = None) -> Record | None:
        """Observe one frame, `at` this time or now; give what it completes."""
        record = self.session.feed(direction, frame, now() if at is None else at)
        if record is None:
            return None
        if record.kind is not _EVENT:
            self._notice(record)
        if self.channel is not None and self._is_due(record):
            self.channel.put([record], len(frame))
        return record

    def incoming(self, frame: str | bytes, at: int | None = None) -> bool:
        """Observe a frame from the server; tell whether the driver of the connection must see it too."""
        if self.session.handshake is None and frame[:1] != "0":
            self.stranger = frame
            return True
        record = self.feed(_IN, frame, at)
        if self.session.handshake is None:
            self.stranger = frame
            return True
        if record is None:
            return frame == NOOP
        return record.kind is not _EVENT and record.kind in _DRIVEN

    def polled(self, body: bytes) -> str:
        """Observe a polled body; give what python-socketio must see of it."""
        try:
            frames = self.dialect.split_body(body)
        except DecodeError as error:
            self._malformed(str(error), body)
            return NOOP
        kept = [self.dialect.as_default(frame) for frame in frames if self.incoming(frame)]
        return SEPARATOR.join(frame for frame in kept if isinstance(frame, str))

    def _malformed(self, reason: str, body: bytes) -> None:
        text = body.decode("utf-8", "replace")
        if self.session.handshake is None:
            self.stranger = text
        elif self.channel is not None:
            self.channel.put([self.session.malformed(Direction.IN, [text], now(), reason)], len(body))

    def mute(self) -> None:
        """Show no more of a connection that is to be opened again in another dialect."""
        self.channel = None

    @property
    def patience(self) -> float:
        """Give the seconds that the wire may wait for our reader without seeming silent."""
        shake = self.session.handshake
        return min(_BLOCKED, (shake.ping_interval + shake.ping_timeout) / 2000) if shake else _BLOCKED

    @property
    def is_full(self) -> bool:
        """Whether the reader of the records has to catch up first."""
        return self.channel is not None and self.channel.full

    async def room(self, timeout: float | None = None) -> bool:
        """Wait for the reader of the records; False when it has not caught up in time."""
        if self.channel is None or not self.channel.full:
            return True
        try:
            async with asyncio.timeout(timeout):
                await self.channel.room()
        except TimeoutError:
            return False
        return True

    def expect_pong(self, token: bytes) -> asyncio.Future[None]:
        """Give what the WebSocket's pong with this token will resolve."""
        self._pongs[token] = asyncio.get_running_loop().create_future()
        return self._pongs[token]

    def pong(self, token: bytes) -> None:
        """Resolve what waits for this pong."""
        waiting = self._pongs.pop(token, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
