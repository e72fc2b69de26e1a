"""Deliver many events over one connection, and account for every one of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from nsroom.client.client import Client
from nsroom.client.events import Acknowledge, Emit, Line
from nsroom.client.flow_control import InFlight, Pace, Tally
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

_IN_FLIGHT = 1000
"""How many acknowledgements are waited for at most before more is sent."""
_POLLING_BATCH = 100
"""Events in one request; over WebSocket each goes out by itself."""


class Delivery:
    """Sends events in their order and counts what becomes of them.

    With `ack` each is to be acknowledged; `timeout` is the longest pause between two acknowledgements. What
    the server refuses because it comes too fast is sent again, before anything new, and the rest more slowly.
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
        self._in_flight = InFlight(self.tally, timeout, self._show)
        self._pace = Pace(client, timeout)
        self._window = _IN_FLIGHT
        self._fault: NsroomError | Stopped | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self, lines: AsyncIterator[list[Line]]) -> None:
        """Send all, then wait for what is still unanswered.

        Raises: DataError, LimitError, RefusedError with the line's number, when the lines before it are
        delivered; LostError, WaitError, NackError when not everything was confirmed; what `on_ack` raises.
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
        step = 1 if self._client.transport == "websocket" else _POLLING_BATCH
        for start in range(0, len(batch), step):
            await self._room()
            await self._send_together(batch[start : start + step])
            # Sending to a quick server waits for nothing: let in what it answers.
            await asyncio.sleep(0)

    async def _send_together(self, lines: list[Line]) -> None:
        """Send lines in one request where that can be; else one by one, up to one that cannot be sent."""
        known = self._client.namespaces
        emits = [each.item for each in lines if isinstance(each.item, Emit) and each.item.namespace in known]
        if len(emits) == len(lines) > 1:
            with contextlib.suppress(LimitError, UsageError):  # nothing was sent
                await self._transmit(emits)
                return
        for line in lines:
            await self._send(line)

    async def _send(self, line: Line) -> None:
        try:
            await self._enter(line.item.namespace)
            await self._transmit([line.item])
        except (LimitError, RefusedError, UsageError) as error:
            if line.number is None:
                raise
            kind = DataError if isinstance(error, UsageError) else type(error)
            raise kind(f"line {line.number}: {error}; the lines before it were sent") from None

    async def _enter(self, namespace: str) -> None:
        """Connect to a namespace that a recording names and the command line did not."""
        if namespace not in self._client.namespaces:
            await self._client.enter(namespace)

    async def _transmit(self, items: Sequence[Emit | Acknowledge]) -> None:
        try:
            await self._hand_over(items)
        except LostError:
            # A request that failed may have been read; a frame that was not written was not.
            self.tally.sent += len(items) if self._client.transport == "polling" else 0
            raise
        except asyncio.CancelledError:
            self.tally.sent += len(items)
            raise
        self.tally.sent += len(items)
        if not self._ack:
            await self._pace.sent(len(items))

    async def _hand_over(self, items: Sequence[Emit | Acknowledge]) -> None:
        emits = [item for item in items if isinstance(item, Emit)]
        for item in items:
            if isinstance(item, Acknowledge):
                await self._client.acknowledge(item)
        if emits and self._ack:
            await self._ask(emits)
        elif emits:
            await self._client.emit(*emits)

    async def _ask(self, emits: list[Emit]) -> None:
        for emit, answer in zip(emits, await self._client.ask(*emits), strict=True):
            self._in_flight.add(emit, answer)

    def _show(self, record: Record) -> None:
        """Pass an acknowledgement on; what fails there ends the delivery, not this callback."""
        if self._on_ack is None or self._fault is not None:
            return
        try:
            self._on_ack(record)
        except (NsroomError, Stopped) as error:
            self._fault = error
            if self._task is not None:
                self._task.cancel()

    async def _room(self) -> None:
        await self._in_flight.below(self._window)
        if self._in_flight.again:
            await self._send_again()

    async def _send_again(self) -> None:
        """Send what came too fast, in its order, one by one; and from now on half as far ahead."""
        self._window = max(self._window // 2, 1)
        again = self._in_flight.again
        await self._in_flight.below(1)
        while again:
            emit = again.popleft()
            await self._transmit([emit])
            await self._in_flight.below(1)
            if again and again[-1] is emit:
                again.rotate()

    async def _settle(self) -> None:
        """Wait for the acknowledgements, and until the server has read the rest."""
        await self._in_flight.below(1)
        if self._in_flight.again:
            await self._send_again()
        if self._fault is not None:
            raise self._fault
        if self._in_flight.is_lost:
            raise LostError(f"the connection ended with {self.tally.unconfirmed} unconfirmed")
        await self._pace.settle()
