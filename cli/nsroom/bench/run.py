"""A whole load run: one scenario after the other, as long as there is something to measure."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

from nsroom.bench.fleet import LOST
from nsroom.bench.plan import Plan, Scenario
from nsroom.bench.report import Report
from nsroom.bench.tally import Tally, missing
from nsroom.bench.worker import COLLECT, JOIN
from nsroom.bench.workers import Crew, WorkerError
from nsroom.cli.progress import Progress
from nsroom.errors import ConnectError, LostError, NackError, NsroomError, RefusedError, WaitError


async def measure(plan: Plan, scenarios: Sequence[Scenario], report: Report) -> None:
    """Fill the report, scenario for scenario; when cancelled, with what there is so far.

    Raises: NsroomError that says why it cannot go on.
    """
    progress = Progress()
    try:
        async with Crew(plan) as crew:
            for step in _steps(scenarios):
                progress.begin(step, None if step in (JOIN, Scenario.CONNECT) else plan.load.duration)
                tally = await _taken(crew, step, report, progress)
                if step == Scenario.FANOUT:
                    # A room may be in several processes: those that do not send hear now how much there was.
                    tally = await _taken(crew, f"{COLLECT} {tally.sent}", report, progress)
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


async def _taken(crew: Crew, step: str, report: Report, progress: Progress) -> Tally:
    try:
        return await crew.step(step, progress)
    except asyncio.CancelledError:
        report.interrupted = True
        with contextlib.suppress(TimeoutError, WorkerError):
            _add(report, Scenario.FANOUT if step.startswith(COLLECT) else step, await crew.stop())
        raise


def _add(report: Report, step: str, tally: Tally) -> None:
    if step == JOIN:
        report.joining = tally
        return
    if step == Scenario.FANOUT:
        tally.errors.update(report.joining.errors)
        if not report.interrupted:
            tally.error("not delivered", missing(tally.rooms))
    report.results[Scenario(step)] = tally


def _check(plan: Plan, step: str, tally: Tally, report: Report) -> None:
    """Raises: NsroomError where the next step makes no sense."""
    cause = tally.errors.most_common(1)[0][0] if tally.errors else ""
    if step == Scenario.CONNECT and not tally.answered:
        kind = RefusedError if cause.startswith("refused") else ConnectError
        raise kind(f"cannot connect to {report.place}: {cause}")
    if not tally.connected:
        causes = (each for each, _ in tally.errors.most_common() if each.startswith(LOST))
        raise LostError(f"no connection is left: {next(causes, cause)}")
    if step == JOIN and cause.startswith("refused") and tally.errors.total() >= tally.sent:
        raise RefusedError(f"the server refuses every client's join: {cause}: see --join-event")
    if step in (Scenario.ACK, Scenario.FANOUT) and not tally.answered:
        raise _silence(plan, Scenario(step), cause)


def _silence(plan: Plan, step: Scenario, cause: str) -> NsroomError:
    phrases, seconds = plan.phrases, f"{plan.load.timeout:g} s"
    event, option = (phrases.ack[0], "--event") if step is Scenario.ACK else (phrases.send[0], "--room-event")
    if cause.startswith("refused"):
        return NackError(f"the server refuses every {event!r} ({cause}): name another event with {option}")
    if step is Scenario.ACK:
        return WaitError(
            f"no acknowledgement of {event!r} within {seconds}: does the server handle it? "
            f"name one that it acknowledges with {option}"
        )
    return WaitError(
        f"nobody got what {event!r} was to bring to a room within {seconds}: "
        f"name how the server relays with {option}, and how clients join with --join-event"
    )
