"""Decide about the packets that wait, and send packets of the user's own, in a running proxy."""

import asyncio
import contextlib
from collections.abc import Callable

from nsroom.channel import Channel, now
from nsroom.client.events import Acknowledge, Emit
from nsroom.proxy.decisions import Decided, Sending
from nsroom.proxy.intercepting import MAX_BYTES, MAX_WAITING, Decision, Interception
from nsroom.proxy.marks import is_pending
from nsroom.proxy.polling import Polling, Request
from nsroom.proxy.sessions import Sessions
from nsroom.proxy.upstream import Upstream
from nsroom.record import Direction, Record

_MAX_FLUSH = 2.0
"""Seconds to send at the end what waited."""
_FULL = (
    f"{MAX_WAITING:,} packets or {MAX_BYTES // 2**20} MiB wait: until you decide, connections with waiting "
    "packets are not read, heartbeats included"
)


class Interceptor:
    """The interception of a running proxy; every change puts its records into the channel."""

    def __init__(
        self,
        holds: Callable[[Record], bool],
        sessions: Sessions,
        upstream: Upstream,
        channel: Channel,
        say: Callable[[str], None],
    ) -> None:
        """`holds` selects the packets that wait, and `say` prints a line for the user."""
        self._fewer = asyncio.Event()
        self._channel = channel
        self._say = say
        self._has_said_full = False
        self.interception = Interception(holds, sessions, self._fewer.set)
        self.polling = Polling(upstream, self.interception, channel, say)
        self.writers: set[asyncio.StreamWriter] = set()
        """Those of the connections that packets are sent through."""

    async def answer(self, request: Request) -> bytes:
        """Return the response to a polling request. Raises: NoAnswerError."""
        direction = Direction.OUT if request.exchange.method == "POST" else Direction.IN
        session = self.polling.session(request.link)
        await self.room(lambda: session.is_waiting(direction))
        return await self.polling.answer(request)

    async def room(self, is_waiting: Callable[[], bool]) -> None:
        """Wait while too much waits, and `is_waiting` says that it does in this direction."""
        while self.interception.is_full and is_waiting():
            if not self._has_said_full:
                self._has_said_full = True
                self._say(_FULL)
            self._fewer.clear()
            await self._fewer.wait()

    def decide(self, id: int, decision: Decision) -> None:
        """Forward, edit or drop a packet. Raises: UsageError."""
        self._channel.put(self.interception.decide(id, decision, now()))

    def forward_all(self) -> int:
        """Forward everything that waits; return the number of packets."""
        records = self.interception.forward_all(now())
        self._channel.put(records)
        return len(records)

    def emit(self, sid: str | None, direction: Direction, emit: Emit, ask: bool = False) -> None:
        """Send an event to the server of a client (`out`) or to the client (`in`). Raises: UsageError."""
        session = self.interception.find(sid)
        self._channel.put(session.emit(direction, emit, ask, now()))

    def reply(self, sid: str | None, direction: Direction, answer: Acknowledge) -> None:
        """Acknowledge an event to the server (`out`) or to the client (`in`). Raises: UsageError."""
        session = self.interception.find(sid)
        self._channel.put(session.reply(direction, answer, now()))

    def obey(self, command: Decided | Sending) -> None:
        """Do what a line of stdin says. Raises: UsageError."""
        if isinstance(command, Decided):
            self.decide(*command)
        elif isinstance(command.item, Emit):
            self.emit(command.sid, command.direction, command.item, command.ask)
        else:
            self.reply(command.sid, command.direction, command.item)

    def stop(self, reason: str) -> None:
        """Forward everything that waits, and let nothing wait any more."""
        records = self.interception.stop(now())
        self._channel.put(records)
        self._say(f"{reason}: {_forwarded(len(records))}, and packets no longer wait")

    async def finish(self) -> list[Record]:
        """Forward what waits when the proxy ends, and wait until it is sent; return the records."""
        records = self.interception.stop(now())
        if records:
            self._say(f"the proxy ends: {_forwarded(len(records))}")
            try:
                async with asyncio.timeout(_MAX_FLUSH):
                    await self._sent()
            except TimeoutError:
                self._say(f"not all of them could be sent within {_MAX_FLUSH:g} s")
        return records

    async def close(self) -> None:
        """Cancel the polling requests under way."""
        await self.polling.close()

    async def _sent(self) -> None:
        """Wait until everything is sent."""
        await self.polling.sent()
        for writer in list(self.writers):
            writer.transport.set_write_buffer_limits(0)
            with contextlib.suppress(ConnectionError):
                await writer.drain()


def _forwarded(count: int) -> str:
    return f"{count:,} packet{' that waited was' if count == 1 else 's that waited were'} forwarded"


def settled_only(keep: Callable[[Record], bool] | None) -> Callable[[Record], bool]:
    """Return a filter without the packets that wait: a recording has only what was passed on or dropped."""
    return lambda record: not is_pending(record) and (keep is None or keep(record))


def always_shown(keep: Callable[[Record], bool] | None) -> Callable[[Record], bool] | None:
    """Return a filter that also keeps the packets that wait: the user must decide about them."""
    return keep if keep is None else lambda record: is_pending(record) or keep(record)
