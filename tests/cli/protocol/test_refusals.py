"""How servers refuse events, namespaces and sessions."""

import pytest

from nsroom.protocol.refusals import explain_connect_error, parse_engine_error, refusal
from nsroom.record import Json


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ([{"error": "not_a_member"}], "not_a_member"),
        ([{"error": "no", "message": "why"}], "no: why"),
        ([{"error": None}, 1], "null"),
        ([{"ok": True}], None),
        ([1, {"error": "no"}], None),
        (["error"], None),
        ([], None),
        (None, None),
    ],
)
def test_a_refusal_is_an_answer_whose_first_argument_has_error(
    args: list[Json] | None, text: str | None
) -> None:
    refused = refusal(args)
    assert (None if refused is None else str(refused)) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"message": "no"}, "no"),
        (
            {"message": "not authorized", "data": {"hint": "send a token"}},
            'not authorized {"hint":"send a token"}',
        ),
        ({"message": "no", "data": None}, "no"),
        ({"message": "no", "data": "later"}, "no later"),
        ({"message": "no", "code": 4}, 'no {"code":4}'),
        ({"message": "no", "data": b"\0"}, 'no {"$binary":"AA=="}'),
        ({"message": 7}, '{"message":7}'),
        ("Invalid namespace", "Invalid namespace"),
        ({}, "no reason given"),
        (None, "no reason given"),
        ({"message": "x" * 400, "data": "y" * 400}, f"{'x' * 299}… {'y' * 299}…"),
    ],
)
def test_the_text_of_a_refused_namespace(data: Json, text: str) -> None:
    assert explain_connect_error(data) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"code":3,"message":"Bad request"}', (3, "Bad request")),
        ('"Invalid session x"', (None, "Invalid session x")),
        ('{"message":7}', (None, None)),
        ('{"code":"x","message":"m"}', (None, "m")),
        ("<html>", (None, None)),
        ("", (None, None)),
        ("[]", (None, None)),
    ],
)
def test_the_error_of_a_refused_session(text: str, expected: tuple[int | None, str | None]) -> None:
    assert parse_engine_error(text) == expected
