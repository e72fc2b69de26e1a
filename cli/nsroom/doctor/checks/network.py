"""Network checks: name look-up, TCP connections, TLS."""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from nsroom.client.network_errors import (
    EXPIRED,
    NOT_YET_VALID,
    WRONG_HOST,
    explain_os_error,
    wants_certificate,
)
from nsroom.client.transports.http_proxy import HttpProxy, ProxyError, create_connection
from nsroom.client.transports.tls import client_context, target_context
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip, warn
from nsroom.doctor.fixes import network as fixes
from nsroom.doctor.probes.http import NoResponse

_CONNECT_TIMEOUT = 4.0
"""Seconds for a connection to one address."""
_MAX_ADDRESSES = 8
_RENEWAL_PERIOD = 14 * 86_400
"""Seconds before its expiry in which a certificate should be renewed."""
# OpenSSL's X509_V_ERR_… codes.
_SELF_SIGNED = 18
_UNKNOWN_AUTHORITY = (2, 19, 20, 21)
# Reasons when a ClientHello is answered in plain text; they differ between OpenSSL versions.
_PLAIN_TEXT = ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "HTTP_REQUEST")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the server, and why connecting to it failed, or None."""

    host: str
    fault: str | None = None


def host_and_port(examination: Examination) -> tuple[str, int]:
    """Return the host and port to connect to."""
    url = URL(examination.target.url)
    return url.host or "", url.port or 80


@once
async def resolve(examination: Examination) -> list[str]:
    """Return the addresses of the host. Raises: OSError, UnicodeError."""
    host, port = host_and_port(examination)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))[:_MAX_ADDRESSES]


async def check_dns(examination: Examination) -> Finding:
    """Look up the host name."""
    host, _ = host_and_port(examination)
    if proxy := examination.http.proxy:
        return skip(f"done by {proxy}")
    try:
        found = await resolve(examination)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return fail(f"no address for {host}: {reason}", fixes.look_up(host))
    if found == [host]:
        return ok(f"{host} is an IP address")
    return ok(f"{host} is {' and '.join(found)}")


async def check_tcp(examination: Examination) -> Finding:
    """Connect to every address."""
    _, port = host_and_port(examination)
    if proxy := examination.http.proxy:
        return await _check_proxy(proxy, examination)
    timeout = examination.timeout(_CONNECT_TIMEOUT)
    found = await resolve(examination)
    tried = await asyncio.gather(*(_connect(host, port, timeout) for host in found))
    good = [each for each in tried if each.fault is None]
    bad = [each for each in tried if each.fault is not None]
    faults = ", ".join(f"{each.host} {each.fault}" for each in bad)
    if not good:
        refused = any("refuses" in str(each.fault) for each in bad)
        return fail(f"port {port}: {faults}", *fixes.listen(port, refused))
    accepting = f"port {port}: {', '.join(each.host for each in good)} accepts connections"
    if not bad:
        return ok(accepting)
    if all(ipaddress.ip_address(each.host.partition("%")[0]).is_loopback for each in tried):
        return ok(f"{accepting}, {faults}")
    return warn(f"{accepting}, but {faults}: some clients try that first", fixes.every_address())


async def _check_proxy(proxy: HttpProxy, examination: Examination) -> Finding:
    """Connect to the proxy, which connects to the server."""
    timeout = examination.timeout(_CONNECT_TIMEOUT)
    try:
        async with asyncio.timeout(timeout):
            found = await asyncio.get_running_loop().getaddrinfo(
                proxy.host, proxy.port, type=socket.SOCK_STREAM
            )
    except TimeoutError:
        return fail(f"{proxy} cannot be reached: no address within {timeout:g} s", *fixes.proxy(proxy))
    except OSError:
        return fail(f"{proxy} cannot be reached: no such host: {proxy.host}", *fixes.proxy(proxy))
    tried = await asyncio.gather(
        *(_connect(host, proxy.port, timeout) for host in dict.fromkeys(str(each[4][0]) for each in found))
    )
    if all(each.fault for each in tried):
        faults = ", ".join(f"{each.host} {each.fault}" for each in tried)
        return fail(f"{proxy} cannot be reached: {faults}", *fixes.proxy(proxy))
    return ok(f"{proxy} accepts connections")


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
    """Try a TLS handshake, and check the certificate."""
    target = examination.target
    if not target.url.startswith("https:"):
        return skip("not used: the URL starts with http://")
    try:
        certificate = await shake_tls(examination, target_context(target))
    except ssl.SSLCertVerificationError as error:
        host, _ = host_and_port(examination)
        return judge_certificate_error(error.verify_code, error.verify_message, host)
    except ssl.SSLError as error:
        return _tls_error(examination, error)
    except ProxyError as error:
        return fail(str(explain_os_error(error)), *fixes.proxy(error.proxy))
    except (OSError, TimeoutError) as error:
        return fail(f"the handshake fails: {str(error) or type(error).__name__}", *fixes.other_port())
    if refusal := await _certificate_refusal(examination):
        return fail(refusal, *fixes.client_certificate())
    if target.insecure:
        return ok("the handshake works; the certificate is not verified (-k)")
    return judge_expiry(certificate, time.time())


async def shake_tls(examination: Examination, context: ssl.SSLContext) -> Mapping[str, Any]:
    """Return the server's certificate after a TLS handshake.

    Raises: ssl.SSLError, OSError, TimeoutError.
    """
    host, port = host_and_port(examination)
    async with asyncio.timeout(examination.timeout(_CONNECT_TIMEOUT)):
        transport, _ = await create_connection(asyncio.Protocol, host, port, context, examination.http.proxy)
    certificate: Mapping[str, Any] = transport.get_extra_info("peercert") or {}
    transport.abort()
    return certificate


def judge_certificate_error(code: int, message: str, host: str) -> Finding:
    """Return the finding for OpenSSL's error code about a certificate."""
    if code == EXPIRED:
        return fail("the certificate has expired", *fixes.renew(host))
    if code == NOT_YET_VALID:
        return fail("the certificate is not valid yet: is a clock wrong?", *fixes.renew(host))
    if code == _SELF_SIGNED:
        return fail("the certificate is self-signed", *fixes.self_signed())
    if code in WRONG_HOST:
        return fail(f"the certificate is not for {host}", *fixes.other_host(host))
    if code in _UNKNOWN_AUTHORITY:
        found = (
            f"the chain ends with an unknown authority ({message}): is an intermediate certificate missing?"
        )
        return fail(found, *fixes.chain(host))
    return fail(f"the certificate is not trusted: {message}", *fixes.chain(host))


def judge_expiry(certificate: Mapping[str, Any], now: float) -> Finding:
    """Return the finding for a trusted certificate, with the days until it expires."""
    end = certificate.get("notAfter")
    if not isinstance(end, str):
        return ok("the certificate is trusted")
    left = ssl.cert_time_to_seconds(end) - now
    days = f"{left / 86_400:.0f} days"
    if left < _RENEWAL_PERIOD:
        return warn(f"the certificate expires in {days}", *fixes.renew(""))
    return ok(f"the certificate is trusted, and valid for {days}")


async def _certificate_refusal(examination: Examination) -> str | None:
    """Return how the server refuses the client after the handshake, as in TLS 1.3, or None."""
    try:
        await examination.http.request("HEAD", {}, path="/", timeout=2.0)
    except NoResponse as error:
        return str(error) if error.wants_certificate else None
    return None


def _tls_error(examination: Examination, error: ssl.SSLError) -> Finding:
    if wants_certificate(error):
        return fail(str(explain_os_error(error)), *fixes.client_certificate())
    if not any(text in str(error.reason or error).upper() for text in _PLAIN_TEXT):
        return fail(str(explain_os_error(error)), *fixes.other_port())
    url = "http" + examination.target.place.removeprefix("https")
    return fail("the port speaks plain HTTP, not TLS", *fixes.use_url(url))


async def speaks_tls(examination: Examination) -> bool:
    """Return whether the port of an http:// URL accepts a TLS handshake."""
    try:
        await shake_tls(examination, client_context(True, None))
    except (OSError, TimeoutError):
        return False
    return True
