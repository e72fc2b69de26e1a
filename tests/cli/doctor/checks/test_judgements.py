"""What is made of an answer, without a network."""

import ssl
from collections.abc import Mapping

import pytest
from multidict import CIMultiDict

from nsroom.client.target import Target
from nsroom.doctor.checks import network, platforms
from nsroom.doctor.checks.cors import judge, judge_preflight, same_origin
from nsroom.doctor.checks.handshake import PollingHandshake, redirected
from nsroom.doctor.examination import Examination, Options
from nsroom.doctor.finding import Finding, State
from nsroom.doctor.probes.http import Answer, HttpClient

PAGE = "https://app.example.org"
ALLOW = "Access-Control-Allow-Origin"
CREDENTIALS = "Access-Control-Allow-Credentials"


def answer(
    status: int = 200, headers: Mapping[str, str] | None = None, body: bytes = b"", **repeated: int
) -> Answer:
    return Answer(status, CIMultiDict(headers or {}), body, {}, repeated)


def told(finding: Finding | None) -> str | None:
    return finding.found if finding else None


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (10, "has expired"),
        (9, "not valid yet"),
        (18, "self-signed"),
        (62, "another host than example.org"),
        (64, "another host than example.org"),
        (20, "unknown authority"),
        (19, "unknown authority"),
        (23, "not trusted: revoked"),
    ],
)
def test_why_a_certificate_is_not_trusted(code: int, found: str) -> None:
    finding = network.untrusted(code, "revoked", "example.org")
    assert finding.state is State.FAILED
    assert found in finding.found
    assert finding.fixes


def test_a_certificate_is_renewed_in_time() -> None:
    certificate = {"notAfter": "Jan  1 00:00:00 2030 GMT"}
    end = ssl.cert_time_to_seconds(certificate["notAfter"])
    assert network.expiry(certificate, end - 100 * 86_400).found.endswith("valid for 100 days")
    assert network.expiry(certificate, end - 86_400).state is State.WARNING
    assert network.expiry({}, 0).state is State.OK


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
    said = told(judge(answer(200, headers), PAGE, cookies))
    assert said == found if found is None else found in str(said)


def test_cors_of_a_refusal_and_of_two_headers() -> None:
    refused = judge(answer(400, body=b'"not an accepted origin"'), PAGE, False)
    assert told(refused) == "HTTP 400 with this Origin: not an accepted origin"
    twice = answer(200, {ALLOW: PAGE}, **{"access-control-allow-origin": 2})
    assert "sent twice" in str(told(judge(twice, PAGE, False)))


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
    said = told(judge_preflight(answer(status, headers), PAGE, ["X-A", "X-B"]))
    assert said == found if found is None else found in str(said)


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


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({"X-Vercel-Id": "fra1"}, ("Vercel", True)),
        ({"Server": "Netlify"}, ("Netlify", True)),
        ({"Apigw-Requestid": "x"}, ("AWS API Gateway", True)),
        ({"CF-RAY": "x", "Server": "cloudflare"}, ("Cloudflare", False)),
        ({"Via": "1.1 vegur"}, ("Heroku", False)),
        ({"Server": "nginx"}, (None, False)),
        ({}, (None, False)),
    ],
)
def test_platforms(headers: dict[str, str], known: tuple[str | None, bool]) -> None:
    assert platforms.known_platform(CIMultiDict(headers)) == known


@pytest.mark.parametrize(
    ("status", "body", "generation", "engine"),
    [
        (200, b'0{"sid":"x"}', 4, True),
        (200, b'96:0{"sid":"x"}2:40', 3, True),
        (200, b"<html>", None, False),
        (200, b"", None, False),
        (400, b'{"code":0,"message":"Transport unknown"}', None, True),
        (400, b'"Invalid transport"', None, True),
        (500, b'{"error":"internal"}', None, False),
        (404, b'{"message":"Not Found"}', None, False),
        (400, b"[" * 10_000, None, False),
    ],
)
def test_what_is_engine_io(status: int, body: bytes, generation: int | None, engine: bool) -> None:
    hand = PollingHandshake(answer(status, {}, body))
    assert (hand.generation, hand.is_engine) == (generation, engine)


@pytest.mark.parametrize(
    ("location", "to"),
    [
        ("https://example.org/socket.io/?EIO=4", ("https://example.org", "/socket.io/")),
        ("/api/socket.io/", ("http://localhost:3000", "/api/socket.io/")),
        ("/login", (None, "")),
        ("http://[", (None, "")),
        ("", (None, "")),
    ],
)
def test_redirects(location: str, to: tuple[str | None, str]) -> None:
    examination = Examination(Target(), Options(), HttpClient(Target()))
    assert redirected(location, examination) == to
