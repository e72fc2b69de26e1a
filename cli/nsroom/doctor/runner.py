"""Run checks side by side, each as soon as those that it needs have passed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, Report, blocked, fail, skip
from nsroom.doctor.probes.session import LOST

BUDGET = 15.0
"""Seconds for everything."""

Progress = Callable[[Sequence[str]], None]
"""Is told which checks are still under way."""


@dataclass(frozen=True, slots=True)
class Check:
    """A question, and the checks without which it makes no sense."""

    name: str
    run: Callable[[Examination], Awaitable[Finding]]
    needs: tuple[str, ...] = ()
    bound: float = 8.0
    """Seconds."""


async def examine(
    checks: Sequence[Check], examination: Examination, progress: Progress, budget: float = BUDGET
) -> list[Report]:
    """Run all checks within `budget` seconds, and report in their order."""
    running: dict[str, asyncio.Task[Report]] = {}
    for check in checks:
        needed = [running[name] for name in check.needs]
        running[check.name] = asyncio.create_task(_judge(check, needed, examination))
    try:
        await _follow(running, progress, budget)
        return [_result(check, running[check.name], budget) for check in checks]
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        await examination.close()


async def _follow(running: dict[str, "asyncio.Task[Report]"], progress: Progress, budget: float) -> None:
    deadline = time.monotonic() + budget
    left = running
    while left and (seconds := deadline - time.monotonic()) > 0:
        progress(list(left))
        await asyncio.wait(left.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        left = {name: task for name, task in left.items() if not task.done()}


def _result(check: Check, task: "asyncio.Task[Report]", budget: float) -> Report:
    if task.done():
        return task.result()
    return Report(check.name, skip(f"not finished within the {budget:g} s of everything"), budget * 1000)


async def _judge(check: Check, needed: Sequence["asyncio.Task[Report]"], examination: Examination) -> Report:
    for task in needed:
        # Shielded: a check that is given up takes none of these with it.
        report = await asyncio.shield(task)
        if report.finding.stops:
            return Report(check.name, blocked(report.finding.needs or report.check), 0.0)
    start = time.monotonic()
    finding = await _bounded(check, examination)
    return Report(check.name, finding, (time.monotonic() - start) * 1000)


async def _bounded(check: Check, examination: Examination) -> Finding:
    try:
        async with asyncio.timeout(check.bound):
            return await check.run(examination)
    except TimeoutError:
        return fail(f"no answer within {check.bound:g} s")
    except LOST as error:
        return fail(f"the connection failed: {error}")
