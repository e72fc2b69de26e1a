"""Run the scenarios one after the other."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

from nsroom.bench.fleet import LOST
from nsroom.bench.plan import Plan, Scenario
from nsroom.bench.report import Report
from nsroom.bench.tally import Tally, missing_deliveries
from nsroom.bench.worker import COLLECT, JOIN
from nsroom.bench.workers import WorkerError, Workers
from nsroom.cli.progress import Progress
from nsroom.errors import ConnectError, LostError, NackError, NsroomError, RefusedError, WaitError


async def run_scenarios(plan: Plan, scenarios: Sequence[Scenario], report: Report) -> None:
    """Fill the report, scenario by scenario; if cancelled, with the counts so far.

    Raises: NsroomError if the next scenario would be pointless.
    """
    progress = Progress()
    try:
        async with Workers(plan) as workers:
            for step in _steps(scenarios):
                progress.begin(step, None if step in (JOIN, Scenario.CONNECT) else plan.load.duration)
                tally = await _run_step(workers, step, report, progress)
                if step == Scenario.FANOUT:
                    # The members of a room may be in several workers: tell those without the sender how
                    # many messages to expect.
                    tally = await _run_step(workers, f"{COLLECT} {tally.sent}", report, progress)
                _add(report, step, tally)
                _check(plan, step, tally, report)
    finally:
        progress.end()


def _steps(scenarios: Sequence[Scenario]) -> Iterator[str]:
    yield Scenario.CONNECT
    if Scenario.ACK in scenarios:
        yield Scenario.ACK
    if Scenario.FANOUT in scenarios:
        yield from (JOIN, Scenario.FANOUT)


async def _run_step(workers: Workers, step: str, report: Report, progress: Progress) -> Tally:
    try:
        return await workers.run_step(step, progress)
    except asyncio.CancelledError:
        report.interrupted = True
        with contextlib.suppress(TimeoutError, WorkerError):
            tally = await workers.stop_step()
            _add(report, Scenario.FANOUT if step.startswith(COLLECT) else step, tally)
        raise


def _add(report: Report, step: str, tally: Tally) -> None:
    if step == JOIN:
        report.joining = tally
        return
    if step == Scenario.FANOUT:
        tally.errors.update(report.joining.errors)
        if not report.interrupted:
            tally.error("not delivered", missing_deliveries(tally.rooms))
    report.results[Scenario(step)] = tally


def _check(plan: Plan, step: str, tally: Tally, report: Report) -> None:
    """Raise NsroomError if the next step would be pointless."""
    cause = tally.errors.most_common(1)[0][0] if tally.errors else ""
    if step == Scenario.CONNECT and not tally.answered:
        kind = RefusedError if cause.startswith("refused") else ConnectError
        raise kind(f"cannot connect to {report.target}: {cause}")
    if not tally.connected:
        causes = (each for each, _ in tally.errors.most_common() if each.startswith(LOST))
        raise LostError(f"all connections are closed: {next(causes, cause)}")
    if step == JOIN and cause.startswith("refused") and tally.errors.total() >= tally.sent:
        raise RefusedError(f"the server refuses every client's join: {cause}: see --join-event")
    if step in (Scenario.ACK, Scenario.FANOUT) and not tally.answered:
        raise _unanswered(plan, Scenario(step), cause)


def _unanswered(plan: Plan, step: Scenario, cause: str) -> NsroomError:
    events, seconds = plan.events, f"{plan.load.timeout:g} s"
    event, option = (events.ack[0], "--event") if step is Scenario.ACK else (events.send[0], "--room-event")
    if cause.startswith("refused"):
        return NackError(f"the server refuses every {event!r} ({cause}): use another event with {option}")
    if step is Scenario.ACK:
        return WaitError(
            f"no acknowledgement of {event!r} within {seconds}: does the server handle it? "
            f"use an event that it acknowledges with {option}"
        )
    return WaitError(
        f"no {event!r} reached a room within {seconds}: "
        f"use the event that the server relays with {option}, and the one that joins rooms with --join-event"
    )
