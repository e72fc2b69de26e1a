"""Check the connection below HTTP: the name, its addresses, and TLS."""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from nsroom.client.transports.tls import client_context
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip, warn
from nsroom.doctor.fixes import network as fixes

_CONNECT_TIMEOUT = 4.0
"""Seconds for a connection to one address."""
_MAX_ADDRESSES = 8
_RENEW_BEFORE = 14 * 86_400
"""Seconds before its expiry by which a certificate should have been renewed."""
# X509_V_ERR_… of OpenSSL.
_NOT_YET, _EXPIRED, _SELF_SIGNED, _HOST, _ADDRESS = 9, 10, 18, 62, 64
_UNKNOWN = (2, 19, 20, 21)
# The reason when a ClientHello is answered in plain text depends on the version of OpenSSL.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "HTTP_REQUEST")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the server, and why it cannot be connected to; None if it can."""

    host: str
    fault: str | None = None


def host_and_port(examination: Examination) -> tuple[str, int]:
    """Return the host and the port to connect to."""
    url = URL(examination.target.url)
    return url.host or "", url.port or 80


@once
async def addresses(examination: Examination) -> list[str]:
    """Return the addresses of the host. Raises: OSError."""
    host, port = host_and_port(examination)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))[:_MAX_ADDRESSES]


def is_loopback(address: str) -> bool:
    """Return whether an address, with or without a zone, is of this machine."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


async def check_dns(examination: Examination) -> Finding:
    """Check that the name resolves."""
    host, _ = host_and_port(examination)
    if proxy := examination.http.proxy:
        return skip(f"left to the HTTP proxy {URL(proxy).host} of the environment")
    try:
        found = await addresses(examination)
    except OSError as error:
        return fail(f"no address for {host}: {error.strerror or error}", fixes.look_up(host))
    except UnicodeError as error:
        return fail(f"no address for {host}: {error}", fixes.look_up(host))
    if found == [host]:
        return ok(f"{host} is an address")
    return ok(f"{host} is {' and '.join(found)}")


async def check_tcp(examination: Examination) -> Finding:
    """Check that every address accepts connections."""
    _, port = host_and_port(examination)
    if examination.http.proxy:
        return skip("left to the HTTP proxy of the environment")
    found = await addresses(examination)
    timeout = examination.timeout(_CONNECT_TIMEOUT)
    tried = await asyncio.gather(*(_connect(host, port, timeout) for host in found))
    accepting = [each.host for each in tried if each.fault is None]
    faults = [f"{each.host} {each.fault}" for each in tried if each.fault is not None]
    listed = ", ".join(faults)
    if not accepting:
        return fail(
            f"port {port}: {listed}", *fixes.listen(port, any("refuses" in fault for fault in faults))
        )
    accepts = f"port {port}: {', '.join(accepting)} accepts"
    if not faults:
        return ok(accepts)
    if all(is_loopback(each.host) for each in tried):
        return ok(f"{accepts}, {listed}")
    return warn(f"{accepts}, but {listed}: some clients try that address first", fixes.every_address())


async def _connect(host: str, port: int, timeout: float) -> Address:
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except TimeoutError:
        return Address(host, f"does not answer within {timeout:g} s")
    except ConnectionRefusedError:
        return Address(host, "refuses the connection")
    except OSError as error:
        return Address(host, f"cannot be reached ({error.strerror or error})")
    return Address(host)


async def check_tls(examination: Examination) -> Finding:
    """Check the TLS handshake and the certificate."""
    target = examination.target
    if not target.url.startswith("https:"):
        return skip("not needed: the URL starts with http://")
    if examination.http.proxy:
        return skip("left to the requests through the HTTP proxy")
    try:
        certificate = await tls_handshake(examination, client_context(target.insecure, target.cacert))
    except ssl.SSLCertVerificationError as error:
        return untrusted(error.verify_code, error.verify_message, host_and_port(examination)[0])
    except ssl.SSLError as error:
        return _tls_failed(examination, str(error.reason or error))
    except (OSError, TimeoutError) as error:
        return fail(f"the TLS handshake failed: {str(error) or type(error).__name__}", *fixes.other_port())
    if target.insecure:
        return ok("the TLS handshake works; the certificate is not verified (-k)")
    return expiry(certificate, time.time())


async def tls_handshake(examination: Examination, context: ssl.SSLContext) -> Mapping[str, Any]:
    """Return the server's certificate after a TLS handshake. Raises: ssl.SSLError, OSError, TimeoutError."""
    host, port = host_and_port(examination)
    async with asyncio.timeout(examination.timeout(_CONNECT_TIMEOUT)):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    certificate: Mapping[str, Any] = writer.get_extra_info("peercert") or {}
    writer.transport.abort()
    return certificate


def untrusted(code: int, message: str, host: str) -> Finding:
    """Return why a certificate is not trusted, by OpenSSL's error code."""
    if code == _EXPIRED:
        return fail("the certificate has expired", *fixes.renew(host))
    if code == _NOT_YET:
        return fail("the certificate is not valid yet: is a clock wrong?", *fixes.renew(host))
    if code == _SELF_SIGNED:
        return fail("the certificate is self-signed", *fixes.self_signed())
    if code in (_HOST, _ADDRESS):
        return fail(f"the certificate is for another host than {host}", *fixes.other_host(host))
    if code in _UNKNOWN:
        found = (
            f"the chain ends with an unknown authority ({message}): is an intermediate certificate missing?"
        )
        return fail(found, *fixes.chain(host))
    return fail(f"the certificate is not trusted: {message}", *fixes.chain(host))


def expiry(certificate: Mapping[str, Any], now: float) -> Finding:
    """Return for how long a trusted certificate is still valid."""
    end = certificate.get("notAfter")
    if not isinstance(end, str):
        return ok("the certificate is trusted")
    left = ssl.cert_time_to_seconds(end) - now
    days = f"{left / 86_400:.0f} days"
    if left < _RENEW_BEFORE:
        return warn(f"the certificate expires in {days}", *fixes.renew(""))
    return ok(f"the certificate is trusted, and valid for {days}")


def _tls_failed(examination: Examination, reason: str) -> Finding:
    if not any(word in reason.upper() for word in _NOT_TLS):
        return fail(f"TLS fails: {reason}", *fixes.other_port())
    url = "http" + examination.target.place.removeprefix("https")
    return fail("this port speaks plain HTTP, not TLS", *fixes.use_url(url))


async def speaks_tls(examination: Examination) -> bool:
    """Return whether the port of an http:// URL completes a TLS handshake."""
    try:
        await tls_handshake(examination, client_context(True, None))
    except (OSError, TimeoutError):
        return False
    return True
