"""Findings about the CORS headers of responses and preflights."""

from collections.abc import Mapping, Sequence

import pytest
from multidict import CIMultiDict

from nsroom.doctor.checks.cors import is_same_origin, judge_preflight, judge_response, preflighted_headers
from nsroom.doctor.finding import Finding
from nsroom.doctor.probes.http import Response

PAGE = "https://app.example.org"
ALLOW = "Access-Control-Allow-Origin"
CREDENTIALS = "Access-Control-Allow-Credentials"


def response(
    status: int = 200, headers: Mapping[str, str] | Sequence[tuple[str, str]] = (), body: bytes = b""
) -> Response:
    return Response(status, CIMultiDict(headers), body, {})


def found_by(finding: Finding | None) -> str | None:
    return finding.found if finding else None


@pytest.mark.parametrize(
    ("headers", "cookies", "found"),
    [
        ({ALLOW: PAGE}, False, None),
        ({ALLOW: "*"}, False, None),
        ({ALLOW: "null"}, False, f"is null, not {PAGE}"),
        ({ALLOW: PAGE, CREDENTIALS: "true"}, True, None),
        ({}, False, "no Access-Control-Allow-Origin"),
        ({ALLOW: "*"}, True, "is *, which browsers reject for requests with cookies"),
        ({ALLOW: "http://localhost"}, False, f"is http://localhost, not {PAGE}"),
        ({ALLOW: PAGE}, True, "Allow-Credentials is not true"),
        ({ALLOW: f"{PAGE}, {PAGE}"}, False, f"sent twice ({PAGE}), which"),
        ([(ALLOW, "*"), (ALLOW, "*")], False, "sent twice (*), which"),
        ([(ALLOW, PAGE), (ALLOW.lower(), PAGE)], False, f"sent twice ({PAGE}), which"),
        ([(ALLOW, "*"), (ALLOW, PAGE)], False, f"sent twice (* and {PAGE}), which"),
        ([(ALLOW, "*"), (ALLOW, PAGE), (ALLOW, "*")], False, "sent 3 times"),
        ([(ALLOW, PAGE), (CREDENTIALS, "true"), (CREDENTIALS, "true")], True, f"{CREDENTIALS} is sent twice"),
    ],
)
def test_cors(headers: dict[str, str] | list[tuple[str, str]], cookies: bool, found: str | None) -> None:
    said = found_by(judge_response(response(200, headers), PAGE, cookies))
    assert said == found if found is None else found in str(said)


def test_cors_of_a_refusal() -> None:
    refused = judge_response(response(400, body=b'"not an accepted origin"'), PAGE, False)
    assert found_by(refused) == "with this Origin, HTTP 400: not an accepted origin"


@pytest.mark.parametrize(
    ("status", "headers", "found"),
    [
        (204, {ALLOW: PAGE, "Access-Control-Allow-Headers": "X-A, x-b"}, None),
        (204, {ALLOW: "*", "Access-Control-Allow-Headers": "*"}, None),
        (404, {ALLOW: PAGE}, "HTTP 404"),
        (204, {}, "does not allow the origin"),
        (204, {ALLOW: PAGE, "Access-Control-Allow-Headers": "x-a"}, "the header X-B"),
        (204, {ALLOW: f"{PAGE}, *", "Access-Control-Allow-Headers": "*"}, "is sent twice"),
    ],
)
def test_preflight(status: int, headers: dict[str, str], found: str | None) -> None:
    said = found_by(judge_preflight(response(status, headers), PAGE, ["X-A", "X-B"]))
    assert said == found if found is None else found in str(said)


def test_a_star_in_a_preflight_counts_neither_for_authorization_nor_with_cookies() -> None:
    star = response(204, {ALLOW: PAGE, "Access-Control-Allow-Headers": "*"})
    assert "the header Authorization" in str(found_by(judge_preflight(star, PAGE, ["Authorization"])))
    assert judge_preflight(star, PAGE, ["X-A"]) is None
    assert "the header X-A" in str(found_by(judge_preflight(star, PAGE, ["X-A"], credentials=True)))


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
        ("file://", False),
        ("capacitor://localhost", False),
        ("http://[", False),
    ],
)
def test_is_same_origin(page: str, same: bool) -> None:
    assert is_same_origin(page, "http://localhost:3000") is same
