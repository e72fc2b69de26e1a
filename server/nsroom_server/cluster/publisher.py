"""What this server has to tell the others, on its way into Redis: in order, each once, or refused in time.

One call is under way at a time and takes whatever waits, so that a round trip, and Redis' sync to its disk,
is shared. A call without an answer is made again until there is one: the script knows what it has done.
"""

import asyncio
import logging
import math
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from redis.asyncio import Redis

from nsroom_server.cluster.connection import FAILURES, Line, channel
from nsroom_server.cluster.entries import Entry, Op
from nsroom_server.cluster.scripts import SUBMIT
from nsroom_server.counters import BusFigures
from nsroom_server.errors import Code, Refusal

log = logging.getLogger("nsroom_server")

PATIENCE = 2.0
"""Seconds that an acknowledgement waits for Redis."""
BEAT = 1.0
"""Seconds between two renewals of the lease."""
LEASE = 5.0
"""Seconds without one until a server's members are gone."""
_GRACE = 2.5
"""Seconds without anybody's, after which it was not the servers that were absent."""
LONGEST_PAUSE = 1.0
"""Seconds between two attempts."""
_BUS_LENGTH = 100_000
"""Entries that a server can be behind …"""
_BUS_MEBIBYTES = 64
"""… as long as they are not larger than that."""
_BATCH = 256
_BATCH_OCTETS = 1_048_576
_WAITING_OCTETS = 67_108_864
_REFUSED_AT_ONCE = 32


@dataclass(slots=True)
class _Submission:
    """An entry on its way; `heard` is done when it has come back, the result is a message's id."""

    number: int
    entry: Entry
    lasting: bool
    heard: asyncio.Future[int]
    result: int = 0


_ALONE = {
    Op.MESSAGE: "only members on this one got it, nothing is kept",
    Op.EVENT: "only members on this one got it, nothing is kept",
    Op.ASK: "it is done on this one only",
}


def _refusal(entry: Entry) -> Refusal:
    outcome = _ALONE.get(entry.op, "nothing has changed, try again")
    return Refusal(Code.BUS_UNAVAILABLE, f"the other servers cannot be reached: {outcome}")


@dataclass(slots=True)
class Clock:
    """Redis' clock, as far as it can be known here: it shows at least this."""

    _ahead: float = math.nan

    def set(self, milliseconds: int, now: float) -> None:
        """Take notice of what it showed, not after `now`."""
        self._ahead = milliseconds - now * 1000

    def at(self, moment: float) -> int:
        """Give what it will show at least; 0 when nothing is known."""
        return 0 if math.isnan(self._ahead) else int(self._ahead + moment * 1000)


class Publisher:
    """Writes to the bus; `renewed` is called when Redis has lost something."""

    def __init__(self, redis: Redis, renewed: Callable[[], None], keep: int) -> None:
        """`keep` is the number of messages kept in each room, 0 for none."""
        self.origin = secrets.token_hex(8)
        self.epoch = ""
        self.figures = BusFigures()
        self.since: float | None = None
        """When the call was first made that has no answer yet."""
        self._renewed = renewed
        self._keep = keep
        self._line = Line(redis)
        self._script = redis.register_script(SUBMIT)
        self._channel = channel(redis)
        self._clock = Clock()
        self._waiting: deque[_Submission] = deque()
        self._octets = 0
        self._wake = asyncio.Event()
        self._number = 0
        self._confirmed = 0
        self._unheard: dict[int, _Submission] = {}
        self._refused: set[int] = set()
        self._refusals: deque[_Submission] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._complained: float | None = None

    @property
    def waiting(self) -> int:
        """How many entries are not written yet."""
        return len(self._waiting)

    def now(self) -> int:
        """Give the time by Redis' clock, in milliseconds, or a little less; 0 when it is not known."""
        return self._clock.at(asyncio.get_running_loop().time())

    @property
    def available(self) -> bool:
        """Whether Redis answers, as far as is known."""
        return self.since is None or asyncio.get_running_loop().time() < self.since + PATIENCE

    def submit(self, entry: Entry, lasting: bool = False) -> asyncio.Future[int]:
        """Tell all servers; the result is a message's id, once the entry is on the bus and has come back.

        What is lasting is never given up. Raises (from the future): Refusal.
        """
        self._number += 1
        heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        submission = _Submission(self._number, entry, lasting, heard)
        if not lasting and (not self.available or self._octets > _WAITING_OCTETS):
            self._refuse(submission)
            return heard
        self._waiting.append(submission)
        self._unheard[submission.number] = submission
        self._octets += entry.octets
        self._wake.set()
        return heard

    def publish(self, entry: Entry, lasting: bool = False) -> None:
        """Tell all servers, if they can be told; nobody waits for it."""
        self.submit(entry, lasting).add_done_callback(_ignore)

    def hear(self, number: int) -> bool:
        """Take notice of an own entry that comes back; false when it was refused before it came there."""
        refused = number in self._refused
        # They come in order: what was refused with a smaller number never came there.
        self._refused = {each for each in self._refused if each > number}
        return not refused

    def settle(self, number: int, result: int) -> None:
        """Answer whoever waits for an own entry."""
        submission = self._unheard.pop(number, None)
        if submission and not submission.heard.done():
            submission.heard.set_result(result)

    def settle_confirmed(self) -> None:
        """Answer for what is on the bus and cannot come back."""
        for number in [number for number in self._unheard if number <= self._confirmed]:
            self.settle(number, self._unheard[number].result)

    async def run(self) -> None:
        """Write until cancelled, and renew the lease."""
        pause = 0.0
        while True:
            if not self._waiting and self.since is None:
                await self._idle()
            if await self.attempt():
                pause = 0.0
            else:
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2 or 0.05)

    async def _idle(self) -> None:
        self._wake.clear()
        timer = asyncio.get_running_loop().call_later(BEAT, self._wake.set)
        await self._wake.wait()
        timer.cancel()

    async def attempt(self) -> bool:
        """Make one call; false when Redis does not answer."""
        self._begin()
        batch = self._batch()
        try:
            answer = await self.call(batch)
        except FAILURES as error:
            self._complain(error)
            return False
        self._end()
        self._confirm(batch, answer)
        return True

    async def call(self, batch: Sequence[_Submission] = (), leaving: bool = False) -> list[str]:
        """Run the script; give the results.

        Raises: one of FAILURES.
        """
        loop = asyncio.get_running_loop()
        deadline = self._clock.at((self.since or loop.time()) + PATIENCE)
        timing = (deadline, int(LEASE * 1000), int(_GRACE * 1000), _BUS_LENGTH, _BUS_MEBIBYTES, self._keep)
        how = (self.origin, secrets.token_hex(8), self._confirmed, "leaving" if leaving else "", *timing)
        rows = [(each.number, "1" if each.lasting else "", *each.entry.row) for each in batch]
        cells = [*how, self._channel, *(cell for row in rows for cell in row)]
        answer: str = await self._line.run(self._script, cells)
        epoch, time, sequence, servers, *results = answer.split()
        self._clock.set(int(time), loop.time())
        self.figures.written, self.figures.servers = int(sequence), int(servers)
        known, self.epoch = self.epoch, epoch
        if known not in ("", epoch):
            self._renewed()
        return results

    def _batch(self) -> list[_Submission]:
        batch: list[_Submission] = []
        octets = 0
        for submission in self._waiting:
            octets += submission.entry.octets
            if batch and (octets > _BATCH_OCTETS or len(batch) == _BATCH):
                break
            batch.append(submission)
        return batch

    def _confirm(self, batch: Sequence[_Submission], results: Sequence[str]) -> None:
        for submission, result in zip(batch, results, strict=True):
            self._confirmed = submission.number
            if self._waiting and self._waiting[0] is submission:
                self._take()
            if result == "late":
                self._refuse(submission)
            else:
                self.figures.published += 1
                submission.result = int(result)

    def _take(self) -> _Submission:
        submission = self._waiting.popleft()
        self._octets -= submission.entry.octets
        return submission

    # An outage

    def _begin(self) -> None:
        if self.since is None:
            loop = asyncio.get_running_loop()
            self.since = loop.time()
            self._timer = loop.call_at(self.since + PATIENCE, self._give_up)

    def _end(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._complained is not None:
            log.info("the bus is back", extra={"fields": {"seconds": round(now - self._complained, 1)}})
        self.since = self._complained = None
        if self._timer:
            self._timer.cancel()

    def _complain(self, error: Exception) -> None:
        if self._complained is None:
            self._complained = self.since
            self.figures.outages += 1
            log.warning("the bus does not answer", extra={"fields": {"cause": str(error) or "time-out"}})

    def _give_up(self) -> None:
        """Refuse what waits; what Redis may have got all the same comes too late there."""
        lasting = [each for each in self._waiting if each.lasting]
        for submission in self._waiting:
            if not submission.lasting:
                self._refuse(submission)
                self._refused.add(submission.number)
        self._waiting = deque(lasting)
        self._octets = sum(each.entry.octets for each in lasting)

    def _refuse(self, submission: _Submission) -> None:
        """Refuse it after those before it; there may be thousands, and others want their turn."""
        self._unheard.pop(submission.number, None)
        self._refusals.append(submission)
        if len(self._refusals) == 1:
            asyncio.get_running_loop().call_soon(self._refuse_some)

    def _refuse_some(self) -> None:
        for submission in tuple(islice(self._refusals, _REFUSED_AT_ONCE)):
            if not submission.heard.done():
                submission.heard.set_exception(_refusal(submission.entry))
            self._refusals.popleft()
        if self._refusals:
            asyncio.get_running_loop().call_soon(self._refuse_some)

    async def close(self) -> None:
        """Write what waits, as far as Redis takes it, and say that this server's members are gone."""
        while self._waiting and await self.attempt():
            continue
        try:
            await self.call(leaving=True)
        except FAILURES as error:
            self._complain(error)
        if self._timer:
            self._timer.cancel()

    async def hang_up(self) -> None:
        """End the connection to Redis."""
        await self._line.hang_up()


def _ignore(heard: asyncio.Future[int]) -> None:
    if not heard.cancelled():
        heard.exception()
