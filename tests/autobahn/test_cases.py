"""The quick cases of the Autobahn|Testsuite, against both sides."""

import pytest

from tests.autobahn.__main__ import EXPLAINED, is_good, results, select
from tests.autobahn.cases import CLOSE, NORMAL, PROTOCOL_ERROR, TEXT, Case, Event, Frame, cases, close_data
from tests.autobahn.peers import client
from tests.autobahn.verdict import Outcome, Verdict, judge, run


@pytest.mark.parametrize("side", ["client", "server"])
async def test_the_quick_cases(side: str) -> None:
    found = [result async for result in results([side], select([], True))]
    assert len(found) > 100
    assert [(result[1].number, *result[2:]) for result in found if not is_good(result)] == []


def test_every_number_is_used_once() -> None:
    numbers = [case.number for case in cases(quick=True)]
    assert len(set(numbers)) == len(numbers) > 100
    assert {number for _, number in EXPLAINED} <= set(numbers)
    assert [case.number for case in select(["7.1"], True)] == [f"7.1.{at}" for at in range(1, 7)]


CASE = Case("0", (), (Event(TEXT, b"a"),), (PROTOCOL_ERROR,), (None,), may_drop=True, fails_by=2)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome([Event(TEXT, b"a")], PROTOCOL_ERROR, True, 2), Verdict.OK),
        (Outcome([Event(TEXT, b"a")], PROTOCOL_ERROR, True, 3), Verdict.NON_STRICT),
        (Outcome([Event(TEXT, b"a")], None, True), Verdict.NON_STRICT),
        (Outcome([], PROTOCOL_ERROR, True), Verdict.NON_STRICT),
        (Outcome([Event(TEXT, b"a")], NORMAL, True), Verdict.FAILED),
        (Outcome([Event(TEXT, b"b")], PROTOCOL_ERROR, True), Verdict.FAILED),
        (Outcome([Event(TEXT, b"a")], PROTOCOL_ERROR, False), Verdict.FAILED),
        (Outcome([Event(TEXT, b"a")], PROTOCOL_ERROR, True, fault="data after the CLOSE"), Verdict.FAILED),
    ],
)
def test_the_verdict(outcome: Outcome, verdict: Verdict) -> None:
    assert judge(CASE, outcome)[0] is verdict


async def test_a_wrong_expectation_fails() -> None:
    case = Case("0", (Frame(CLOSE, close_data(1001)),), (), (PROTOCOL_ERROR,), closes=False)
    async with client() as wire:
        assert judge(case, await run(wire, case)) == (Verdict.FAILED, "the code 1001 instead of 1002")
