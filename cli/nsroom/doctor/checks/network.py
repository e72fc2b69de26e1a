"""Below HTTP: the name, its addresses, TLS."""

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

_CONNECT = 4.0
"""Seconds for a connection to one address."""
_ADDRESSES = 8
_SOON = 14 * 86_400
"""Seconds before its end in which a certificate should have been renewed."""
# X509_V_ERR_… of OpenSSL.
_NOT_YET, _EXPIRED, _SELF_SIGNED, _HOST, _ADDRESS = 9, 10, 18, 62, 64
_UNKNOWN = (2, 19, 20, 21)
# Of a ClientHello answered in plain text, by the version of OpenSSL.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "HTTP_REQUEST")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the server, and what came of connecting to it: nothing is success."""

    host: str
    fault: str | None = None


def place(examination: Examination) -> tuple[str, int]:
    """Give the host and the port to connect to."""
    url = URL(examination.target.url)
    return url.host or "", url.port or 80


@once
async def addresses(examination: Examination) -> list[str]:
    """Look the name up. Raises: OSError."""
    host, port = place(examination)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))[:_ADDRESSES]


async def check_dns(examination: Examination) -> Finding:
    """Look the name up."""
    host, _ = place(examination)
    if proxy := examination.exchange.proxy:
        return skip(f"left to the HTTP proxy {URL(proxy).host} of the environment")
    try:
        found = await addresses(examination)
    except (OSError, UnicodeError) as error:
        return fail(f"no address for {host}: {getattr(error, 'strerror', error)}", fixes.look_up(host))
    if found == [host]:
        return ok(f"{host} is an address")
    return ok(f"{host} is {' and '.join(found)}")


async def check_tcp(examination: Examination) -> Finding:
    """Connect to every address."""
    _, port = place(examination)
    if examination.exchange.proxy:
        return skip("left to the HTTP proxy of the environment")
    found = await addresses(examination)
    tried = await asyncio.gather(*(_connect(host, port, examination.patience(_CONNECT)) for host in found))
    good = [each for each in tried if each.fault is None]
    bad = [each for each in tried if each.fault is not None]
    told = ", ".join(f"{each.host} {each.fault}" for each in bad)
    if not good:
        return fail(f"port {port}: {told}", *fixes.listen(port, any("refuses" in str(e.fault) for e in bad)))
    accepting = f"port {port}: {', '.join(each.host for each in good)} accepts"
    if not bad:
        return ok(accepting)
    if all(ipaddress.ip_address(each.host.partition("%")[0]).is_loopback for each in tried):
        return ok(f"{accepting}, {told}")
    return warn(f"{accepting}, but {told}: some clients try that first", fixes.every_address())


async def _connect(host: str, port: int, patience: float) -> Address:
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except TimeoutError:
        return Address(host, f"does not answer within {patience:g} s")
    except ConnectionRefusedError:
        return Address(host, "refuses the connection")
    except OSError as error:
        return Address(host, f"cannot be reached ({error.strerror or error})")
    return Address(host)


async def check_tls(examination: Examination) -> Finding:
    """Shake hands, and look at the certificate."""
    target = examination.target
    if not target.url.startswith("https:"):
        return skip("not asked for: the URL begins with http://")
    if examination.exchange.proxy:
        return skip("left to the requests through the HTTP proxy")
    try:
        certificate = await shake(examination, client_context(target.insecure, target.cacert))
    except ssl.SSLCertVerificationError as error:
        return untrusted(error.verify_code, error.verify_message, place(examination)[0])
    except ssl.SSLError as error:
        return await _no_tls(examination, str(error.reason or error))
    except (OSError, TimeoutError) as error:
        return fail(f"the handshake ends with {str(error) or type(error).__name__}", *fixes.other_port())
    if target.insecure:
        return ok("shakes hands; nothing is verified (-k)")
    return expiry(certificate, time.time())


async def shake(examination: Examination, context: ssl.SSLContext) -> Mapping[str, Any]:
    """Shake hands with the server, and give its certificate. Raises: ssl.SSLError, OSError, TimeoutError."""
    host, port = place(examination)
    async with asyncio.timeout(examination.patience(_CONNECT)):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    certificate: Mapping[str, Any] = writer.get_extra_info("peercert") or {}
    writer.transport.abort()
    return certificate


def untrusted(code: int, message: str, host: str) -> Finding:
    """Say why a certificate is not trusted, from OpenSSL's code."""
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
    """Say how long a trusted certificate is still good."""
    end = certificate.get("notAfter")
    if not isinstance(end, str):
        return ok("the certificate is trusted")
    left = ssl.cert_time_to_seconds(end) - now
    days = f"{left / 86_400:.0f} days"
    if left < _SOON:
        return warn(f"the certificate expires in {days}", *fixes.renew(""))
    return ok(f"the certificate is trusted, and good for {days}")


async def _no_tls(examination: Examination, reason: str) -> Finding:
    if not any(word in reason.upper() for word in _NO_TLS):
        return fail(f"TLS fails: {reason}", *fixes.other_port())
    url = "http" + examination.target.place.removeprefix("https")
    return fail("plain HTTP answers on this port, no TLS", *fixes.use_url(url))


async def speaks_tls(examination: Examination) -> bool:
    """Say whether a port that was taken for plain HTTP shakes hands for TLS."""
    try:
        await shake(examination, client_context(True, None))
    except (OSError, TimeoutError):
        return False
    return True
