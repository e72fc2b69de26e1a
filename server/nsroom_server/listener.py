"""What the other servers tell, read from the bus in order and each entry once, whatever fails meanwhile."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from redis.asyncio import Redis

from nsroom_server.entries import Heard, Op, Snapshot, moment
from nsroom_server.figures import BusFigures
from nsroom_server.publisher import FAILURES, LONGEST_PAUSE
from nsroom_server.scripts import BUS, SNAPSHOT

log = logging.getLogger("nsroom_server")

_AT_ONCE = 256
_AT_A_TIME = 16
"""Entries that are taken before others get a turn."""
_BLOCK = 1000
"""Milliseconds that Redis waits for an entry."""


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
        self._position, self._sequence = "0-0", 0
        self._last: dict[str, int] = {}
        """The number of each server's last entry."""
        self._due: float | None = None
        self._snapshot: Snapshot | None = None

    async def start(self) -> Snapshot:
        """Begin with what is so now.

        Raises: one of FAILURES.
        """
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
                await self._photograph()
                entries = await self._read()
            except FAILURES:
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2 or 0.05)
                continue
            pause = 0.0
            for number, (position, fields) in enumerate(entries, 1):
                self._take(position, fields)
                # What is delivered in one turn shares its system calls, but others want theirs.
                if number % _AT_A_TIME == 0:
                    await asyncio.sleep(0)
            self._compare()

    async def _read(self) -> list[tuple[str, Mapping[str, str]]]:
        streams: Any = await self._redis.xread({BUS: self._position}, count=_AT_ONCE, block=_BLOCK)
        return list(streams[0][1]) if streams else []

    def _take(self, position: str, fields: Mapping[str, str]) -> None:
        self._position = position
        self._figures.received += 1
        self._figures.lag.observe(max(self._clock() - moment(position)[0], 0) / 1000)
        try:
            heard = Heard.read(fields["row"])
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

    async def _photograph(self) -> None:
        if self._due is not None and asyncio.get_running_loop().time() >= self._due:
            self._snapshot = Snapshot.read(await self._script())
            self._due = None

    def _compare(self) -> None:
        """Reconcile when everything before the snapshot has been read."""
        if self._snapshot and moment(self._position) >= moment(self._snapshot.position):
            snapshot, self._snapshot = self._snapshot, None
            self._audience.reconcile(snapshot)
