"""Run checks concurrently, each as soon as the checks it needs have passed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, Report, blocked, fail, skip
from nsroom.doctor.probes.session import CONNECTION_ERRORS

BUDGET = 15.0
"""Seconds for all checks, in addition to --soak."""

Progress = Callable[[Sequence[str]], None]
"""Called with the names of the checks that are still running."""


@dataclass(frozen=True, slots=True)
class Check:
    """A question about the server, and the checks that must pass before it makes sense."""

    name: str
    run: Callable[[Examination], Awaitable[Finding]]
    needs: tuple[str, ...] = ()
    bound: float = 8.0
    """Seconds."""
    soaks: bool = False
    """Whether the check may take --soak longer than its bound."""


async def examine(
    checks: Sequence[Check], examination: Examination, progress: Progress, budget: float = BUDGET
) -> list[Report]:
    """Run all checks within `budget` seconds plus --soak, and return their reports in order."""
    budget += examination.options.soak
    running: dict[str, asyncio.Task[Report]] = {}
    for check in checks:
        needed = [running[name] for name in check.needs]
        running[check.name] = asyncio.create_task(_report(check, needed, examination))
    try:
        await _wait_for_all(running, progress, budget)
        return [_result(check, running[check.name], budget) for check in checks]
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        await examination.close()


async def _wait_for_all(
    running: dict[str, "asyncio.Task[Report]"], progress: Progress, budget: float
) -> None:
    deadline = time.monotonic() + budget
    left = running
    while left and (seconds := deadline - time.monotonic()) > 0:
        progress(list(left))
        await asyncio.wait(left.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        left = {name: task for name, task in left.items() if not task.done()}


def _result(check: Check, task: "asyncio.Task[Report]", budget: float) -> Report:
    if task.done():
        return task.result()
    return Report(
        check.name, skip(f"not finished within {budget:g} s, the time for all checks"), budget * 1000
    )


async def _report(check: Check, needed: Sequence["asyncio.Task[Report]"], examination: Examination) -> Report:
    for task in needed:
        # Shielded: cancelling one check must not cancel the checks it waits for.
        report = await asyncio.shield(task)
        if report.finding.blocks:
            return Report(check.name, blocked(report.finding.needs or report.check), 0.0)
    start = time.monotonic()
    finding = await _run_bounded(check, examination)
    return Report(check.name, finding, (time.monotonic() - start) * 1000)


async def _run_bounded(check: Check, examination: Examination) -> Finding:
    bound = check.bound + (examination.options.soak if check.soaks else 0.0)
    try:
        async with asyncio.timeout(bound):
            return await check.run(examination)
    except TimeoutError:
        return fail(f"no answer within {bound:g} s")
    except CONNECTION_ERRORS as error:
        return fail(f"the connection failed: {error}")
