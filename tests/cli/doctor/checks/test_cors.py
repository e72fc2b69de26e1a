"""Findings about the CORS headers of responses and preflights."""

from collections.abc import Mapping

import pytest
from multidict import CIMultiDict

from nsroom.doctor.checks.cors import is_same_origin, judge_preflight, judge_response, preflighted_headers
from nsroom.doctor.finding import Finding
from nsroom.doctor.probes.http import Response

PAGE = "https://app.example.org"
ALLOW = "Access-Control-Allow-Origin"
CREDENTIALS = "Access-Control-Allow-Credentials"


def response(
    status: int = 200, headers: Mapping[str, str] | None = None, body: bytes = b"", **repeated: int
) -> Response:
    return Response(status, CIMultiDict(headers or {}), body, {}, repeated)


def found_by(finding: Finding | None) -> str | None:
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
def test_cors(headers: dict[str, str], cookies: bool, found: str | None) -> None:
    said = found_by(judge_response(response(200, headers), PAGE, cookies))
    assert said == found if found is None else found in str(said)


def test_cors_of_a_refusal_and_of_two_headers() -> None:
    refused = judge_response(response(400, body=b'"not an accepted origin"'), PAGE, False)
    assert found_by(refused) == "with this Origin, HTTP 400: not an accepted origin"
    twice = response(200, {ALLOW: PAGE}, **{"access-control-allow-origin": 2})
    assert "sent twice" in str(found_by(judge_response(twice, PAGE, False)))


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
def test_preflight(status: int, headers: dict[str, str], found: str | None) -> None:
    said = found_by(judge_preflight(response(status, headers), PAGE, ["X-A", "X-B"]))
    assert said == found if found is None else found in str(said)


def test_headers_that_need_a_preflight() -> None:
    assert preflighted_headers({"Accept": "*/*", "X-A": "1", "Authorization": "x"}) == [
        "X-A",
        "Authorization",
    ]


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
def test_is_same_origin(page: str, same: bool) -> None:
    assert is_same_origin(page, "http://localhost:3000") is same
