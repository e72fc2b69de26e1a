"""Observe one connection: decode its frames into records and pass them on.

Every frame passes the tap, in both directions. An observer turns frames into records; all go to the channel,
those of other kinds than events also to `on_record`. Until the handshake the first frames must form one:
anything else is kept as `unexpected_frame`, for the error message, and becomes no record.

Events and acknowledgements end here. python-socketio would start a task for each event, without
back-pressure, and acknowledge events by itself; so the connection sees only the handshake, the heartbeat and
the packets of namespaces, in the default dialect (`incoming` and `polled` say which).

For each frame from the server: `wait_for_reader` before reading, so that a slow reader slows the wire down,
then `incoming` or `polled`. For each frame to the server: `feed`, then write it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from nsroom.channel import Channel, now
from nsroom.errors import DecodeError
from nsroom.protocol.dialect import DEFAULT, NOOP, Dialect
from nsroom.protocol.engineio import SEPARATOR
from nsroom.protocol.session import Observer
from nsroom.protocol.socketio import Packet
from nsroom.protocol.websocket import describe_close
from nsroom.record import Direction, Kind, Record, brief

_MAX_PAUSE = 5.0
"""Seconds after which python-engineio must get a packet, so that a slow reader does not look like a server
that sends nothing."""
_MAX_SLICE = 10_000
"""Microseconds of work on a body between two pauses."""
_MAX_KEPT = 1000
"""Different packets of one body that python-socketio sees: it takes them all without a pause."""
_MAX_MALFORMED = 1_000_000
"""Bytes of a malformed body that its record has."""
_MAX_NAME = 80
_SILENCE = 1_000_000
"""Microseconds without a frame that are remembered when they end."""
_BACKLOG = 5_000_000
"""Microseconds that reading may take of what arrived while this process was stopped."""
# For every event of a flood: Python 3.11 looks a member of an enumeration up in 0.2 µs.
_EVENT, _PROTOCOL_ERROR, _IN, _OUT = Kind.EVENT, Kind.PROTOCOL_ERROR, Direction.IN, Direction.OUT
_FOR_CONNECTION = frozenset(Kind) - {Kind.EVENT, Kind.ACK, Kind.PROTOCOL_ERROR}
"""The records whose frames the connection must see."""


class WebSocket(Protocol):
    """The WebSocket that carries the frames."""

    async def abandon(self) -> None:
        """Close without waiting for the other side."""


class Tap:
    """Feeds the frames of one connection to its Observer, and the records to a channel."""

    def __init__(
        self,
        session: Observer,
        channel: Channel | None,
        on_record: Callable[[Record], None],
        should_show: Callable[[Record], bool] = lambda _: True,
        dialect: Dialect = DEFAULT,
    ) -> None:
        self.session = session
        self.channel = channel
        self.dialect = dialect
        """The dialect of the frames on the wire; python-socketio sees the default one."""
        self.unexpected_frame: str | bytes | None = None
        """The frame that arrived instead of the handshake."""
        self.unreadable: Record | None = None
        """The last malformed packet of the server, which explains the absence of an answer."""
        self.websocket: WebSocket | None = None
        """aiohttp's WebSocket, also while python-engineio still waits for its handshake."""
        self.close_code: int | None = None
        self.close_reason = ""
        """The text of the server's close frame."""
        self.fault: str | None = None
        """How the server broke the WebSocket protocol, so that the client closed the connection."""
        self.heard_at = now()
        """When the last frame of the server arrived, in microseconds."""
        self.timed_out = False
        """Whether the server missed its heartbeat."""
        self._silence = (0, 0)
        """The last long time without a frame: from when, until when."""
        self._on_record = on_record
        self._should_show = should_show
        self._pongs: dict[bytes, asyncio.Future[None]] = {}

    @property
    def closing(self) -> str | None:
        """The close frame in words, or None while the WebSocket is open."""
        return None if self.close_code is None else describe_close(self.close_code, self.close_reason)

    def lost_at(self, noticed: int) -> int:
        """Return since when the connection was lost: since the last frame if a heartbeat is missing.

        So it is when the machine slept: the server closed the connection long before that was noticed, even
        if frames that it had sent before were read afterwards.
        """
        shake = self.session.handshake
        if shake is None:
            return noticed
        longest = (shake.ping_interval + shake.ping_timeout) * 1000
        begun, ended = self._silence
        if ended - begun > longest and noticed - ended < _BACKLOG:
            return begun
        return self.heard_at if noticed - self.heard_at > longest else noticed

    def feed(self, direction: Direction, frame: str | bytes, at: int | None = None) -> Record | None:
        """Observe one frame, at `at` (microseconds) or now; return the record that it completes."""
        at = now() if at is None else at
        if direction is _IN:
            if at - self.heard_at > _SILENCE:
                self._silence = self.heard_at, at
            self.heard_at = at
        record = self.session.feed(direction, frame, at)
        if record is not None:
            self._pass_on(record, len(frame))
        return record

    def sent(self, packets: Sequence[Packet], messages: Sequence[Sequence[str | bytes]]) -> list[str | bytes]:
        """Observe packets that are sent now, each in some messages; return the frames of all."""
        at, session = now(), self.session
        frames: list[str | bytes] = []
        is_default = not (session.is_msgpack or self.dialect.is_msgpack or self.dialect.is_old)
        for packet, parts in zip(packets, messages, strict=True):
            is_known = is_default and packet.text is not None
            for part in parts:
                frame = f"4{part}" if isinstance(part, str) else part
                frames.append(frame)
                if not is_known:
                    self.feed(_OUT, frame, at)
                elif self.channel is not None:
                    self._pass_on(session.sent(packet, str(frame), at), len(frame))
                elif packet.id is not None:
                    session.note_question(_OUT, packet, at)
        return frames

    def _pass_on(self, record: Record, size: int) -> None:
        if record.kind is not _EVENT:
            if record.kind is _PROTOCOL_ERROR and record.direction is _IN:
                self.unreadable = record
            self._on_record(record)
        if self.channel is not None and self._should_show(record):
            self.channel.put([record], size)

    def incoming(self, frame: str | bytes, at: int | None = None) -> bool:
        """Observe a frame from the server; return whether the connection must see it too."""
        if self.session.handshake is None and frame[:1] != "0":
            self.unexpected_frame = frame
            return True
        at = now() if at is None else at
        record = self.feed(_IN, frame, at)
        if self.session.handshake is None:
            self.unexpected_frame = frame
            return True
        if record is None:
            return frame == NOOP
        return record.kind is not _EVENT and record.kind in _FOR_CONNECTION

    async def polled(self, body: bytes) -> str:
        """Observe a polled body, with pauses for other tasks; return what python-socketio must see of it."""
        try:
            frames = self.dialect.split_body(body)
        except DecodeError as error:
            self._malformed(str(error), body)
            return NOOP
        kept: dict[str, None] = {}
        started = now()
        for frame in frames:
            if self.incoming(frame) and len(kept) < _MAX_KEPT:
                default = self.dialect.as_default(frame)
                if isinstance(default, str):
                    kept[default] = None
            if now() - started > _MAX_SLICE:
                await asyncio.sleep(0)
                await self.wait_for_reader()
                started = now()
        return SEPARATOR.join(kept)

    def _malformed(self, reason: str, body: bytes) -> None:
        text = body[:_MAX_MALFORMED].decode("utf-8", "replace")
        if self.session.handshake is None:
            self.unexpected_frame = text
        else:
            record = self.session.malformed(_IN, [text], now(), reason)
            self._pass_on(record._replace(bytes=len(body)), len(text))

    @property
    def hint(self) -> str:
        """What to add to a message about a missing answer: the probable cause, or nothing."""
        if self.unreadable:
            return f"; a packet that arrived cannot be read: {self.unreadable.message}"
        if (event := self.session.question) is not None:
            event = brief(event, _MAX_NAME)
            return f"; the server waits for our acknowledgement of {event!r} (see `nsroom reply --help`)"
        return ""

    def mute(self) -> None:
        """Pass no more records on, because the connection will be opened again in another dialect."""
        self.channel = None

    @property
    def max_pause(self) -> float:
        """Seconds that reading may pause for a slow reader before the server seems to be silent."""
        shake = self.session.handshake
        return min(_MAX_PAUSE, (shake.ping_interval + shake.ping_timeout) / 2000) if shake else _MAX_PAUSE

    @property
    def is_full(self) -> bool:
        """Whether the reader of the records must catch up before more is read from the wire."""
        return self.channel is not None and self.channel.full

    async def wait_for_reader(self, timeout: float | None = None) -> bool:
        """Wait until the reader of the records has caught up; return False after `timeout` seconds."""
        if self.channel is None or not self.channel.full:
            return True
        try:
            async with asyncio.timeout(timeout):
                await self.channel.room()
        except TimeoutError:
            return False
        return True

    def expect_pong(self, token: bytes) -> asyncio.Future[None]:
        """Return the future that the WebSocket pong with this token will resolve."""
        self._pongs[token] = asyncio.get_running_loop().create_future()
        return self._pongs[token]

    def on_pong(self, token: bytes) -> None:
        """Handle a WebSocket pong."""
        pending = self._pongs.pop(token, None)
        if pending is not None and not pending.done():
            pending.set_result(None)
