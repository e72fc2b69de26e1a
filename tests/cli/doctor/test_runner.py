"""Checks run side by side, wait for those that they need, and never for longer than they may."""

import asyncio
import time
from collections.abc import Sequence

from nsroom.client.target import Target
from nsroom.doctor.examination import Examination, Options, once
from nsroom.doctor.finding import Finding, State, fail, ok, skip, warn
from nsroom.doctor.probes.http import HttpClient, NoAnswer
from nsroom.doctor.runner import Check, examine


def examination() -> Examination:
    return Examination(Target(), Options(), HttpClient(Target()))


def gives(finding: Finding, name: str, *needs: str) -> Check:
    async def run(_examination: Examination) -> Finding:
        return finding

    return Check(name, run, needs)


def hangs(name: str, *needs: str, bound: float = 60.0) -> Check:
    async def run(_examination: Examination) -> Finding:
        await asyncio.Event().wait()
        return ok("never")

    return Check(name, run, needs, bound)


async def findings(checks: Sequence[Check], budget: float = 30.0) -> dict[str, Finding]:
    reports = await examine(checks, examination(), lambda _left: None, budget)
    assert [report.check for report in reports] == [check.name for check in checks]
    return {report.check: report.finding for report in reports}


async def test_a_failure_stops_what_builds_on_it_however_far() -> None:
    found = await findings(
        [gives(fail("no"), "a"), gives(ok(""), "b", "a"), gives(ok(""), "c", "b"), gives(ok(""), "d")]
    )
    assert [finding.state for finding in found.values()] == ["failed", "skipped", "skipped", "ok"]
    assert found["b"].found == found["c"].found == "needs a"


async def test_a_warning_and_what_does_not_apply_stop_nothing() -> None:
    found = await findings([gives(warn("hm"), "a"), gives(skip("no"), "b", "a"), gives(ok("yes"), "c", "b")])
    assert found["c"].state is State.OK


async def test_a_check_has_a_bound() -> None:
    found = await findings([hangs("a", bound=0.05), gives(ok(""), "b")])
    assert (found["a"].state, found["a"].found) == (State.FAILED, "no answer within 0.05 s")
    assert found["b"].state is State.OK


async def test_all_of_them_have_one() -> None:
    start = time.monotonic()
    found = await findings([hangs("a"), gives(ok(""), "b", "a"), gives(ok(""), "c")], budget=0.2)
    assert time.monotonic() - start < 10
    assert found["a"].found == found["b"].found == "not finished within 0.2 s, the time for all checks"
    assert found["c"].state is State.OK


async def test_checks_that_need_nothing_run_side_by_side() -> None:
    met = asyncio.Barrier(3)

    async def run(_examination: Examination) -> Finding:
        await met.wait()
        return ok("")

    found = await findings([Check(name, run) for name in "abc"])
    assert {finding.state for finding in found.values()} == {State.OK}


async def test_a_connection_that_breaks_is_a_failure() -> None:
    async def run(_examination: Examination) -> Finding:
        raise NoAnswer("no answer within 5 s")

    assert (await findings([Check("a", run)]))["a"].found == "the connection failed: no answer within 5 s"


async def test_progress_names_what_is_left() -> None:
    seen: list[list[str]] = []
    checks = [gives(ok(""), "a"), gives(ok(""), "b", "a")]
    await examine(checks, examination(), lambda left: seen.append(list(left)))
    assert seen[0] == ["a", "b"]


async def test_a_probe_is_made_once_for_all_who_ask() -> None:
    made = []

    @once
    async def probe(_examination: Examination) -> int:
        made.append(1)
        await asyncio.sleep(0)
        return 7

    async def run(examination: Examination) -> Finding:
        return ok(str(await probe(examination)))

    found = await findings([Check("a", run), Check("b", run)])
    assert [finding.found for finding in found.values()] == ["7", "7"]
    assert len(made) == 1
