"""Scenarios in order, and errors that end a run."""

import asyncio
from collections.abc import Sequence

import pytest

from nsroom.bench.plan import Plan, Scenario
from nsroom.bench.report import Report
from nsroom.bench.run import run_scenarios
from nsroom.bench.tally import Tally
from nsroom.errors import ConnectError, NackError, NsroomError, RefusedError, WaitError
from tests.cli.bench.plans import make_plan
from tests.cli.clients import Reference
from tests.peers import bad


class Results(dict[Scenario, Tally]):
    """Results that tell when the first of them is there."""

    def __init__(self) -> None:
        super().__init__()
        self.filled = asyncio.Event()

    def __setitem__(self, scenario: Scenario, tally: Tally) -> None:
        super().__setitem__(scenario, tally)
        self.filled.set()


async def run(plan: Plan, scenarios: Sequence[Scenario] = tuple(Scenario)) -> Report:
    report = Report("http://server", "/chat", plan.load)
    await run_scenarios(plan, scenarios, report)
    return report


async def test_all_scenarios(reference: Reference) -> None:
    report = await run(make_plan((await reference()).url, rate=50))
    assert list(report.results) == ["connect", "ack", "fan-out"]
    assert all(tally.answered and not tally.errors for tally in report.results.values())
    assert not report.interrupted


async def test_connect_always_runs(reference: Reference) -> None:
    assert list((await run(make_plan((await reference()).url), [])).results) == ["connect"]


async def test_a_cancelled_run_reports_what_it_measured(reference: Reference) -> None:
    plan = make_plan((await reference()).url, rate=50, duration=60)
    results = Results()
    report = Report("http://server", "/chat", plan.load, results)
    running = asyncio.create_task(run_scenarios(plan, [Scenario.ACK], report))
    await asyncio.wait_for(results.filled.wait(), 20)
    await asyncio.sleep(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert report.interrupted
    assert report.results[Scenario.ACK].answered > 0


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        ("never", WaitError, "no acknowledgement of 'never' within 0.3 s"),
        ("none", NackError, "the server refuses every 'none' (refused: unknown_event)"),
    ],
)
async def test_unanswered_events(
    reference: Reference, event: str, kind: type[NsroomError], text: str
) -> None:
    plan = make_plan((await reference()).url, namespace="/lab", ack=event, duration=30, timeout=0.3)
    with pytest.raises(kind) as caught:
        await run(plan, [Scenario.ACK])
    assert text in str(caught.value)


async def test_refused_joins(reference: Reference) -> None:
    plan = make_plan((await reference()).url, join="nonsense")
    with pytest.raises(RefusedError, match="refuses every client's join"):
        await run(plan, [Scenario.FANOUT])


async def test_a_closed_port() -> None:
    async with bad.refuses_connections() as url:
        with pytest.raises(ConnectError, match="cannot connect to http://server: connection refused"):
            await run(make_plan(url))
