"""One Engine.IO session: its transports, its queue, its end.

States: it starts on polling, or on a WebSocket (`serve`). From polling, `upgrade` probes a WebSocket: PING
"probe", PONG "probe", UPGRADE; until then polls are answered with a NOOP. If the probe fails or times out,
the session stays on polling. `close` ends it, once, from any state.

Invariants: packets leave in the order of `send`, with nothing between the packets of one `send`. They are
queued only while the transport cannot take them; a client whose queue exceeds its bounds is closed as a slow
reader. Only one poll and one POST may be pending. `closed` is set before anything else happens at the end.

Order of calls: `poll` or `serve` deliver the packets that `send` queued; `receive` handles one packet after
the other, and waits while the client sends too much; `close` removes the session from the server, answers the
pending poll and runs the `disconnect` handler; `ended` is done when the transport is closed.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from time import time
from typing import Any, Protocol, TypeVar

from nsroom_server.counters import Traffic
from nsroom_server.engineio.close_reasons import CLIENT, ERROR, LOST, SLOW, TIMEOUT, CloseReason
from nsroom_server.engineio.heartbeat import Heartbeat
from nsroom_server.engineio.packets import Incoming, Kind, Outgoing, decode, encode_payload
from nsroom_server.engineio.send_queue import SendQueue
from nsroom_server.engineio.websocket import WebSocket
from nsroom_server.errors import Malformed
from nsroom_server.settings.faults import Faults
from nsroom_server.settings.limits import Limits
from nsroom_server.token_bucket import Bucket

T = TypeVar("T")

_NOOP, _PING = Outgoing(Kind.NOOP), Outgoing(Kind.PING)
_PROBE = "probe"
_ANSWERS = 22
"""The most frames that one packet can cause for its sender: an event and an acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of all sessions; times in seconds, sizes in bytes."""

    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    max_payload: int = 1_000_000
    limits: Limits = Limits()  # noqa: RUF009 - frozen, and the same for all
    faults: Faults = Faults()  # noqa: RUF009


class DuplicatePoll(Exception):
    """A second poll arrived while the first was pending, which closed the session."""


class SessionServer(Protocol):
    """What a session needs from the server."""

    options: Options
    traffic: Traffic

    async def trigger(self, event: str, session: "Session", *args: Any) -> None:
        """Run the handler of an event."""

    def forget(self, session: "Session", reason: CloseReason) -> None:
        """Handle the end of a session, before its `disconnect`."""

    def lose(self, packets: int) -> None:
        """Count packets that could not be sent."""

    def create_task(self, job: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that is cancelled when the server stops."""


class Session:
    """One client, on polling, on a WebSocket, or upgrading from one to the other."""

    def __init__(self, server: SessionServer, sid: str, address: str) -> None:
        options = server.options
        self.sid = sid
        self.address = address
        self.at = time()
        """When it was opened, in seconds since the epoch."""
        self.events = Bucket(options.limits.events_per_second, options.limits.events_burst)
        self.others = Bucket(options.limits.events_per_second, options.limits.events_burst)
        """For packets other than events."""
        self._bytes = Bucket(options.limits.bytes_per_second, options.limits.bytes_burst)
        self.closed = False
        self.pushing = False
        """Whether a body is being read or handled."""
        self.ended: asyncio.Task[None] | None = None
        """Done when the transport is closed; None until the session is closed."""
        self.carried = 0
        """Packets in the response to the last poll."""
        self._server = server
        self._traffic = server.traffic
        self._options = options
        self._queue = SendQueue(options.limits)
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
        """The number of queued packets."""
        return len(self._queue)

    @property
    def awaits_poll(self) -> bool:
        """Whether packets are queued until the client polls."""
        return bool(self._queue) and not self._websocket

    @property
    def can_upgrade(self) -> bool:
        """Whether the session may be upgraded to a WebSocket."""
        return not (self._websocket or self._upgrading or self.closed)

    @property
    def _room(self) -> int:
        # A client may poll only after its POST is answered: do not make it wait for an empty queue.
        return self._options.limits.queued_frames // 2 if self._websocket else _ANSWERS

    # Receiving

    async def receive(self, packet: Incoming) -> None:
        """Handle a packet.

        Raises: Malformed for a packet that clients must not send.
        """
        if packet.kind is Kind.MESSAGE:
            self._traffic.bytes_in += len(packet.data)
            await self._take_turn(len(packet.data))
            await self._server.trigger("message", self, packet.data)
        elif packet.kind is Kind.PONG:
            if not self.heartbeat.pong():
                await asyncio.sleep(self.others.take(self._loop.time()))
        elif packet.kind is Kind.CLOSE:
            self.close(CLIENT)
        else:
            raise Malformed("unexpected packet type")

    async def _take_turn(self, size: int) -> None:
        """Wait while the client sends too much, or does not read its answers."""
        while wait := self._bytes.take(self._loop.time(), size):
            with self.heartbeat.throttled():
                await asyncio.sleep(wait)
        if not self._queue.has_room(self._room):
            await self.drained()

    # Sending

    def send(self, *packets: Outgoing) -> None:
        """Send packets in a row; a client that does not read is disconnected."""
        if self.closed:
            return
        websocket, queue = self._websocket, self._queue
        for packet in packets:
            self._traffic.bytes_out += packet.size
            if websocket and not queue.packets and websocket.writable:
                websocket.write(packet.frame)
            else:
                queue.put(packet)
        if queue.packets:
            self._flush_or_close()

    def _flush_or_close(self) -> None:
        if self._queue.is_over:
            self.close(SLOW)
        elif self._websocket:
            if self._flushing is None:
                self._flushing = self._server.create_task(self._flush(self._websocket))
        elif self._poll and not self._poll.done():
            self._poll.set_result(None)

    async def _flush(self, websocket: WebSocket) -> None:
        while self._queue and not self.closed and await websocket.drained():
            while self._queue and websocket.writable:
                websocket.write(self._queue.pop().frame)
        self._flushing = None

    async def drained(self) -> bool:
        """Wait until the queue is empty, and return whether the session is still open."""
        await self._queue.emptied()
        await asyncio.sleep(0)
        return not self.closed

    async def poll(self, most: int | None = None) -> str:
        """Return the payload for a poll, of up to `most` packets, once there are any.

        Raises: DuplicatePoll.
        """
        if self._poll:
            self.close(ERROR)
            raise DuplicatePoll
        if self._upgrading:
            return _NOOP.text
        if self._queue:
            return self._take_payload(most)
        return await self._wait(most)

    async def _wait(self, most: int | None) -> str:
        self._poll = self._loop.create_future()
        try:
            last = await self._poll
        except asyncio.CancelledError:
            # Unknown how much the client has read: it must reconnect and ask.
            self.close(LOST)
            raise
        finally:
            self._poll = None
        return last or self._take_payload(most) or _NOOP.text

    def _take_payload(self, most: int | None) -> str:
        packets = self._queue.take(most)
        self.carried = len(packets)
        return encode_payload(packets)

    # WebSockets

    async def serve(self, websocket: WebSocket) -> None:
        """Read a WebSocket until it or the session is closed.

        Raises: Malformed.
        """
        self._websocket = websocket
        if self._queue:
            self._flush_or_close()
        while not self.closed:
            data = await websocket.receive()
            if data is None:
                break
            await self.receive(decode(data))
        self.close(LOST)

    async def upgrade(self, websocket: WebSocket) -> bool:
        """Probe a WebSocket, and return whether the client completed the upgrade."""
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

    # Closing

    def close(self, reason: CloseReason) -> None:
        """Close the session; its `disconnect` handler runs once."""
        if self.closed:
            return
        self.closed = True
        self.heartbeat.stop()
        self._server.forget(self, reason)
        rest = self._queue.clear()
        if self._poll and not self._poll.done():
            self._poll.set_result(encode_payload([*rest, Outgoing(reason.last)]))
            self.carried = len(rest)
        elif not self._websocket:
            self._server.lose(len(rest))
        self.ended = self._server.create_task(self._end(reason, rest if reason.flush else []))

    async def _end(self, reason: CloseReason, rest: list[Outgoing]) -> None:
        await self._server.trigger("disconnect", self, reason.reason)
        if self._websocket:
            for packet in rest:
                self._websocket.write(packet.frame)
            await self._websocket.close(reason.code, reason.grace)

    def abort(self) -> None:
        """Drop the connection."""
        if self._websocket:
            self._server.lose(self._websocket.unsent)
            self._websocket.abort()
