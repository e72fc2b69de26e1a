"""Groups of clients that run a scenario again and again, and the latencies of its lines.

Without a rate a group starts its next run when the last one has ended. With a rate, runs are due at fixed
times, and a group that is free takes the next one. If none is free in time, the run starts late, and so does
each of its lines: their latencies count from when they should have started (coordinated omission).
"""

import asyncio
import contextlib
import re
import sys
import time
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import replace
from typing import Any

from nsroom.bench.schedule import SECOND, Schedule, send_on_schedule
from nsroom.bench.script.plan import RUN, SENDING, START, ScriptPlan, name_of
from nsroom.bench.tally import Stopwatch, Tally
from nsroom.channel import now
from nsroom.errors import ExitCode
from nsroom.record import Record
from nsroom.scenarios.check import GROUP
from nsroom.scenarios.result import Failure
from nsroom.scenarios.runner import Plan, run_script
from nsroom.scenarios.script import Line, Script

_CAUSES = 5
"""Different messages of a line that are kept."""
_NUMBER = re.compile(r"\d[\d,.]*")
"""Messages that differ only in numbers count as the first of them."""
_PAUSE = 1.0
"""Seconds before a group tries again that could not connect."""
_KEPT, _MIN_KEPT = 200_000, 500
"""Records that the clients of a worker keep together for their expectations, and each of them at least."""


class Timer:
    """Measures the lines of one run, which started `late` nanoseconds.

    `causes` are the messages of each line so far, for all runs.
    """

    def __init__(self, tally: Tally, late: int, causes: dict[str, dict[str, str]]) -> None:
        self._tally = tally
        self._late = late
        self._causes = causes
        self._started = self._sent = time.monotonic_ns()
        """When the current line started, and the last one that sent something."""

    def on_line(self, line: Line, expected: Record | None) -> None:
        """Count a line that did not fail.

        `expected` is the last record that it waited for, which counts from the line that sent last.
        """
        ended = time.monotonic_ns()
        part = self._tally.parts[name_of(line)]
        part.sent += 1
        part.answered += 1
        self._tally.answered += 1
        if line.verb in SENDING:
            self._sent = self._started
            part.histogram.record(self._late + ended - self._started)
        elif expected is not None:
            received = ended - (now() - expected.time) * 1000
            part.histogram.record(self._late + max(0, received - self._sent))
        self._started = ended

    def on_failure(self, failure: Failure) -> None:
        """Count a line that failed."""
        name, kind = name_of(failure.line), _NUMBER.sub("0", failure.reason)
        part, known = self._tally.parts[name], self._causes.setdefault(name, {})
        if len(known) < _CAUSES:
            known.setdefault(kind, failure.reason)
        part.sent += 1
        part.error(known.get(kind, failure.reason), different=_CAUSES)
        self._tally.error("failed")


class Runs:
    """Runs the groups of one worker."""

    def __init__(self, plan: ScriptPlan, script: Script) -> None:
        self.stop = asyncio.Event()
        """Set to end all runs at once."""
        names = [START] * bool(plan.load.rate) + [name_of(line) for line in script.lines] + [RUN]
        self.tally = Tally(parts={name: Tally() for name in names})
        """What the lines did together; its parts are the lines, the starts and the whole runs."""
        self._plan = plan
        self._script = script
        clients = max(1, len(plan.own_groups) * plan.clients)
        self._test = Plan(plan.options, kept=max(_MIN_KEPT, _KEPT // clients))
        self._due = asyncio.Semaphore(0)
        self._unstarted = 0
        """Runs that are due, with a rate."""
        self._end = sys.maxsize
        self._times: Iterator[int] = iter(())
        self._tasks: list[asyncio.Task[object]] = []
        self._causes: dict[str, dict[str, str]] = {}

    async def run(self, _name: str, _detail: str) -> None:
        """Start runs for the planned duration, then wait until they have ended, or for the time-out."""
        load, watch = self._plan.load, Stopwatch()
        self._end = watch.start + round(load.duration * SECOND)
        with self._schedule(watch.start):
            groups = [self._start(self._repeat(group)) for group in self._plan.own_groups]
            ended, stopped = self._start(_all(groups)), self._start(self.stop.wait())
            await _first([ended, stopped], load.duration)
        for _ in groups:
            self._due.release()
        await _first([ended, stopped], load.timeout)
        watch.lap(time.monotonic_ns())
        watch.stop(self.tally)
        self._finish()

    def _start(self, coroutine: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        self._tasks.append(asyncio.create_task(coroutine))
        return self._tasks[-1]

    @contextlib.contextmanager
    def _schedule(self, start: int) -> Iterator[None]:
        load, own = self._plan.load, len(self._plan.own_groups)
        if load.rate is None or not own:
            yield
            return
        rate = load.rate * own / self._plan.groups
        self._times = Schedule(rate, start).due(sys.maxsize)
        schedule = Schedule(rate, start)
        with send_on_schedule(schedule, start, [None], self._on_due):
            yield
        for due in schedule.due(min(time.monotonic_ns(), self._end)):  # since the timer's last tick
            self._on_due(None, due)

    def _on_due(self, _sender: None, due: int) -> None:
        if due < self._end:
            self._unstarted += 1
            self._due.release()

    async def _repeat(self, group: int) -> None:
        """Run the scenario until the end."""
        script = replace(self._script, values={**self._script.values, GROUP: group})
        load = self._plan.load
        await asyncio.sleep(load.ramp * group / self._plan.groups)
        while (due := await self._next()) is not None:
            failure = await self._run(script, due)
            if failure is not None and failure.code is not ExitCode.NO and load.rate is None:
                await asyncio.sleep(_PAUSE)

    async def _next(self) -> int | None:
        """Wait until a run is due, and return when it was, or None after the end."""
        if self._plan.load.rate is None:
            start = time.monotonic_ns()
            return start if start < self._end else None
        await self._due.acquire()
        if self._unstarted == 0:
            return None
        self._unstarted -= 1
        return next(self._times)

    async def _run(self, script: Script, due: int) -> Failure | None:
        late = max(0, time.monotonic_ns() - due)
        parts, started = self.tally.parts, time.monotonic_ns()
        if START in parts:
            _count(parts[START], late)
        timer = Timer(self.tally, late, self._causes)
        failure = (await run_script(script, replace(self._test, on_line=timer.on_line))).failure
        if failure is None:
            _count(parts[RUN], time.monotonic_ns() - started + late)
        else:
            timer.on_failure(failure)
        return failure

    def _finish(self) -> None:
        self.tally.parts[RUN].busy = self.tally.busy
        for part in self.tally.parts.values():
            part.seconds = self.tally.seconds
        if self._unstarted and not self.stop.is_set():
            late = f"not started: all clients were busy until {self._plan.load.timeout:g} s after the end"
            self.tally.parts[name_of(self._script.lines[0])].error(late, self._unstarted)

    async def close(self) -> None:
        """End all runs, and disconnect their clients."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _count(part: Tally, taken: int) -> None:
    part.sent += 1
    part.answered += 1
    part.histogram.record(taken)


async def _all(tasks: Iterable[asyncio.Task[object]]) -> None:
    await asyncio.gather(*tasks)


async def _first(tasks: Iterable[asyncio.Task[object]], seconds: float) -> None:
    """Wait for the first of the tasks, at most so long. Raises: its error."""
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
