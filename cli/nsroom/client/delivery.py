"""Send many events and account for every one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from nsroom.client.client import Client
from nsroom.client.events import Acknowledge, Emit, Line
from nsroom.client.flow_control import Backpressure, InFlight, Tally
from nsroom.errors import (
    ConnectError,
    DataError,
    LimitError,
    LostError,
    NackError,
    NsroomError,
    RefusedError,
    Stopped,
    UsageError,
    WaitError,
)
from nsroom.record import Record

_WINDOW = 1000
"""Unanswered events at most before more are sent."""
_TOGETHER = 100
"""Events that are sent in one piece."""


class Delivery:
    """Sends events in their order and counts their outcomes.

    With `ack`, an acknowledgement is requested for each; `timeout` is the longest pause between two of them.
    An event that the server refuses because it arrives too fast is resent before any new one, and the rest
    is sent more slowly.
    """

    def __init__(
        self,
        client: Client,
        *,
        ack: bool = False,
        timeout: float = 5.0,
        on_ack: Callable[[Record], None] | None = None,
    ) -> None:
        self.tally = Tally()
        self._client = client
        self._ack = ack
        self._on_ack = on_ack
        self._in_flight = InFlight(self.tally, timeout, self._report, lambda: client.hint)
        self._backpressure = Backpressure(client, timeout)
        self._window = _WINDOW
        self._fault: NsroomError | Stopped | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self, lines: AsyncIterator[list[Line]]) -> None:
        """Send all events, then wait for those that are still unanswered.

        Raises: DataError, LimitError, RefusedError with the number of the line, after the lines before it
        were delivered; LostError, WaitError, NackError if not all were confirmed; the errors of `on_ack`.
        """
        self._task = asyncio.current_task()
        try:
            await self._run(lines)
        except asyncio.CancelledError:
            if self._fault is None:
                raise
            raise self._fault from None

    async def _run(self, lines: AsyncIterator[list[Line]]) -> None:
        try:
            async for batch in lines:
                self.tally.read += len(batch)
                await self._send_all(batch)
        except (DataError, LimitError, UsageError, RefusedError, ConnectError):
            with contextlib.suppress(LostError, WaitError):
                await self._settle()
            raise
        await self._settle()
        if self.tally.nacked:
            raise NackError(self._in_flight.refusals)

    async def _send_all(self, batch: list[Line]) -> None:
        start = 0
        while start < len(batch):
            await self._wait_for_room()
            stop = start + min(self._window, _TOGETHER)
            await self._send_together(batch[start:stop])
            start = stop
            # Sending to a fast server never waits, so its answers would not be read.
            await asyncio.sleep(0)

    async def _send_together(self, lines: list[Line]) -> None:
        """Send lines in one piece if possible; otherwise one by one, up to one that cannot be sent."""
        known = self._client.namespaces
        emits = [
            item for _, item, ask in lines if not ask and isinstance(item, Emit) and item.namespace in known
        ]
        if len(emits) == len(lines) > 1:
            with contextlib.suppress(LimitError, UsageError):  # nothing was sent
                await self._transmit(emits, self._ack)
                return
        for line in lines:
            await self._send(line)

    async def _send(self, line: Line) -> None:
        try:
            await self._enter(line.item.namespace)
            await self._transmit([line.item], line.ask or self._ack)
        except (LimitError, RefusedError, UsageError) as error:
            if line.number is None:
                raise
            kind = DataError if isinstance(error, UsageError) else type(error)
            raise kind(f"line {line.number}: {error}; the lines before it were sent") from None

    async def _enter(self, namespace: str) -> None:
        """Connect to a namespace that only a recording names."""
        if namespace not in self._client.namespaces:
            await self._client.enter(namespace)

    async def _transmit(self, items: Sequence[Emit | Acknowledge], ask: bool) -> None:
        try:
            await self._send_items(items, ask)
        except LostError as error:
            # The server may have read a request that failed.
            if error.may_have_arrived or self._client.transport == "polling":
                self.tally.sent += len(items)
            raise
        except asyncio.CancelledError:
            self.tally.sent += len(items)
            raise
        self.tally.sent += len(items)
        if not ask:
            await self._backpressure.after_sending(len(items))

    async def _send_items(self, items: Sequence[Emit | Acknowledge], ask: bool) -> None:
        emits = [item for item in items if isinstance(item, Emit)]
        for item in items:
            if isinstance(item, Acknowledge):
                await self._client.acknowledge(item)
        if emits and ask:
            await self._ask(emits)
        elif emits:
            await self._client.emit(*emits)

    async def _ask(self, emits: list[Emit]) -> None:
        settles = self._in_flight.add(emits)
        try:
            await self._client.ask_for(emits, settles)
        except (LimitError, UsageError):  # nothing was sent
            self._in_flight.remove(len(emits))
            raise

    def _report(self, record: Record) -> None:
        """Call `on_ack`; its error ends the delivery, not the client's reading."""
        if self._on_ack is None or self._fault is not None:
            return
        try:
            self._on_ack(record)
        except (NsroomError, Stopped) as error:
            self._fault = error
            if self._task is not None:
                self._task.cancel()

    async def _wait_for_room(self) -> None:
        await self._in_flight.wait_below(self._window)
        if self._in_flight.to_resend:
            await self._resend()

    async def _resend(self) -> None:
        """Resend the events that arrived too fast, in their order, one by one, and halve the window."""
        self._window = max(self._window // 2, 1)
        events = self._in_flight.to_resend
        await self._in_flight.wait_below(1)
        while events:
            emit = events.popleft()
            await self._transmit([emit], ask=True)
            await self._in_flight.wait_below(1)
            if events and events[-1] is emit:  # refused again: it stays first
                events.rotate()

    async def _settle(self) -> None:
        """Wait for the acknowledgements, and until the server has read everything."""
        await self._in_flight.wait_below(1)
        if self._in_flight.to_resend:
            await self._resend()
        if self._fault is not None:
            raise self._fault
        if self._in_flight.any_lost:
            raise LostError(f"the connection ended with {self.tally.unconfirmed} unconfirmed")
        await self._backpressure.settle()
