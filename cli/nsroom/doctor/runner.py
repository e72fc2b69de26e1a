"""Run checks concurrently, each as soon as the checks it depends on have passed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, Report, blocked, fail, skip
from nsroom.doctor.probes.session import SESSION_ERRORS

BUDGET = 15.0
"""Seconds for all checks together."""

Tasks = Sequence["asyncio.Task[Report]"]

Progress = Callable[[Sequence[str]], None]
"""Called with the names of the unfinished checks."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check, and the checks it depends on."""

    name: str
    run: Callable[[Examination], Awaitable[Finding]]
    needs: tuple[str, ...] = ()
    timeout: float = 8.0
    """Seconds."""
    is_last: bool = False
    """Whether to wait until the other checks are done, or as long as the time for all checks allows."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What a check waits for: all of `needed`, and at most `seconds` for `others`."""

    needed: Tasks
    others: Tasks
    seconds: float


async def examine(
    checks: Sequence[Check], examination: Examination, progress: Progress, budget: float = BUDGET
) -> list[Report]:
    """Run all checks within `budget` seconds, and return their reports in the same order."""
    running: dict[str, asyncio.Task[Report]] = {}
    for check in sorted(checks, key=lambda check: check.is_last):
        needed = [running[name] for name in check.needs]
        others = list(running.values()) if check.is_last else []
        wait = Wait(needed, others, budget - check.timeout)
        running[check.name] = asyncio.create_task(_run_after(wait, check, examination))
    try:
        await _wait(running, progress, budget)
        return [_result(check, running[check.name], budget) for check in checks]
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        await examination.close()


async def _wait(running: dict[str, "asyncio.Task[Report]"], progress: Progress, budget: float) -> None:
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
        check.name, skip(f"not finished within {budget:g} s, the limit for all checks"), budget * 1000
    )


async def _run_after(wait: Wait, check: Check, examination: Examination) -> Report:
    if wait.others:
        await asyncio.wait(wait.others, timeout=wait.seconds)
    for task in wait.needed:
        # Shielded: cancelling this check must not cancel those it depends on.
        report = await asyncio.shield(task)
        if report.finding.blocks:
            return Report(check.name, blocked(report.finding.needs or report.check), 0.0)
    start = time.monotonic()
    finding = await _run(check, examination)
    return Report(check.name, finding, (time.monotonic() - start) * 1000)


async def _run(check: Check, examination: Examination) -> Finding:
    try:
        async with asyncio.timeout(check.timeout):
            return await check.run(examination)
    except TimeoutError:
        return fail(f"no answer within {check.timeout:g} s")
    except SESSION_ERRORS as error:
        return fail(f"the connection failed: {error}")
