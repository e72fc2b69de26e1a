"""Refusals are answered with their code and text."""

import re

import pytest

from nsroom_server.errors import Code, Refusal


@pytest.mark.parametrize("code", Code)
def test_a_refusal_is_answered_with_its_code(code: Code) -> None:
    assert Refusal(code, "because").answer == {"error": code.value, "message": "because"}
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code.value)
