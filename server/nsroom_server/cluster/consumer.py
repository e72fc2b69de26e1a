"""What the other servers tell, read from the bus in order and each entry once, whatever fails meanwhile.

Redis pushes the entries as they are written. That is only quicker: what was not pushed, or came before
something that was not, is read from the stream.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from redis.asyncio import Redis

from nsroom_server.cluster.connection import FAILURES, Line, channel
from nsroom_server.cluster.entries import Heard, Op, Snapshot, moment
from nsroom_server.cluster.publisher import LONGEST_PAUSE
from nsroom_server.cluster.scripts import BETWEEN, BUS, SNAPSHOT
from nsroom_server.counters import BusFigures

log = logging.getLogger("nsroom_server")

_AT_ONCE = 256
_AT_A_TIME = 16
"""Entries that are taken before others get a turn."""
_SILENCE = 1.0
"""Seconds without an entry until the stream is looked into."""
_Row = tuple[str, str]
"""An entry's position in the stream, and what is written there."""


class Audience(Protocol):
    """Who wants to know."""

    def hear(self, heard: Heard) -> None:
        """Take an entry."""

    def reconcile(self, snapshot: Snapshot) -> None:
        """Compare what is known with how it is."""

    def missed(self) -> None:
        """Take notice that entries are gone before they were read."""

    def renewed(self) -> None:
        """Take notice that Redis has lost something."""


class Listener:
    """Reads the bus from a snapshot on."""

    def __init__(
        self, redis: Redis, audience: Audience, figures: BusFigures, clock: Callable[[], int]
    ) -> None:
        self._redis = redis
        self._audience = audience
        self._figures = figures
        self._clock = clock
        self._script = redis.register_script(SNAPSHOT)
        self._line = Line(redis)
        self._channel = channel(redis)
        self._subscribed = False
        self._silent = False
        """Whether nothing has been pushed for a while."""
        self._taken = 0
        self._position, self._sequence = "0-0", 0
        self._last: dict[str, int] = {}
        """The number of each server's last entry."""
        self._due: float | None = None
        self._snapshot: Snapshot | None = None

    async def start(self) -> Snapshot:
        """Begin with what is so now.

        Raises: one of FAILURES.
        """
        await self._subscribe()
        snapshot = Snapshot.read(await self._script())
        self._position, self._sequence = snapshot.position, snapshot.sequence
        self._figures.read = snapshot.sequence
        return snapshot

    def take_stock(self, seconds: float) -> None:
        """Compare with a snapshot, after some time."""
        self._due = asyncio.get_running_loop().time() + seconds

    async def run(self) -> None:
        """Read until cancelled."""
        pause = 0.0
        while True:
            try:
                await self._catch_up()
                pause = 0.0
                await self._listen()
            except FAILURES:
                await self.hang_up()
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2 or 0.05)

    async def _subscribe(self) -> None:
        await self._line.ask("SUBSCRIBE", self._channel)
        self._subscribed = True

    async def _catch_up(self) -> None:
        """Read the stream to its end; whatever comes later is pushed."""
        behind = True
        while behind:
            if not self._subscribed:
                await self._subscribe()
            if self._is_due():
                self._snapshot = Snapshot.read(await self._script())
                self._due = None
            rows = await self._read()
            if rows and self._silent:  # they should have been pushed
                await self.hang_up()
            self._silent = False
            behind = len(rows) == _AT_ONCE or not self._subscribed
            await self._take_all(rows)

    async def _read(self) -> list[_Row]:
        streams: Any = await self._redis.xread({BUS: self._position}, count=_AT_ONCE)
        return [(position, fields["row"]) for position, fields in streams[0][1]] if streams else []

    async def _listen(self) -> None:
        """Take what is pushed, until the stream has to be looked into."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_SILENCE) as silence:
                while not self._is_due():
                    rows = self._new(_rows(await self._line.hear()))
                    if rows is None:
                        return
                    await self._take_all(rows)
                    # Setting a timer costs as much as taking an entry.
                    if loop.time() > (silence.when() or 0) - _SILENCE / 2:
                        silence.reschedule(loop.time() + _SILENCE)
        except TimeoutError:
            self._silent = True

    def _new(self, rows: list[_Row]) -> list[_Row] | None:
        """Leave out what has been read from the stream; None when the stream has what comes next."""
        if self._are_next(rows):
            return rows
        here = moment(self._position)
        try:
            later = [row for row in rows if moment(row[0]) > here]
        except ValueError:  # whatever that was, no server has pushed it
            return None
        return later if not later or self._are_next(later) else None

    def _are_next(self, rows: Sequence[_Row]) -> bool:
        return rows[0][1].startswith(f"{self._sequence + 1}\n")

    async def hang_up(self) -> None:
        """Have nothing pushed until it is asked for again."""
        self._subscribed = False
        await self._line.hang_up()

    async def _take_all(self, rows: Iterable[_Row]) -> None:
        for row in rows:
            self._take(*row)
            self._taken += 1
            # What is delivered in one turn shares its system calls, but others want theirs.
            if self._taken % _AT_A_TIME == 0:
                await asyncio.sleep(0)
        self._compare()

    def _take(self, position: str, row: str) -> None:
        self._position = position
        self._figures.received += 1
        self._figures.lag.observe(max(self._clock() - moment(position)[0], 0) / 1000)
        try:
            heard = Heard.read(row)
            self._follow(heard.sequence)
            if self._is_new(heard):
                self._audience.hear(heard)
        except Exception:
            log.exception("an entry of the bus failed", extra={"fields": {"entry": position}})

    def _follow(self, sequence: int) -> None:
        expected, self._sequence = self._sequence + 1, sequence
        self._figures.read = sequence
        if sequence > expected:
            self._figures.missed += sequence - expected
            log.warning("too far behind the bus", extra={"fields": {"missed": sequence - expected}})
            self._audience.missed()
        elif sequence < expected:
            self._audience.renewed()

    def _is_new(self, heard: Heard) -> bool:
        if heard.entry.op is Op.GONE:
            self._last.pop(heard.origin, None)
            return True
        if heard.number <= self._last.get(heard.origin, 0):
            self._figures.doubles += 1
            return False
        self._last[heard.origin] = heard.number
        return True

    def _is_due(self) -> bool:
        return self._due is not None and asyncio.get_running_loop().time() >= self._due

    def _compare(self) -> None:
        """Reconcile when everything before the snapshot has been read."""
        if self._snapshot and moment(self._position) >= moment(self._snapshot.position):
            snapshot, self._snapshot = self._snapshot, None
            self._audience.reconcile(snapshot)


def _rows(pushed: Sequence[str]) -> list[_Row]:
    """Read what is pushed: the last position and nothing else where it would have been too long."""
    entries = (entry.partition("\n") for entry in pushed[2].split(BETWEEN))
    return [(position, row) for position, _, row in entries]
