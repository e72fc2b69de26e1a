"""One worker process: `python -m nsroom.bench.worker`.

It reads its plan and then the names of steps from stdin, one on each line, and answers with lines of JSON.
"""

import asyncio
import contextlib
import gc
import json
import sys
from collections.abc import Callable
from typing import Any, Protocol

from nsroom.bench import plan as plans
from nsroom.bench.fleet import Fleet
from nsroom.bench.plan import Scenario
from nsroom.bench.scenarios.acks import Acks
from nsroom.bench.scenarios.fanout import Fanout
from nsroom.bench.scenarios.joining import Joining
from nsroom.bench.tally import Tally

JOIN, COLLECT, STOP = "join", "collect", "stop"
"""Steps besides the scenarios; `collect` is followed by the number of messages."""
MAX_LINE = 1 << 27
"""Bytes of an answer: enough for full histograms of 400 lines of a scenario."""
_PROGRESS_INTERVAL = 0.2


class Steps(Protocol):
    """The steps that a worker can run."""

    stop: asyncio.Event
    """Set to end the current step at once."""

    @property
    def tally(self) -> Tally:
        """The counts of the current step."""

    async def run(self, name: str, detail: str) -> None:
        """Run a step."""

    async def close(self) -> None:
        """Close every connection."""


class BenchSteps:
    """The steps of the three scenarios."""

    def __init__(self, fleet: Fleet) -> None:
        self.stop = fleet.stop
        self._fleet = fleet
        self._fanout: Fanout | None = None
        """Set after the `join` step."""

    @property
    def tally(self) -> Tally:
        """The counts of the current step."""
        return self._fleet.tally

    async def run(self, name: str, detail: str) -> None:
        """Run a step."""
        await self._run(name, detail)
        self.tally.connected = len(self._fleet.connections)

    async def _run(self, name: str, detail: str) -> None:
        fleet, fanout = self._fleet, self._fanout
        fleet.tally = fanout.tally if fanout and name in (Scenario.FANOUT, COLLECT) else Tally()
        if name == Scenario.CONNECT:
            await fleet.connect()
            # These objects stay until the end: collecting them again would cause pauses and be measured.
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

    async def close(self) -> None:
        """Close every connection."""
        self._fleet.close()


class Worker:
    """Runs steps and reports their progress."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    async def run_commands(self, lines: asyncio.StreamReader) -> None:
        """Run the commands until the input ends."""
        async with asyncio.TaskGroup() as steps:  # an error in a step ends the process, which bench reports
            while line := await lines.readline():
                command = line.decode().strip()
                if command == STOP:
                    self._steps.stop.set()
                else:
                    steps.create_task(self._step(command))
            self._steps.stop.set()
        await self._steps.close()

    async def _step(self, command: str) -> None:
        name, _, detail = command.partition(" ")
        progress = asyncio.create_task(self._report_progress())
        try:
            await self._steps.run(name, detail)
        finally:
            progress.cancel()
        _write({"done": name, **self._steps.tally.to_json()})

    async def _report_progress(self) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_INTERVAL)
            tally = self._steps.tally
            _write({"answered": tally.answered, "errors": tally.errors.total()})


def _write(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


async def main(steps: Callable[[dict[str, Any]], Steps]) -> None:
    """Read the plan, make the steps of it, then run commands."""
    lines = asyncio.StreamReader(limit=MAX_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin.buffer)
    await Worker(steps(json.loads(await lines.readline()))).run_commands(lines)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(main(lambda plan: BenchSteps(Fleet(plans.from_json(plan)))))
