"""Findings, and values from a server inside them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.doctor.finding import Finding, State, blocked, fail, ok, quoted, shown, skip, warn


@pytest.mark.parametrize(
    ("finding", "state", "blocks"),
    [
        (ok("x"), State.OK, False),
        (warn("x"), State.WARNING, False),
        (skip("x"), State.SKIPPED, False),
        (fail("x"), State.FAILED, True),
        (blocked("dns"), State.SKIPPED, True),
    ],
)
def test_states(finding: Finding, state: State, blocks: bool) -> None:
    assert (finding.state, finding.blocks) == (state, blocks)


def test_a_blocked_check_names_the_failed_one() -> None:
    assert (blocked("dns").needs, blocked("dns").found) == ("dns", "needs dns")


@given(st.text())
def test_quoted_text_stays_one_string(text: str) -> None:
    assert json.loads(quoted(text)) == text
    assert "\n" not in quoted(text)


def test_long_values_are_truncated() -> None:
    assert shown("x" * 1000) == f'"{"x" * 118}…'
    assert shown({"a": b"xy"}) == '{"a": "<2 bytes>"}'
