"""Append entries to the stream: in order, exactly once, or refused in time.

A submission is *waiting* until a call of the script has *published* it, and *confirmed* once it has been read
back and applied here. If Redis does not answer within ACK_TIMEOUT it is *refused*, unless it is persistent.

- One call at a time takes the oldest waiting submissions: they share a round trip and Redis' sync to disk.
- A call without an answer is repeated. The script knows what it has done, and refuses what comes too late.
- A refused entry may be on the bus all the same, if only the answer was late: `pop_refusal` reports it.
- Each call renews this server's lease, and an idle publisher makes one every RENEW_INTERVAL. When a lease
  expires, the next call of any server removes the members of the server that held it.
- An answer with a new epoch means that Redis has lost data.

Order of calls: `run_script` once, to join; `run` as a task, with `submit` and `publish` at any time; for each
own entry that is read back `pop_refusal`, then `confirm`; at the end `close` and `disconnect`.
"""

import asyncio
import logging
import math
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from nsroom_server.cluster.connection import FAILURES, RedisConnection, channel_name
from nsroom_server.cluster.entries import Entry
from nsroom_server.cluster.scripts import SUBMIT
from nsroom_server.cluster.submissions import Refusals, Submission
from nsroom_server.counters import BusFigures

log = logging.getLogger("nsroom_server")

ACK_TIMEOUT = 2.0
"""Seconds that an acknowledgement waits for Redis."""
RENEW_INTERVAL = 1.0
"""Seconds between two renewals of the lease."""
LEASE = 5.0
"""Seconds without a renewal after which a server's members are removed."""
_GRACE = 2.5
"""Seconds without a renewal by any server, after which Redis was away, and not the servers."""
MAX_PAUSE = 1.0
"""Seconds between two attempts, at most."""
_BUS_LENGTH = 100_000
"""Entries kept in the stream, at most: how far a server can fall behind."""
_BUS_MEBIBYTES = 64
_BATCH_LENGTH = 256
_BATCH_SIZE = 1_048_576
"""Bytes of a batch, unless it is a single entry."""
_WAITING_SIZE = 67_108_864
"""Bytes of all waiting submissions; beyond them, others are refused at once."""


@dataclass(slots=True)
class Clock:
    """A lower bound of the time on Redis' clock."""

    _ahead: float = math.nan
    """Milliseconds by which it is ahead of the loop's clock."""

    def set(self, milliseconds: int, now: float) -> None:
        """Set the time that it showed; `now` is the loop's time, then or later."""
        self._ahead = milliseconds - now * 1000

    def at(self, moment: float) -> int:
        """Return the least time that it shows at `moment` of the loop's time, or 0 if it was never set."""
        return 0 if math.isnan(self._ahead) else int(self._ahead + moment * 1000)


class Publisher:
    """Writes to the bus; calls `on_data_loss` when Redis has lost data."""

    def __init__(self, redis: Redis, on_data_loss: Callable[[], None], room_length: int) -> None:
        """`room_length` is the number of messages to store for each room; 0 stores none."""
        self.origin = secrets.token_hex(8)
        self.epoch = ""
        self.figures = BusFigures()
        self.unanswered_since: float | None = None
        """The time of the first of the calls that have had no answer, or None."""
        self._on_data_loss = on_data_loss
        self._room_length = room_length
        self._connection = RedisConnection(redis)
        self._script = redis.register_script(SUBMIT)
        self._channel = channel_name(redis)
        self._clock = Clock()
        self._last_number = 0
        self._last_published = 0
        self._waiting: deque[Submission] = deque()
        self._waiting_size = 0
        self._not_idle = asyncio.Event()
        self._unconfirmed: dict[int, Submission] = {}
        """The waiting and the published ones."""
        self._refusals = Refusals()
        self._refused: set[int] = set()
        """The numbers of those that Redis may have written all the same."""
        self._refusal_timer: asyncio.TimerHandle | None = None
        self._outage_since: float | None = None

    @property
    def waiting(self) -> int:
        """The number of submissions that are not published yet."""
        return len(self._waiting)

    def now(self) -> int:
        """Return the time on Redis' clock in milliseconds, or slightly less; 0 if it is unknown."""
        return self._clock.at(asyncio.get_running_loop().time())

    @property
    def available(self) -> bool:
        """Whether the last call was answered, or can still be answered in time."""
        since = self.unanswered_since
        return since is None or asyncio.get_running_loop().time() < since + ACK_TIMEOUT

    def submit(self, entry: Entry, persistent: bool = False) -> asyncio.Future[int]:
        """Send an entry to all servers; the result is a message's id, once the entry has been read back.

        Raises (from the future): Refusal, unless the entry is persistent.
        """
        self._last_number += 1
        confirmed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        submission = Submission(self._last_number, entry, persistent, confirmed)
        if not persistent and (not self.available or self._waiting_size > _WAITING_SIZE):
            self._refuse(submission)
            return confirmed
        self._waiting.append(submission)
        self._unconfirmed[submission.number] = submission
        self._waiting_size += entry.size
        self._not_idle.set()
        return confirmed

    def publish(self, entry: Entry, persistent: bool = False) -> None:
        """Send an entry to all servers; ignore a refusal."""
        self.submit(entry, persistent).add_done_callback(_ignore_refusal)

    def pop_refusal(self, number: int) -> bool:
        """Return whether an own entry, now read back, was refused; forget this refusal and earlier ones."""
        refused = number in self._refused
        # Entries are read in order: those refused with a smaller number were never written.
        self._refused = {each for each in self._refused if each > number}
        return refused

    def confirm(self, number: int, result: int) -> None:
        """Confirm an own entry that was read back."""
        submission = self._unconfirmed.pop(number, None)
        if submission and not submission.confirmed.done():
            submission.confirmed.set_result(result)

    def confirm_published(self) -> None:
        """Confirm all published entries: they will not be read back."""
        for number in [number for number in self._unconfirmed if number <= self._last_published]:
            self.confirm(number, self._unconfirmed[number].result)

    async def run(self) -> None:
        """Publish submissions and renew the lease, until cancelled."""
        pause = 0.0
        while True:
            if not self._waiting and self.unanswered_since is None:
                await self._idle()
            if await self.publish_batch():
                pause = 0.0
            else:
                await asyncio.sleep(pause)
                pause = min(MAX_PAUSE, pause * 2 or 0.05)

    async def _idle(self) -> None:
        self._not_idle.clear()
        timer = asyncio.get_running_loop().call_later(RENEW_INTERVAL, self._not_idle.set)
        await self._not_idle.wait()
        timer.cancel()

    async def publish_batch(self) -> bool:
        """Call the script once; return False if Redis does not answer."""
        self._start_refusal_timer()
        batch = self._batch()
        try:
            results = await self.run_script(batch)
        except FAILURES as error:
            self._report_outage(error)
            return False
        self._end_outage()
        self._handle_results(batch, results)
        return True

    async def run_script(self, batch: Sequence[Submission] = (), leaving: bool = False) -> list[str]:
        """Submit a batch, renew the lease, and return the results.

        Raises: one of FAILURES.
        """
        loop = asyncio.get_running_loop()
        deadline = self._clock.at((self.unanswered_since or loop.time()) + ACK_TIMEOUT)
        server = (self.origin, secrets.token_hex(8), self._last_published, "leaving" if leaving else "")
        limits = (int(LEASE * 1000), int(_GRACE * 1000), _BUS_LENGTH, _BUS_MEBIBYTES, self._room_length)
        rows = [(each.number, "1" if each.persistent else "", *each.entry.row) for each in batch]
        arguments = [*server, deadline, *limits, self._channel, *(cell for row in rows for cell in row)]
        answer: str = await self._connection.run_script(self._script, arguments)
        epoch, time, sequence, servers, *results = answer.split()
        self._clock.set(int(time), loop.time())
        self.figures.written, self.figures.servers = int(sequence), int(servers)
        known, self.epoch = self.epoch, epoch
        if known not in ("", epoch):
            self._on_data_loss()
        return results

    def _batch(self) -> list[Submission]:
        batch: list[Submission] = []
        size = 0
        for submission in self._waiting:
            size += submission.entry.size
            if batch and (size > _BATCH_SIZE or len(batch) == _BATCH_LENGTH):
                break
            batch.append(submission)
        return batch

    def _handle_results(self, batch: Sequence[Submission], results: Sequence[str]) -> None:
        for submission, result in zip(batch, results, strict=True):
            self._last_published = submission.number
            # Unless it was refused during the call.
            if self._waiting and self._waiting[0] is submission:
                self._waiting.popleft()
                self._waiting_size -= submission.entry.size
            if result == "late":
                self._refuse(submission)
            else:
                self.figures.published += 1
                submission.result = int(result)

    # An outage

    def _start_refusal_timer(self) -> None:
        if self.unanswered_since is None:
            loop = asyncio.get_running_loop()
            self.unanswered_since = loop.time()
            self._refusal_timer = loop.call_at(self.unanswered_since + ACK_TIMEOUT, self._refuse_waiting)

    def _end_outage(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._outage_since is not None:
            log.info("Redis answers again", extra={"fields": {"seconds": round(now - self._outage_since, 1)}})
        self.unanswered_since = self._outage_since = None
        if self._refusal_timer:
            self._refusal_timer.cancel()

    def _report_outage(self, error: Exception) -> None:
        if self._outage_since is None:
            self._outage_since = self.unanswered_since
            self.figures.outages += 1
            log.warning("Redis does not answer", extra={"fields": {"cause": str(error) or "time-out"}})

    def _refuse_waiting(self) -> None:
        """Refuse what is not persistent; if it still reaches Redis, the script refuses it as late."""
        persistent = [each for each in self._waiting if each.persistent]
        for submission in self._waiting:
            if not submission.persistent:
                self._refuse(submission)
                self._refused.add(submission.number)
        self._waiting = deque(persistent)
        self._waiting_size = sum(each.entry.size for each in persistent)

    def _refuse(self, submission: Submission) -> None:
        self._unconfirmed.pop(submission.number, None)
        self._refusals.add(submission)

    async def close(self) -> None:
        """Publish what waits, unless Redis does not answer, and leave the cluster."""
        while self._waiting and await self.publish_batch():
            continue
        try:
            await self.run_script(leaving=True)
        except FAILURES as error:
            self._report_outage(error)
        if self._refusal_timer:
            self._refusal_timer.cancel()

    async def disconnect(self) -> None:
        """Close the connection to Redis."""
        await self._connection.disconnect()


def _ignore_refusal(confirmed: asyncio.Future[int]) -> None:
    # Reading the exception keeps asyncio from reporting it as never retrieved.
    if not confirmed.cancelled():
        confirmed.exception()
