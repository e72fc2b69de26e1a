"""Limit events in flight, and count their outcomes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace

from nsroom.client.acks import Settle
from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.errors import LostError, WaitError
from nsroom.protocol.refusals import Refusal, refusal
from nsroom.record import Record

_RATE_LIMITED = "rate_limited"
"""The code of a refusal by the reference server when events arrive too fast."""
_PING_INTERVAL = 200
"""Events between two pings."""
_MAX_PINGS = 5
"""Pings that may be unanswered."""


class Tally(SimpleNamespace):
    """The number of events by outcome: `read` is `acked` + `nacked` + `unknown` + those not sent."""

    read: int
    sent: int
    acked: int
    nacked: int

    def __init__(self, read: int = 0, sent: int = 0, acked: int = 0, nacked: int = 0) -> None:
        super().__init__(read=read, sent=sent, acked=acked, nacked=nacked)

    @property
    def unknown(self) -> int:
        """Events that were sent and not answered."""
        return self.sent - self.acked - self.nacked

    @property
    def unconfirmed(self) -> str:
        """The unanswered events, for a message."""
        return "the event" if self.read == 1 else f"{self.unknown} of {self.sent} events"

    def to_json(self) -> dict[str, int]:
        """Return the counts as JSON."""
        return vars(self) | {"unknown": self.unknown}


class InFlight:
    """Events that were sent: each is acknowledged, refused, to be resent, or lost.

    `timeout` is the longest pause between two acknowledgements. `on_ack` is called with each acknowledgement
    and refusal, but not for events to resend. `hint` returns the end of a message about a missing answer.
    """

    def __init__(
        self,
        tally: Tally,
        timeout: float,
        on_ack: Callable[[Record], None],
        hint: Callable[[], str] = str,
    ) -> None:
        self.to_resend: deque[Emit] = deque()
        """Events that the server refused because they arrived too fast."""
        self.any_lost = False
        """Whether the connection ended before an event was answered."""
        self._tally = tally
        self._timeout = timeout
        self._on_ack = on_ack
        self._hint = hint
        self._unanswered = 0
        self._answered = asyncio.Event()
        self._last_ack = 0.0
        self._first_refusal = ""

    def add(self, emits: Sequence[Emit]) -> list[Settle]:
        """Add events that are about to be sent; return what to call with the answer to each."""
        self._unanswered += len(emits)
        return [partial(self._on_answer, emit) for emit in emits]

    def remove(self, number: int) -> None:
        """Remove events that were not sent."""
        self._unanswered -= number

    async def wait_below(self, limit: int) -> None:
        """Wait until fewer events than `limit` are unanswered.

        Raises: WaitError when nothing is acknowledged for the time-out.
        """
        while self._unanswered >= limit:
            self._answered.clear()
            try:
                async with asyncio.timeout(self._timeout):
                    await self._answered.wait()
            except TimeoutError:
                missing = f"no acknowledgement of {self._tally.unconfirmed}"
                raise WaitError(f"{missing} within {self._timeout:g} s{self._hint()}") from None

    @property
    def refusals(self) -> str:
        """The number of refused events, and the reason of the first, for a message."""
        if self._tally.read == 1:
            return f"the server answered {self._first_refusal}{self._hint()}"
        many = f"{self._tally.nacked} of {self._tally.sent} events were refused"
        return f"{many}, first: {self._first_refusal}{self._hint()}"

    def _on_answer(self, emit: Emit, answer: Record | LostError) -> None:
        self._unanswered -= 1
        self._answered.set()
        if isinstance(answer, LostError):
            self.any_lost = True
            return
        refused = refusal(answer.args)
        if refused is None:
            self._tally.acked += 1
            self._last_ack = time.monotonic()
        elif self._should_resend(refused):
            self._tally.sent -= 1
            self.to_resend.append(emit)
            return
        else:
            self._tally.nacked += 1
            self._first_refusal = self._first_refusal or str(refused)
        self._on_ack(answer)

    def _should_resend(self, refused: Refusal) -> bool:
        """Return whether to resend a refused event: not if none was accepted for the time-out."""
        return bool(
            refused.code == _RATE_LIMITED
            and self._last_ack
            and time.monotonic() - self._last_ack < self._timeout
        )


class Backpressure:
    """Pauses a sender that asks for no acknowledgements until the server has read what was sent.

    WebSocket pings are sent between the events, and their pongs show how much was read. Polling needs none:
    each request is answered.
    """

    def __init__(self, client: Client, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._since_ping = 0
        self._pongs: deque[asyncio.Future[None]] = deque()

    async def after_sending(self, count: int) -> None:
        """Count sent events; wait while the server lags too far behind.

        Raises: WaitError when the server reads nothing for the time-out, LostError.
        """
        self._since_ping += count
        if self._since_ping < _PING_INTERVAL or self._client.transport != "websocket":
            return
        self._since_ping = 0
        self._pongs.append(await self._client.mark())
        if len(self._pongs) > _MAX_PINGS:
            await self._wait_for(self._pongs.popleft())

    async def settle(self) -> None:
        """Wait until the server has read everything. Raises: as `after_sending`."""
        while self._pongs:
            await self._wait_for(self._pongs.popleft())
        await self._client.settle(self._timeout)

    async def _wait_for(self, pong: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await pong
        except TimeoutError:
            raise WaitError(f"the server read nothing for {self._timeout:g} s") from None
