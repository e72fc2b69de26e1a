"""The events whose acknowledgement is still to come, and the account of what becomes of them."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from nsroom.client.acks import Refusal, refusal
from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.errors import WaitError
from nsroom.record import Record

_TOO_MANY = "rate_limited"
"""The refusal with which the reference server asks for patience; the event was not taken."""


_STEP = 200
"""Events between two pings."""


_AHEAD = 5
"""Pings that may be unanswered."""


@dataclass(slots=True)
class Tally:
    """What became of the events: `read` is `acked` + `nacked` + `unknown` + what was not sent."""

    read: int = 0
    sent: int = 0
    acked: int = 0
    nacked: int = 0

    @property
    def unknown(self) -> int:
        """Count what was sent and has no answer."""
        return self.sent - self.acked - self.nacked

    @property
    def unconfirmed(self) -> str:
        """Name what was sent and has no answer."""
        return "the event" if self.read == 1 else f"{self.unknown} of {self.sent} events"

    def to_json(self) -> dict[str, int]:
        """Give the summary."""
        return asdict(self) | {"unknown": self.unknown}


class InFlight:
    """Events on their way: each is acknowledged, refused, to be sent again, or lost.

    `timeout` is the longest pause between two acknowledgements; `on_ack` is given those that count.
    """

    def __init__(self, tally: Tally, timeout: float, on_ack: Callable[[Record], None]) -> None:
        self.again: deque[Emit] = deque()
        """What the server refused because it came too fast."""
        self.is_lost = False
        """Whether an acknowledgement will not come any more."""
        self._tally = tally
        self._timeout = timeout
        self._on_ack = on_ack
        self._waiting: set[asyncio.Future[Record]] = set()
        self._answered = asyncio.Event()
        self._taken_at = 0.0
        self._first_refusal = ""

    def add(self, emit: Emit, answer: asyncio.Future[Record]) -> None:
        """Take an event that was sent, and the future of its acknowledgement."""
        self._waiting.add(answer)
        answer.add_done_callback(partial(self._count, emit))

    async def below(self, bound: int) -> None:
        """Wait until there are fewer than that.

        Raises: WaitError when nothing is acknowledged for the time-out.
        """
        while len(self._waiting) >= bound:
            self._answered.clear()
            try:
                async with asyncio.timeout(self._timeout):
                    await self._answered.wait()
            except TimeoutError:
                missing = f"no acknowledgement of {self._tally.unconfirmed}"
                raise WaitError(f"{missing} within {self._timeout:g} s") from None

    @property
    def refusals(self) -> str:
        """Say how many the server refused, and why the first."""
        if self._tally.read == 1:
            return f"the server answered {self._first_refusal}"
        many = f"{self._tally.nacked} of {self._tally.sent} events were refused"
        return f"{many}, first: {self._first_refusal}"

    def _count(self, emit: Emit, answer: asyncio.Future[Record]) -> None:
        self._waiting.discard(answer)
        self._answered.set()
        if answer.cancelled() or answer.exception() is not None:
            self.is_lost = True
            return
        record = answer.result()
        refused = refusal(record.args)
        if refused is None:
            self._tally.acked += 1
            self._taken_at = _now()
        elif self._should_resend(refused):
            self._tally.sent -= 1
            self.again.append(emit)
            return
        else:
            self._tally.nacked += 1
            self._first_refusal = self._first_refusal or str(refused)
        self._on_ack(record)

    def _should_resend(self, refused: Refusal) -> bool:
        """Return whether to resend a refused event: not if none was accepted for the time-out."""
        return bool(refused.code == _TOO_MANY and self._taken_at and _now() - self._taken_at < self._timeout)


def _now() -> float:
    return asyncio.get_running_loop().time()


class Pace:
    """Lets a sender that asks for no acknowledgements go on when the server has read enough of what it sent.

    It is told by the pongs of WebSocket pings among the events. Over polling every request is answered.
    """

    def __init__(self, client: Client, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._sent = 0
        self._pongs: deque[asyncio.Future[None]] = deque()

    async def sent(self, count: int) -> None:
        """Take notice of so many events; wait while the server is too far behind.

        Raises: WaitError when it reads nothing for the time-out, LostError.
        """
        self._sent += count
        if self._sent < _STEP or self._client.transport != "websocket":
            return
        self._sent = 0
        self._pongs.append(await self._client.mark())
        if len(self._pongs) > _AHEAD:
            await self._read(self._pongs.popleft())

    async def settle(self) -> None:
        """Wait until the server has read all of it. Raises: as `sent`."""
        while self._pongs:
            await self._read(self._pongs.popleft())
        await self._client.settle(self._timeout)

    async def _read(self, pong: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await pong
        except TimeoutError:
            raise WaitError(f"the server has read nothing for {self._timeout:g} s") from None
