"""Checks below HTTP: addresses, certificates and their expiry."""

import ssl

import pytest

from nsroom.client.target import Target
from nsroom.doctor.checks import network
from nsroom.doctor.examination import Examination, Options
from nsroom.doctor.finding import State
from nsroom.doctor.probes.http import HttpClient
from tests.peers import bad


def examination(url: str) -> Examination:
    target = Target(url=url)
    return Examination(target, Options(), HttpClient(target))


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
def test_an_untrusted_certificate(code: int, found: str) -> None:
    finding = network.untrusted(code, "revoked", "example.org")
    assert finding.state is State.FAILED
    assert found in finding.found
    assert finding.fixes


def test_the_expiry_of_a_certificate() -> None:
    certificate = {"notAfter": "Jan  1 00:00:00 2030 GMT"}
    end = ssl.cert_time_to_seconds(certificate["notAfter"])
    assert network.expiry(certificate, end - 100 * 86_400).found.endswith("valid for 100 days")
    assert network.expiry(certificate, end - 86_400).state is State.WARNING
    assert network.expiry({}, 0).state is State.OK


@pytest.mark.parametrize(
    ("address", "local"), [("127.0.0.1", True), ("::1", True), ("fe80::1%eth0", False), ("10.0.0.1", False)]
)
def test_loopback_addresses(address: str, local: bool) -> None:
    assert network.is_loopback(address) is local


async def test_a_port_that_accepts_and_one_that_refuses() -> None:
    async with bad.silent() as url:
        assert (await network.check_tcp(examination(url))).found.endswith("127.0.0.1 accepts")
    async with bad.refuses_connections() as url:
        finding = await network.check_tcp(examination(url))
    assert finding.state is State.FAILED
    assert finding.found.endswith("127.0.0.1 refuses the connection")
