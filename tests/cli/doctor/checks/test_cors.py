"""How the check of CORS judges the answers of a server."""

from collections.abc import Mapping

import pytest
from multidict import CIMultiDict

from nsroom.doctor.checks.cors import judge, judge_preflight, same_origin, unusual
from nsroom.doctor.finding import Finding
from nsroom.doctor.probes.http import Answer

PAGE = "https://app.example.org"
ALLOW = "Access-Control-Allow-Origin"
CREDENTIALS = "Access-Control-Allow-Credentials"


def answer(
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    repeated: Mapping[str, int] | None = None,
) -> Answer:
    return Answer(status, CIMultiDict(headers or {}), body, {}, repeated or {})


def text(finding: Finding | None) -> str | None:
    return finding.found if finding else None


@pytest.mark.parametrize(
    ("headers", "cookies", "found"),
    [
        ({ALLOW: PAGE}, False, None),
        ({ALLOW: "*"}, False, None),
        ({ALLOW: PAGE, CREDENTIALS: "true"}, True, None),
        ({}, False, "no Access-Control-Allow-Origin"),
        ({ALLOW: "*"}, True, f"is *, not {PAGE}"),
        ({ALLOW: "http://localhost"}, False, f"is http://localhost, not {PAGE}"),
        ({ALLOW: PAGE}, True, "Allow-Credentials is not true"),
        ({ALLOW: f"{PAGE}, {PAGE}"}, False, "sent twice"),
    ],
)
def test_an_answer(headers: dict[str, str], cookies: bool, found: str | None) -> None:
    actual = text(judge(answer(200, headers), PAGE, cookies))
    assert actual == found if found is None else found in str(actual)


def test_a_refusal() -> None:
    refused = judge(answer(400, body=b'"not an accepted origin"'), PAGE, False)
    assert text(refused) == "HTTP 400 with this Origin: not an accepted origin"


def test_a_repeated_header() -> None:
    twice = answer(200, {ALLOW: PAGE}, repeated={"access-control-allow-origin": 2})
    assert "sent twice" in str(text(judge(twice, PAGE, False)))


@pytest.mark.parametrize(
    ("status", "headers", "found"),
    [
        (204, {ALLOW: PAGE, "Access-Control-Allow-Headers": "X-A, x-b"}, None),
        (204, {ALLOW: "*", "Access-Control-Allow-Headers": "*"}, None),
        (404, {ALLOW: PAGE}, "HTTP 404"),
        (204, {}, "does not allow the origin"),
        (204, {ALLOW: PAGE, "Access-Control-Allow-Headers": "x-a"}, "the header X-B"),
    ],
)
def test_a_preflight(status: int, headers: dict[str, str], found: str | None) -> None:
    actual = text(judge_preflight(answer(status, headers), PAGE, ["X-A", "X-B"]))
    assert actual == found if found is None else found in str(actual)


def test_which_headers_need_a_preflight() -> None:
    assert unusual({"Accept": "*/*", "Authorization": "x", "X-A": "1"}) == ["Authorization", "X-A"]


@pytest.mark.parametrize(
    ("page", "same"),
    [
        ("http://localhost:3000", True),
        ("http://localhost:3001", False),
        ("https://localhost:3000", False),
        ("null", False),
        ("http://[", False),
    ],
)
def test_same_origin(page: str, same: bool) -> None:
    assert same_origin(page, "http://localhost:3000") is same
