"""Run a scenario as a load."""

import asyncio
import contextlib

from nsroom.bench.report import Report
from nsroom.bench.script.plan import RUN, ScriptPlan
from nsroom.bench.tally import Tally
from nsroom.bench.workers import WorkerError, Workers
from nsroom.cli.progress import Progress
from nsroom.errors import ConnectError, WaitError
from nsroom.output.terminal import safe

_STEP = "script"


async def run_load(plan: ScriptPlan, report: Report) -> None:
    """Fill the report; if cancelled, with the counts so far.

    Raises: ConnectError if no client connects, WaitError if no run ends in time.
    """
    progress = Progress()
    try:
        async with Workers(plan) as workers:
            progress.begin(safe(plan.file), plan.load.duration)
            report.results.update((await _run(workers, report, progress)).parts)
    finally:
        progress.end()
    _check(plan, report)


async def _run(workers: Workers, report: Report, progress: Progress) -> Tally:
    try:
        return await workers.run_step(_STEP, progress)
    except asyncio.CancelledError:
        report.interrupted = True
        with contextlib.suppress(TimeoutError, WorkerError):
            report.results.update((await workers.stop_step()).parts)
        raise


def _check(plan: ScriptPlan, report: Report) -> None:
    """Raise NsroomError if nothing was measured."""
    lines = [tally for name, tally in report.results.items() if name in report.lines]
    causes = [cause for tally in lines for cause, _ in tally.errors.most_common(1)]
    if causes and not any(tally.answered for tally in lines):
        raise ConnectError(f"no client connected: {causes[0]}")
    if not causes and not report.results[RUN].answered:
        seconds = plan.load.duration + plan.load.timeout
        raise WaitError(f"no run of {plan.file} ended within {seconds:g} s: use a longer --duration")
