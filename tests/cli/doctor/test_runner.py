"""Checks run concurrently, wait for those they depend on, and have time limits."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from nsroom.client.target import Target
from nsroom.doctor.examination import Examination, Extras
from nsroom.doctor.finding import Finding, State, fail, ok, skip, warn
from nsroom.doctor.probes.http import HttpClient, NoResponse
from nsroom.doctor.runner import Check, examine


def examination() -> Examination:
    return Examination(Target(), Extras(), HttpClient(Target()))


def returns(finding: Finding, name: str, *needs: str) -> Check:
    async def run(_examination: Examination) -> Finding:
        return finding

    return Check(name, run, needs)


def hangs(name: str, *needs: str, timeout: float = 60.0) -> Check:
    async def run(_examination: Examination) -> Finding:
        await asyncio.Event().wait()
        return ok("never")

    return Check(name, run, needs, timeout)


async def findings(checks: Sequence[Check], budget: float = 30.0) -> dict[str, Finding]:
    reports = await examine(checks, examination(), lambda _left: None, budget)
    assert [report.check for report in reports] == [check.name for check in checks]
    return {report.check: report.finding for report in reports}


async def test_a_failure_skips_all_checks_that_depend_on_it() -> None:
    found = await findings(
        [returns(fail("no"), "a"), returns(ok(""), "b", "a"), returns(ok(""), "c", "b"), returns(ok(""), "d")]
    )
    assert [finding.state for finding in found.values()] == ["failed", "skipped", "skipped", "ok"]
    assert found["b"].found == found["c"].found == "needs a"


async def test_warnings_and_skipped_checks_block_nothing() -> None:
    found = await findings(
        [returns(warn("hm"), "a"), returns(skip("no"), "b", "a"), returns(ok("yes"), "c", "b")]
    )
    assert found["c"].state is State.OK


async def test_a_check_has_a_time_limit() -> None:
    found = await findings([hangs("a", timeout=0.05), returns(ok(""), "b")])
    assert (found["a"].state, found["a"].found) == (State.FAILED, "no answer within 0.05 s")
    assert found["b"].state is State.OK


async def test_all_checks_together_have_a_time_limit() -> None:
    start = time.monotonic()
    found = await findings([hangs("a"), returns(ok(""), "b", "a"), returns(ok(""), "c")], budget=0.2)
    assert time.monotonic() - start < 10
    assert found["a"].found == found["b"].found == "not finished within 0.2 s, the limit for all checks"
    assert found["c"].state is State.OK


async def test_independent_checks_run_concurrently() -> None:
    met = asyncio.Barrier(3)

    async def run(_examination: Examination) -> Finding:
        await met.wait()
        return ok("")

    found = await findings([Check(name, run) for name in "abc"])
    assert {finding.state for finding in found.values()} == {State.OK}


async def test_the_last_checks_wait_for_the_others() -> None:
    done: list[str] = []

    def records(name: str, seconds: float, is_last: bool = False) -> Check:
        async def run(_examination: Examination) -> Finding:
            await asyncio.sleep(seconds)
            done.append(name)
            return ok("")

        return Check(name, run, timeout=1.0, is_last=is_last)

    await findings([records("slow", 0.2), records("event", 0.0, is_last=True), records("quick", 0.0)])
    assert done == ["quick", "slow", "event"]


async def test_the_last_checks_start_while_there_is_time_for_them() -> None:
    checks = [hangs("a"), replace(returns(ok("yes"), "event"), timeout=1.0, is_last=True)]
    assert (await findings(checks, budget=1.2))["event"].state is State.OK


async def test_a_broken_connection_is_a_failure() -> None:
    async def run(_examination: Examination) -> Finding:
        raise NoResponse("no answer within 5 s")

    assert (await findings([Check("a", run)]))["a"].found == "the connection failed: no answer within 5 s"


async def test_progress_names_the_unfinished_checks() -> None:
    seen: list[list[str]] = []
    checks = [returns(ok(""), "a"), returns(ok(""), "b", "a")]
    await examine(checks, examination(), lambda left: seen.append(list(left)))
    assert seen[0] == ["a", "b"]
