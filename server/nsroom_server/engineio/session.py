"""One Engine.IO 4 session: its transports, what waits for them, and its one end."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from time import time
from typing import Any, Protocol, TypeVar

from nsroom_server.counters import Traffic
from nsroom_server.engineio.close_reasons import CLIENT, ERROR, LOST, SLOW, TIMEOUT, Ending
from nsroom_server.engineio.heartbeat import Heartbeat
from nsroom_server.engineio.packets import Incoming, Kind, Outgoing, decode, encode_payload
from nsroom_server.engineio.send_queue import Outbox
from nsroom_server.engineio.websocket import WebSocket
from nsroom_server.errors import Malformed
from nsroom_server.settings.faults import Faults
from nsroom_server.settings.limits import Limits
from nsroom_server.token_bucket import Bucket

T = TypeVar("T")

_NOOP, _PING = Outgoing(Kind.NOOP), Outgoing(Kind.PING)
_PROBE = "probe"
_ANSWERS = 22
"""Frames that one packet can bring its sender at most: an event and an acknowledgement with attachments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How sessions are kept."""

    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    max_payload: int = 1_000_000
    limits: Limits = Limits()  # noqa: RUF009 - frozen, and the same for all
    faults: Faults = Faults()  # noqa: RUF009


class DuplicatePoll(Exception):
    """A second poll came while the first was waiting; it has ended the session."""


class Keeper(Protocol):
    """Who keeps the sessions."""

    options: Options
    traffic: Traffic

    async def trigger(self, event: str, session: "Session", *args: Any) -> None:
        """Run the handler of an event."""

    def forget(self, session: "Session", ending: Ending) -> None:
        """Take notice of a session that has ended, before its `disconnect`."""

    def lose(self, packets: int) -> None:
        """Take notice of packets that could not be sent."""

    def create_task(self, job: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that is cancelled when the server stops."""


class Session:
    """One client, on polling, on a WebSocket, or on its way from one to the other."""

    def __init__(self, keeper: Keeper, sid: str, address: str) -> None:
        options = keeper.options
        self.sid = sid
        self.address = address
        self.at = time()
        """When it began, in seconds since the epoch."""
        self.events = Bucket(options.limits.events_per_second, options.limits.events_burst)
        self.others = Bucket(options.limits.events_per_second, options.limits.events_burst)
        """For packets that are no events."""
        self._octets = Bucket(options.limits.bytes_per_second, options.limits.bytes_burst)
        self.closed = False
        self.pushing = False
        """Whether a body is being read or handled."""
        self.ended: asyncio.Task[None] | None = None
        """Done when the transport is closed; there as soon as the session has ended."""
        self.carried = 0
        """Packets in the answer to the last poll."""
        self._keeper = keeper
        self._traffic = keeper.traffic
        self._options = options
        self._outbox = Outbox(options.limits)
        self._websocket: WebSocket | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._poll: asyncio.Future[str | None] | None = None
        self._upgrading = False
        self._loop = asyncio.get_running_loop()
        self.heartbeat = Heartbeat(
            options.ping_interval,
            options.ping_timeout,
            partial(self.send, _PING),
            partial(self.close, TIMEOUT),
        )

    @property
    def transport(self) -> str:
        """`websocket` or `polling`."""
        return "websocket" if self._websocket else "polling"

    @property
    def queued(self) -> int:
        """How many packets wait for the client."""
        return len(self._outbox)

    @property
    def awaits_poll(self) -> bool:
        """Whether something is queued until the client polls."""
        return bool(self._outbox) and not self._websocket

    @property
    def can_upgrade(self) -> bool:
        """Whether a WebSocket may take over."""
        return not (self._websocket or self._upgrading or self.closed)

    @property
    def _room(self) -> int:
        # Whoever sends a body may well poll only when it is answered: it waits if nothing else helps.
        return self._options.limits.queued_frames // 2 if self._websocket else _ANSWERS

    # What comes

    async def receive(self, packet: Incoming) -> None:
        """Take a packet.

        Raises: Malformed when a client may not send it.
        """
        if packet.kind is Kind.MESSAGE:
            self._traffic.bytes_in += len(packet.data)
            await self._take_turn(len(packet.data))
            await self._keeper.trigger("message", self, packet.data)
        elif packet.kind is Kind.PONG:
            if not self.heartbeat.pong():
                await asyncio.sleep(self.others.take(self._loop.time()))
        elif packet.kind is Kind.CLOSE:
            self.close(CLIENT)
        else:
            raise Malformed("a packet that clients do not send")

    async def _take_turn(self, octets: int) -> None:
        """Leave the client waiting while it sends too much, or does not read what it gets for it."""
        while wait := self._octets.take(self._loop.time(), octets):
            with self.heartbeat.throttled():
                await asyncio.sleep(wait)
        if not self._outbox.has_room(self._room):
            await self.drained()

    # What goes

    def send(self, *packets: Outgoing) -> None:
        """Send packets, one behind the other and nothing between them; who does not read is cut."""
        if self.closed:
            return
        websocket, outbox = self._websocket, self._outbox
        for packet in packets:
            self._traffic.bytes_out += packet.size
            if websocket and not outbox.packets and websocket.writable:
                websocket.write(packet.frame)
            else:
                outbox.put(packet)
        if outbox.packets:
            self._hurry()

    def _hurry(self) -> None:
        if self._outbox.is_over:
            self.close(SLOW)
        elif self._websocket:
            if self._flushing is None:
                self._flushing = self._keeper.create_task(self._flush(self._websocket))
        elif self._poll and not self._poll.done():
            self._poll.set_result(None)

    async def _flush(self, websocket: WebSocket) -> None:
        while self._outbox and not self.closed and await websocket.drained():
            while self._outbox and websocket.writable:
                websocket.write(self._outbox.pop().frame)
        self._flushing = None

    async def drained(self) -> bool:
        """Wait until the client has taken what is queued; false when the session has ended instead."""
        await self._outbox.emptied()
        await asyncio.sleep(0)
        return not self.closed

    async def poll(self, most: int | None = None) -> str:
        """Give the payload for a poll, of so many packets at most, once there is one.

        Raises: DuplicatePoll.
        """
        if self._poll:
            self.close(ERROR)
            raise DuplicatePoll
        if self._upgrading:
            return _NOOP.text
        if self._outbox:
            return self._carry(most)
        return await self._wait(most)

    async def _wait(self, most: int | None) -> str:
        self._poll = self._loop.create_future()
        try:
            last = await self._poll
        except asyncio.CancelledError:
            # Nobody knows what the client has read: it is to come back and ask.
            self.close(LOST)
            raise
        finally:
            self._poll = None
        return last or self._carry(most) or _NOOP.text

    def _carry(self, most: int | None) -> str:
        packets = self._outbox.take(most)
        self.carried = len(packets)
        return encode_payload(packets)

    # WebSockets

    async def serve(self, websocket: WebSocket) -> None:
        """Read a WebSocket until it or the session ends.

        Raises: Malformed.
        """
        self._websocket = websocket
        if self._outbox:
            self._hurry()
        while not self.closed:
            data = await websocket.receive()
            if data is None:
                break
            await self.receive(decode(data))
        self.close(LOST)

    async def upgrade(self, websocket: WebSocket) -> bool:
        """Probe a WebSocket; false when the client breaks off, and the session stays with polling."""
        self._upgrading = True
        try:
            async with asyncio.timeout(self._options.limits.connect_timeout):
                return await self._probe(websocket)
        except TimeoutError:
            return False
        finally:
            self._upgrading = False

    async def _probe(self, websocket: WebSocket) -> bool:
        if await websocket.receive() != Kind.PING + _PROBE:
            return False
        websocket.write(Outgoing(Kind.PONG, _PROBE).frame)
        if self._poll and not self._poll.done():
            self._poll.set_result(_NOOP.text)
        return await websocket.receive() == Kind.UPGRADE and not self.closed

    # The end

    def close(self, ending: Ending) -> None:
        """End the session; its `disconnect` follows at once, and once."""
        if self.closed:
            return
        self.closed = True
        self.heartbeat.stop()
        self._keeper.forget(self, ending)
        rest = self._outbox.clear()
        if self._poll and not self._poll.done():
            self._poll.set_result(encode_payload([*rest, Outgoing(ending.last)]))
            self.carried = len(rest)
        elif not self._websocket:
            self._keeper.lose(len(rest))
        self.ended = self._keeper.create_task(self._end(ending, rest if ending.flush else []))

    async def _end(self, ending: Ending, rest: list[Outgoing]) -> None:
        await self._keeper.trigger("disconnect", self, ending.reason)
        if self._websocket:
            for packet in rest:
                self._websocket.write(packet.frame)
            await self._websocket.close(ending.code, ending.grace)

    def abort(self) -> None:
        """Drop the connection, whatever the peer does."""
        if self._websocket:
            self._keeper.lose(self._websocket.unsent)
            self._websocket.abort()
