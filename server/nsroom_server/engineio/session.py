"""One Engine.IO session: its transports, its queue, its end.

States: it starts on polling, or on a WebSocket (`serve`). From polling, `upgrade` probes a WebSocket: PING
"probe", PONG "probe", UPGRADE; until then polls are answered with a NOOP. If the probe fails or times out,
the session stays on polling. `close` ends it, once, from any state.

Invariants: packets leave in the order of `send`, with nothing between the packets of one `send`. They are
queued only while the transport cannot take them; a client whose queue exceeds its bounds is closed as a slow
reader. Only one poll and one POST may be pending. `closed` is set before anything else happens at the end.

Order of calls: `poll` or `serve` deliver the packets that `send` queued; `receive` handles one packet after
the other, and waits while the client sends too much; `close` removes the session from the server, answers the
pending poll and runs the `disconnect` handler; `close_task` is done when the transport is closed.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from time import monotonic, time
from typing import Any, Protocol, TypeVar

from nsroom_server.counters import Traffic
from nsroom_server.engineio.close_reasons import (
    CLIENT_DISCONNECT,
    PING_TIMEOUT,
    SLOW_READER,
    TRANSPORT_CLOSE,
    TRANSPORT_ERROR,
    CloseReason,
)
from nsroom_server.engineio.heartbeat import Heartbeat
from nsroom_server.engineio.packets import Batch, Incoming, Outgoing, PacketType, decode, encode_payload
from nsroom_server.engineio.send_queue import SendQueue
from nsroom_server.engineio.websocket import WebSocket
from nsroom_server.errors import Malformed
from nsroom_server.settings.faults import Faults
from nsroom_server.settings.limits import Limits
from nsroom_server.token_bucket import TokenBucket

T = TypeVar("T")

_NOOP, _PING = Outgoing(PacketType.NOOP), Outgoing(PacketType.PING)
_PROBE = "probe"
_MAX_ANSWER = 22
"""The most frames that one packet can cause for its sender: an event and an acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of all sessions; times in seconds, sizes in bytes."""

    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    max_payload: int = 1_000_000
    recovery: float = 0.0
    """How long a client whose connection is lost can be recovered."""
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

    def catch_up(self, session: "Session") -> None:
        """Send what is collected for several sessions to one of them."""

    def remove_session(self, session: "Session", reason: CloseReason) -> None:
        """Handle the end of a session, before its `disconnect`."""

    def count_undelivered(self, packets: int) -> None:
        """Count packets that could not be sent."""

    def create_task(self, job: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that is cancelled when the server stops."""


class Session:
    """One client, on polling, on a WebSocket, or upgrading from one to the other."""

    def __init__(self, server: SessionServer, sid: str, address: str) -> None:
        options = server.options
        self.sid = sid
        self.address = address
        self.opened_at = time()
        """When it was opened, in seconds since the epoch."""
        self.event_bucket = TokenBucket(options.limits.events_per_second, options.limits.events_burst)
        self.packet_bucket = TokenBucket(options.limits.events_per_second, options.limits.events_burst)
        """For packets other than events."""
        self._byte_bucket = TokenBucket(options.limits.bytes_per_second, options.limits.bytes_burst)
        self.closed = False
        self.posting = False
        """Whether a body is being read or handled."""
        self.close_task: asyncio.Task[None] | None = None
        """Done when the transport is closed; None until the session is closed."""
        self.polled = 0
        """Packets in the response to the last poll."""
        self._server = server
        self._traffic = server.traffic
        self._options = options
        self._queue = SendQueue(options.limits)
        self._websocket: WebSocket | None = None
        self._flush_task: asyncio.Task[None] | None = None
        self._poll: asyncio.Future[str | None] | None = None
        self._upgrading = False
        # Asked for once: it takes a system call.
        self.loop = asyncio.get_running_loop()
        self.heartbeat = Heartbeat(
            self.loop,
            options.ping_interval,
            options.ping_timeout,
            partial(self.send, _PING),
            partial(self.close, PING_TIMEOUT),
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
    def _required_space(self) -> int:
        # A client may poll only after its POST is answered: do not make it wait for an empty queue.
        return self._options.limits.queued_frames // 2 if self._websocket else _MAX_ANSWER

    # Receiving

    async def receive(self, packet: Incoming) -> None:
        """Handle a packet.

        Raises: Malformed for a packet that clients must not send.
        """
        if packet.type is PacketType.MESSAGE:
            self._traffic.bytes_in += len(packet.data)
            await self._throttle(len(packet.data))
            await self._server.trigger("message", self, packet.data)
        elif packet.type is PacketType.PONG:
            if not self.heartbeat.pong():
                await asyncio.sleep(self.packet_bucket.take(monotonic()))
        elif packet.type is PacketType.CLOSE:
            self.close(CLIENT_DISCONNECT)
        else:
            raise Malformed("unexpected packet type")

    async def _throttle(self, size: int) -> None:
        """Wait while the client sends too much, or does not read its answers."""
        while wait := self._byte_bucket.take(monotonic(), size):
            with self.heartbeat.throttled():
                await asyncio.sleep(wait)
        if not self._queue.has_space(self._required_space):
            await self.drain()

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

    def send_batch(self, batch: Batch) -> None:
        """Send packets that many receive; in one step if the client reads."""
        websocket = self._websocket
        if websocket and not self.closed and not self._queue.packets and websocket.offer(batch):
            self._traffic.bytes_out += batch.octets
        else:
            for packets in batch.groups:
                self.send(*packets)

    def _flush_or_close(self) -> None:
        if self._queue.is_over_limit:
            self.close(SLOW_READER)
        elif self._websocket:
            if self._flush_task is None:
                self._flush_task = self._server.create_task(self._flush(self._websocket))
        elif self._poll and not self._poll.done():
            self._poll.set_result(None)

    async def _flush(self, websocket: WebSocket) -> None:
        while self._queue and not self.closed and await websocket.drain():
            while self._queue and websocket.writable:
                websocket.write(self._queue.pop().frame)
        self._flush_task = None

    async def drain(self) -> bool:
        """Wait until the queue is empty, and return whether the session is still open."""
        await self._queue.wait_empty()
        await asyncio.sleep(0)
        return not self.closed

    async def poll(self, max_packets: int | None = None) -> str:
        """Return the payload for a poll, of up to `max_packets` packets, once there are any.

        Raises: DuplicatePoll.
        """
        if self._poll:
            self.close(TRANSPORT_ERROR)
            raise DuplicatePoll
        if self._upgrading:
            return _NOOP.text
        if self._queue:
            return self._take_payload(max_packets)
        return await self._wait_for_payload(max_packets)

    async def _wait_for_payload(self, max_packets: int | None) -> str:
        self._poll = self.loop.create_future()
        try:
            payload = await self._poll
        except asyncio.CancelledError:
            # Unknown how much the client has read: it must reconnect and ask.
            self.close(TRANSPORT_CLOSE)
            raise
        finally:
            self._poll = None
        return payload or self._take_payload(max_packets) or _NOOP.text

    def _take_payload(self, max_packets: int | None) -> str:
        packets = self._queue.take(max_packets)
        self.polled = len(packets)
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
        self.close(TRANSPORT_CLOSE)

    async def upgrade(self, websocket: WebSocket) -> bool:
        """Probe a WebSocket, and return whether the client completed the upgrade."""
        self._upgrading = True
        try:
            async with asyncio.timeout(self._options.limits.connect_timeout):
                return await self._probe(websocket)
        except (TimeoutError, Malformed):
            return False
        finally:
            self._upgrading = False

    async def _probe(self, websocket: WebSocket) -> bool:
        if await websocket.receive() != PacketType.PING + _PROBE:
            return False
        websocket.write(Outgoing(PacketType.PONG, _PROBE).frame)
        if self._poll and not self._poll.done():
            self._poll.set_result(_NOOP.text)
        return await websocket.receive() == PacketType.UPGRADE and not self.closed

    # Closing

    def close(self, reason: CloseReason) -> None:
        """Close the session; its `disconnect` handler runs once."""
        if not self.closed:
            self._server.catch_up(self)  # which closes the session if its client does not read
        if self.closed:
            return
        self.closed = True
        self.heartbeat.stop()
        self._server.remove_session(self, reason)
        rest = self._queue.clear()
        if self._poll and not self._poll.done():
            self._poll.set_result(encode_payload([*rest, Outgoing(reason.poll_packet)]))
            self.polled = len(rest)
        elif not self._websocket:
            self._server.count_undelivered(len(rest))
        self.close_task = self._server.create_task(
            self._close_transport(reason, rest if reason.flush else [])
        )

    async def _close_transport(self, reason: CloseReason, rest: list[Outgoing]) -> None:
        await self._server.trigger("disconnect", self, reason.text)
        if self._websocket:
            for packet in rest:
                self._websocket.write(packet.frame)
            await self._websocket.close(reason.code, reason.close_timeout)

    def abort(self) -> None:
        """Drop the connection."""
        if self._websocket:
            self._server.count_undelivered(self._websocket.unsent)
            self._websocket.abort()
