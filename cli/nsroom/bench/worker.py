"""One process of a load run: `python -m nsroom.bench.worker`.

It reads its plan and then the names of steps from stdin, a line each, and answers with lines of JSON.
"""

import asyncio
import contextlib
import gc
import json
import sys
from typing import Any

from nsroom.bench import plan as plans
from nsroom.bench.fleet import Fleet
from nsroom.bench.plan import Scenario
from nsroom.bench.scenarios.acks import Acks
from nsroom.bench.scenarios.fanout import Fanout
from nsroom.bench.scenarios.joining import Joining
from nsroom.bench.tally import Tally

JOIN, COLLECT, STOP = "join", "collect", "stop"
"""Steps besides the scenarios; behind `collect` stands how many messages there were."""
MAX_LINE = 1 << 24
_TOLD_EVERY = 0.2
"""Seconds."""


class Worker:
    """Takes one step after the other, and tells how far it is."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._fanout: Fanout | None = None
        """From when all have joined."""

    async def obey(self, lines: asyncio.StreamReader) -> None:
        """Do what the lines say until there are no more."""
        async with asyncio.TaskGroup() as steps:  # where one fails, so does the process: nobody waits for it
            while line := await lines.readline():
                command = line.decode().strip()
                if command == STOP:
                    self._fleet.stop.set()
                else:
                    steps.create_task(self._step(command))
            self._fleet.stop.set()
        self._fleet.close()

    async def _step(self, command: str) -> None:
        name, _, detail = command.partition(" ")
        telling = asyncio.create_task(self._tell())
        try:
            await self._work(name, detail)
        finally:
            telling.cancel()
        tally = self._fleet.tally
        tally.connected = len(self._fleet.connections)
        _say({"done": name, **tally.to_json()})

    async def _work(self, name: str, detail: str) -> None:
        fleet, fanout = self._fleet, self._fanout
        fleet.tally = fanout.tally if fanout and name in (Scenario.FANOUT, COLLECT) else Tally()
        if name == Scenario.CONNECT:
            await fleet.connect()
            # All that is there now stays: collecting it again and again would be pauses to be measured.
            gc.collect()
            gc.freeze()
        elif name == Scenario.ACK:
            await Acks(fleet).run()
        elif name == JOIN:
            await Joining(fleet).run()
            self._fanout = Fanout(fleet)
        elif fanout and name == Scenario.FANOUT:
            await fanout.run()
        elif fanout and name == COLLECT:
            await fanout.collect(int(detail))

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
