"""The processes of a load run: start them, take them through the steps together, add up what they counted."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any, Self

from nsroom.bench.plan import Plan
from nsroom.bench.tally import Tally, from_json, summed
from nsroom.bench.worker import MAX_LINE, STOP
from nsroom.errors import ExitCode, NsroomError

_STOP_TIMEOUT = 3.0
"""Seconds that a process has to end a step, or itself, in."""


class WorkerError(NsroomError):
    """A process of ours ended that should not have."""

    code = ExitCode.BUG


class _Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.answered = self.errors = 0
        """So far in this step."""

    def tell(self, line: str) -> None:
        """Send it a line; that it may be gone is noticed when it does not answer."""
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self.process.stdin.write(f"{line}\n".encode())

    async def finish(self) -> Tally:
        """Wait for the end of its step. Raises: WorkerError."""
        while "done" not in (told := await self._told()):
            self.answered, self.errors = told["answered"], told["errors"]
        self.answered = self.errors = 0
        del told["done"]
        return from_json(told)

    async def _told(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line.endswith(b"\n"):
            code = await self.process.wait()
            how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
            raise WorkerError(f"a process of bench {how}: is there enough memory for so many clients?")
        told: dict[str, Any] = json.loads(line)
        return told

    async def end(self) -> None:
        """Let it close its connections and go."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Crew:
    """All of them: `async with Crew(plan) as crew: tally = await crew.step("connect")`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._workers: list[_Worker] = []

    async def __aenter__(self) -> Self:
        try:
            for number in range(self._plan.load.workers):
                await self._start(self._plan.for_worker(number))
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def step(self, name: str, watch: Callable[[int, int], None]) -> Tally:
        """Let all do a step, and tell `watch` how many answers and errors there are so far.

        When cancelled, `stop` gives what was counted. Raises: WorkerError.
        """
        for worker in self._workers:
            worker.tell(name)
        self._finishing = [asyncio.create_task(worker.finish()) for worker in self._workers]
        while (await self._some())[1]:
            watch(sum(each.answered for each in self._workers), sum(each.errors for each in self._workers))
        return summed([task.result() for task in self._finishing])

    async def _some(self) -> tuple[set[asyncio.Task[Tally]], set[asyncio.Task[Tally]]]:
        done, pending = await asyncio.wait(self._finishing, timeout=0.2, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        return done, pending

    async def stop(self) -> Tally:
        """End the step that is under way and give what was counted. Raises: WorkerError, TimeoutError."""
        for worker in self._workers:
            worker.tell(STOP)
        async with asyncio.timeout(_STOP_TIMEOUT):
            return summed(await asyncio.gather(*self._finishing))

    async def _start(self, plan: Plan) -> None:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            # -P: what lies in the folder where we were started is not for us to import.
            *(sys.executable, "-P", "-m", "nsroom.bench.worker"),
            stdin=pipe,
            stdout=pipe,
            limit=MAX_LINE,
            # What is typed on the terminal is for us, who end them.
            start_new_session=True,
        )
        worker = _Worker(process)
        self._workers.append(worker)
        worker.tell(json.dumps(plan.to_json()))

    async def _end(self) -> None:
        for task in getattr(self, "_finishing", ()):
            task.cancel()
        await asyncio.gather(*getattr(self, "_finishing", ()), return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in self._workers))
