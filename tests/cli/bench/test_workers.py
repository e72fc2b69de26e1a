"""Worker processes in step."""

import asyncio
import os
import signal

import pytest

from nsroom.bench.workers import WorkerError, Workers
from tests.cli.bench.plans import make_plan
from tests.cli.clients import Reference


def ignore(_answered: int, _errors: int) -> None:
    """Ignore the progress."""


def children() -> set[int]:
    """Return the child processes of the test."""
    with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as file:
        return {int(pid) for pid in file.read().split()}


async def test_the_counts_of_all_workers_are_merged(reference: Reference) -> None:
    plan = make_plan((await reference()).url, workers=2, rate=50)
    async with Workers(plan) as workers:
        tally = await workers.run_step("connect", ignore)
        assert (tally.sent, tally.answered, tally.connected) == (4, 4, 4)
        assert (await workers.run_step("ack", ignore)).answered > 0


async def test_a_stopped_step_returns_its_counts(reference: Reference) -> None:
    plan = make_plan((await reference()).url, rate=50, duration=60)
    progress: asyncio.Event = asyncio.Event()
    async with Workers(plan) as workers:
        await workers.run_step("connect", ignore)
        step = asyncio.create_task(
            workers.run_step("ack", lambda answered, _: progress.set() if answered else None)
        )
        await asyncio.wait_for(progress.wait(), 10)
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)
        assert (await workers.stop_step()).answered > 0


async def test_a_killed_worker_is_an_error_and_the_others_end(reference: Reference) -> None:
    plan = make_plan((await reference()).url, workers=2, rate=50, duration=60)
    before = children()
    async with Workers(plan) as workers:
        await workers.run_step("connect", ignore)
        os.kill(min(children() - before), signal.SIGKILL)
        with pytest.raises(WorkerError, match="killed by signal 9"):
            await workers.run_step("ack", ignore)
    assert children() <= before


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.03, 0.1])
async def test_a_cancelled_start_leaves_no_worker(seconds: float) -> None:
    before = children()

    async def start() -> None:
        async with Workers(make_plan("http://127.0.0.1:1", clients=64, workers=32)):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await start()
    assert children() <= before
