"""One process of a load run: `python -m nsroom.load.worker`.

It reads its plan and then the names of steps from stdin, a line each, and answers with lines of JSON.
"""

import asyncio
import contextlib
import gc
import json
import sys
from collections.abc import Callable
from typing import Any, Protocol

from nsroom.load import plan as plans
from nsroom.load.acks import Acks
from nsroom.load.fanout import Fanout
from nsroom.load.fleet import Fleet
from nsroom.load.joining import Joining
from nsroom.load.plan import Scenario
from nsroom.load.tally import Tally

JOIN, STOP = "join", "stop"
MAX_LINE = 1 << 24
_TOLD_EVERY = 0.2
"""Seconds."""


class Step(Protocol):
    """Something that all clients of a fleet do."""

    async def run(self) -> None:
        """Do it, and write down in the fleet's tally what came of it."""


_STEPS: dict[str, Callable[[Fleet], Step]] = {JOIN: Joining, Scenario.ACK: Acks, Scenario.FANOUT: Fanout}


class Worker:
    """Takes one step after the other, and tells how far it is."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def obey(self, lines: asyncio.StreamReader) -> None:
        """Do what the lines say until there are no more."""
        step: asyncio.Task[None] | None = None
        while line := await lines.readline():
            command = line.decode().strip()
            if command == STOP:
                self._fleet.stop.set()
            else:
                step = asyncio.create_task(self._step(command))
        if step is not None and not step.done():
            self._fleet.stop.set()
            await step
        self._fleet.close()

    async def _step(self, name: str) -> None:
        fleet = self._fleet
        fleet.tally = Tally()
        telling = asyncio.create_task(self._tell())
        try:
            await self._work(name)
        finally:
            telling.cancel()
        fleet.tally.connected = len(fleet.connections)
        _say({"done": name, **fleet.tally.to_json()})

    async def _work(self, name: str) -> None:
        if name == Scenario.CONNECT:
            await self._fleet.connect()
            # All that is there now stays: collecting it again and again would be pauses to be measured.
            gc.collect()
            gc.freeze()
        elif self._fleet.connections:
            await _STEPS[name](self._fleet).run()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TOLD_EVERY)
            tally = self._fleet.tally
            _say({"answered": tally.answered, "errors": tally.errors.total()})


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


async def work() -> None:
    """Read the plan, and then be told."""
    lines = asyncio.StreamReader(limit=MAX_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin.buffer)
    plan = plans.from_json(json.loads(await lines.readline()))
    await Worker(Fleet(plan)).obey(lines)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(work())
