"""Start the worker processes, keep them in step, and merge their counts."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, Self

from nsroom.bench.plan import Load
from nsroom.bench.tally import Tally, from_json, merge
from nsroom.bench.worker import MAX_LINE, STOP
from nsroom.errors import ExitCode, NsroomError

_STOP_TIMEOUT = 3.0
"""Seconds for a worker to end a step, or itself."""
_PROGRESS_INTERVAL = 0.2


class WorkerPlan(Protocol):
    """What a worker needs to know."""

    module: ClassVar[str]
    """The module that the process runs."""

    @property
    def load(self) -> Load:
        """The amount of load."""

    def for_worker(self, worker: int) -> Self:
        """Return the plan of another worker."""

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""


class WorkerError(NsroomError):
    """A worker process ended unexpectedly."""

    code = ExitCode.BUG


class _Worker:
    """One worker process, driven by lines on its stdin and stdout."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self.answered = self.errors = 0
        """Counts so far in this step."""

    def send(self, line: str) -> None:
        """Send a line; if the process has ended, waiting for its answer fails."""
        with contextlib.suppress(ConnectionError):
            self._stdin.write(f"{line}\n".encode())

    async def finish_step(self) -> Tally:
        """Wait until the step is done and return its counts. Raises: WorkerError."""
        while "done" not in (message := await self._receive()):
            self.answered, self.errors = message["answered"], message["errors"]
        self.answered = self.errors = 0
        del message["done"]
        return from_json(message)

    async def _receive(self) -> dict[str, Any]:
        line = await self._stdout.readline()
        if not line.endswith(b"\n"):
            code = await self._process.wait()
            end = f"was killed by signal {-code}" if code < 0 else f"exited with {code}"
            raise WorkerError(f"a worker process of bench {end}: is there enough memory for so many clients?")
        message: dict[str, Any] = json.loads(line)
        return message

    async def close(self) -> None:
        """End the process: it closes its connections when its stdin ends; kill it if that takes too long."""
        self._stdin.close()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


class Workers:
    """All worker processes: `async with Workers(plan) as workers: await workers.run_step("connect", …)`."""

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan
        self._workers: list[_Worker] = []
        self._step: list[asyncio.Task[Tally]] = []
        """The current step, one task for each worker."""

    async def __aenter__(self) -> Self:
        try:
            for number in range(self._plan.load.workers):
                await self._start(self._plan.for_worker(number))
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def run_step(self, name: str, progress: Callable[[int, int], None]) -> Tally:
        """Run a step in all workers, and call `progress` with the numbers of answers and errors so far.

        If cancelled, `stop_step` returns the counts so far. Raises: WorkerError.
        """
        for worker in self._workers:
            worker.send(name)
        self._step = [asyncio.create_task(worker.finish_step()) for worker in self._workers]
        while await self._unfinished():
            progress(sum(each.answered for each in self._workers), sum(each.errors for each in self._workers))
        return merge([task.result() for task in self._step])

    async def _unfinished(self) -> set[asyncio.Task[Tally]]:
        done, pending = await asyncio.wait(
            self._step, timeout=_PROGRESS_INTERVAL, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in done:
            task.result()
        return pending

    async def stop_step(self) -> Tally:
        """Stop the current step and return its counts. Raises: WorkerError, TimeoutError."""
        for worker in self._workers:
            worker.send(STOP)
        async with asyncio.timeout(_STOP_TIMEOUT):
            return merge(await asyncio.gather(*self._step))

    async def _start(self, plan: WorkerPlan) -> None:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            # -P: never import modules from the current folder.
            *(sys.executable, "-P", "-m", plan.module),
            stdin=pipe,
            stdout=pipe,
            limit=MAX_LINE,
            # Ctrl-C must reach only this process, which ends the workers.
            start_new_session=True,
        )
        worker = _Worker(process)
        self._workers.append(worker)
        worker.send(json.dumps(plan.to_json()))

    async def _close(self) -> None:
        for task in self._step:
            task.cancel()
        await asyncio.gather(*self._step, return_exceptions=True)
        await asyncio.gather(*(worker.close() for worker in self._workers))
