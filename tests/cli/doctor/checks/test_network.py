"""Findings about certificates."""

import ssl

import pytest

from nsroom.doctor.checks.network import judge_certificate_error, judge_expiry
from nsroom.doctor.finding import State


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (10, "has expired"),
        (9, "not valid yet"),
        (18, "self-signed"),
        (62, "not for example.org"),
        (64, "not for example.org"),
        (20, "unknown authority"),
        (19, "unknown authority"),
        (23, "not trusted: revoked"),
    ],
)
def test_why_a_certificate_is_not_trusted(code: int, found: str) -> None:
    finding = judge_certificate_error(code, "revoked", "example.org")
    assert finding.state is State.FAILED
    assert found in finding.found
    assert finding.fixes


def test_a_certificate_is_renewed_in_time() -> None:
    certificate = {"notAfter": "Jan  1 00:00:00 2030 GMT"}
    end = ssl.cert_time_to_seconds(certificate["notAfter"])
    assert judge_expiry(certificate, end - 100 * 86_400).found.endswith("valid for 100 days")
    assert judge_expiry(certificate, end - 86_400).state is State.WARNING
    assert judge_expiry({}, 0).state is State.OK
