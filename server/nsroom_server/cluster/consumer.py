"""Read the stream in order and apply each entry once.

Redis pushes entries as they are written, which is faster than reading the stream. A push can be lost, late or
a duplicate: then the stream decides.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from redis.asyncio import Redis

from nsroom_server.cluster.connection import FAILURES, RedisConnection, channel_name
from nsroom_server.cluster.entries import Op, ReceivedEntry, Snapshot, parse_position
from nsroom_server.cluster.publisher import MAX_PAUSE
from nsroom_server.cluster.scripts import BUS, SEPARATOR, SEQUENCE, SERVER, SNAPSHOT
from nsroom_server.counters import BusFigures
from nsroom_server.logs import RateLimitedWarnings

log = logging.getLogger("nsroom_server")

_READ_COUNT = 256
"""Entries read from the stream by one command."""
_PER_TURN = 16
"""Entries applied in one turn of the loop."""
_SILENCE = 1.0
"""Seconds without a push after which the stream is read."""
_START = "0-0"
"""The position before the first entry."""
_Row = tuple[str, str]
"""An entry's position in the stream, and its text."""


class Replica(Protocol):
    """The state that entries are applied to."""

    def apply(self, received: ReceivedEntry) -> None:
        """Apply an entry."""

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Correct the members by a snapshot that was taken at this position of the stream."""

    def handle_missed_entries(self) -> None:
        """Handle entries that were trimmed from the stream before they were read."""

    def handle_data_loss(self) -> None:
        """Handle a loss of data in Redis."""


class Consumer:
    """Reads the bus, starting at a snapshot."""

    def __init__(self, redis: Redis, replica: Replica, figures: BusFigures, clock: Callable[[], int]) -> None:
        """`clock` returns the time on Redis' clock in milliseconds."""
        self._redis = redis
        self._replica = replica
        self._figures = figures
        self._clock = clock
        self._script = redis.register_script(SNAPSHOT)
        self._connection = RedisConnection(redis)
        self._channel = channel_name(redis)
        self._subscribed = False
        self._silent = False
        """Whether nothing has been pushed for _SILENCE."""
        self._applied = 0
        self._position, self._sequence = _START, 0
        self._counted_at = _START
        """The position of the last entry that had the next number."""
        self._last_numbers: dict[str, int] = {}
        """The number of each server's last entry."""
        self._lost_numbers: dict[str, int] = {}
        """The same when Redis last lost data: entries up to it may come again."""
        self._warn = RateLimitedWarnings(log)
        self._snapshot_due: float | None = None
        self._snapshot: Snapshot | None = None
        """To be applied when its position is reached."""

    async def start(self) -> Snapshot:
        """Subscribe, and return the snapshot to start from.

        Raises: one of FAILURES.
        """
        await self._subscribe()
        snapshot = Snapshot.parse(await self._script())
        self._position, self._sequence = snapshot.position, snapshot.sequence
        self._counted_at = snapshot.position
        self._figures.read = snapshot.sequence
        return snapshot

    def schedule_snapshot(self, seconds: float) -> None:
        """Take a snapshot after some time, and apply it when its position is reached."""
        self._snapshot_due = asyncio.get_running_loop().time() + seconds

    async def run(self) -> None:
        """Read and apply entries, until cancelled."""
        pause = 0.0
        while True:
            try:
                await self._read_stream()
                pause = 0.0
                await self._read_pushes()
            except FAILURES:
                await self.disconnect()
                await asyncio.sleep(pause)
                pause = min(MAX_PAUSE, pause * 2 or 0.05)

    async def _subscribe(self) -> None:
        await self._connection.execute("SUBSCRIBE", self._channel)
        self._subscribed = True

    async def _read_stream(self) -> None:
        """Read the stream to its end; later entries are pushed."""
        more = True
        while more:
            if not self._subscribed:
                await self._subscribe()
            if self._is_snapshot_due():
                self._snapshot = Snapshot.parse(await self._script())
                self._snapshot_due = None
            rows = await self._read_rows()
            if rows and self._silent:  # they should have been pushed
                await self.disconnect()
            self._silent = False
            more = len(rows) == _READ_COUNT or not self._subscribed
            await self._apply_all(rows)

    async def _read_rows(self) -> list[_Row]:
        streams: Any = await self._redis.xread({BUS: self._position}, count=_READ_COUNT)
        return [(position, fields.get("row", "")) for position, fields in streams[0][1]] if streams else []

    async def _read_pushes(self) -> None:
        """Apply pushed entries until the stream has to be read."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_SILENCE) as silence:
                while not self._is_snapshot_due():
                    rows = self._unread(_parse_push(await self._connection.read_push()))
                    if rows is None:
                        return
                    await self._apply_all(rows)
                    # Setting a timer costs as much as applying an entry.
                    if loop.time() > (silence.when() or 0) - _SILENCE / 2:
                        silence.reschedule(loop.time() + _SILENCE)
        except TimeoutError:
            self._silent = True

    def _unread(self, rows: list[_Row]) -> list[_Row] | None:
        """Return the rows that were not read yet, or None if the next entry is only in the stream."""
        if self._are_next(rows):
            return rows
        here = parse_position(self._position)
        try:
            later = [row for row in rows if parse_position(row[0]) > here]
        except ValueError:  # not pushed by a server
            return None
        return later if not later or self._are_next(later) else None

    def _are_next(self, rows: Sequence[_Row]) -> bool:
        return rows[0][1].startswith(f"{self._sequence + 1}\n")

    async def disconnect(self) -> None:
        """Close the connection for pushes."""
        self._subscribed = False
        await self._connection.disconnect()

    async def _apply_all(self, rows: Iterable[_Row]) -> None:
        for row in rows:
            await self._apply(*row)
            self._applied += 1
            # Deliveries of one turn share their system calls, but other tasks need their turn.
            if self._applied % _PER_TURN == 0:
                await asyncio.sleep(0)
        self._apply_reached_snapshot()

    async def _apply(self, position: str, row: str) -> None:
        received = self._parse(position, row)
        if received and (self._follows(received) or await self._is_genuine(position, received)):
            self._count(position, received)
            try:
                self._replica.apply(received)
            except Exception as error:  # noqa: BLE001 - whatever one entry holds, the next ones are applied
                self._warn_skipped(position, type(error).__name__)

    def _parse(self, position: str, row: str) -> ReceivedEntry | None:
        """Return an entry, or None if it cannot be read and is skipped."""
        try:
            milliseconds, _ = parse_position(position)
        except ValueError as error:  # not pushed by a server
            self._warn_skipped(position, type(error).__name__)
            return None
        self._figures.received += 1
        self._figures.lag.observe(max(self._clock() - milliseconds, 0) / 1000)
        try:
            return ReceivedEntry.parse(row)
        except ValueError as error:
            # Perhaps of a newer version; one that was forged does not count.
            if self._are_next([(position, row)]):
                self._sequence += 1
                self._counted_at = position
            self._position = position
            self._warn_skipped(position, type(error).__name__)
            return None

    def _follows(self, received: ReceivedEntry) -> bool:
        return received.sequence == self._sequence + 1 and not self._is_repeated(received)

    def _is_repeated(self, received: ReceivedEntry) -> bool:
        lost = self._lost_numbers.get(received.origin)
        return lost is not None and received.number <= lost and received.entry.op is not Op.SERVER_DOWN

    async def _is_genuine(self, position: str, received: ReceivedEntry) -> bool:
        """Compare an unexpected entry with what Redis has, and return whether to apply it.

        Raises: one of FAILURES.
        """
        commands = self._redis.pipeline(transaction=False)
        commands.get(SEQUENCE)
        commands.hget(SERVER + received.origin, "n")
        commands.xrange(BUS, self._counted_at, self._counted_at)
        last_sequence, last_number, found = await commands.execute()
        # While the entry before is in the stream, none after it was trimmed and none up to it was lost: then
        # a number that is not the next one is forged, or follows one that was.
        intact = bool(found) or self._counted_at == _START
        if intact and received.sequence > int(last_sequence or 0):
            self._position = position
            self._warn_skipped(position, "forged")
            return False
        if received.sequence != self._sequence + 1:
            if intact:
                self._warn("an entry of the bus has an unexpected number", entry=position)
            else:
                self._handle_jump(received.sequence)
        # A number that is higher than Redis' own was forged.
        if not self._is_repeated(received) or self._lost_numbers[received.origin] > int(last_number or 0) > 0:
            return True
        self._figures.duplicates += 1
        self._count(position, received)
        return False

    def _count(self, position: str, received: ReceivedEntry) -> None:
        self._position = self._counted_at = position
        self._sequence = self._figures.read = received.sequence
        if received.entry.op is Op.SERVER_DOWN:
            self._last_numbers.pop(received.origin, None)
            self._lost_numbers.pop(received.origin, None)
        else:
            self._last_numbers[received.origin] = received.number

    def _handle_jump(self, sequence: int) -> None:
        missed = sequence - self._sequence - 1
        if missed > 0:
            self._figures.missed += missed
            log.warning("fell too far behind the bus", extra={"fields": {"missed": missed}})
            self._replica.handle_missed_entries()
        else:
            # What was applied and then lost is published again.
            self._lost_numbers |= self._last_numbers
            self._replica.handle_data_loss()

    def _warn_skipped(self, position: str, cause: str) -> None:
        self._warn("skipped an entry of the bus", entry=position, cause=cause)

    def _is_snapshot_due(self) -> bool:
        return self._snapshot_due is not None and asyncio.get_running_loop().time() >= self._snapshot_due

    def _apply_reached_snapshot(self) -> None:
        if self._snapshot and parse_position(self._position) >= parse_position(self._snapshot.position):
            snapshot, self._snapshot = self._snapshot, None
            self._replica.apply_snapshot(snapshot)


def _parse_push(push: Sequence[str]) -> list[_Row]:
    """Return the rows of a push; of one that would be too long, Redis pushes only the last position."""
    entries = (entry.partition("\n") for entry in push[2].split(SEPARATOR))
    return [(position, row) for position, _, row in entries]
