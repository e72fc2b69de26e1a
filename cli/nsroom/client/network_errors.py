"""Explain errors below HTTP in one line: name resolution, TCP, TLS.

Apart from `failures`, because it loads no HTTP library.
"""

import re
import socket
import ssl
from errno import ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETUNREACH

from nsroom.client.transports.http_proxy import ProxyError

NOT_YET_VALID, EXPIRED, WRONG_HOST = 9, 10, (62, 64)
"""OpenSSL's X509_V_ERR_… codes."""
_CLIENT_CERTIFICATE = re.compile("ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")
_OLD_TLS = ("UNSUPPORTED_PROTOCOL", "ALERT_PROTOCOL_VERSION", "VERSION_TOO_LOW")
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER")
"""In OpenSSL's words for an answer that is not TLS."""


def explain_os_error(
    error: OSError,
    host: str | None = None,
    port: int | None = None,
    if_refused: str = "start the server, or name another with -u",
    *,
    tls: bool = False,
) -> str | None:
    """Return why a connection to a host failed, and what to do; None for an error of another kind.

    Without a host only TLS errors and resets are explained. `if_refused` is what to do if nothing listens;
    `tls` tells that the URL starts with https://.
    """
    if isinstance(error, ProxyError):
        return _proxy(error)
    if isinstance(error, ssl.SSLError):
        return _tls(error)
    if error.errno == ECONNRESET:
        return no_answer("reset the connection", tls)
    # So asyncio names the end of a connection during the handshake.
    if tls and isinstance(error, ConnectionResetError) and not error.args:
        return "it closed the connection during the TLS handshake: is it http:// instead of https://?"
    if host is None:
        return None
    if isinstance(error, socket.gaierror):
        return f"no such host: {host}"
    # If a name has several addresses, asyncio joins their errors into one without a number.
    if error.errno == ECONNREFUSED or f"[Errno {ECONNREFUSED}]" in str(error):
        return f"nothing listens on {host} port {port}: {if_refused}"
    if error.errno in (EHOSTUNREACH, ENETUNREACH):
        return f"no route to {host}: is the network, or a VPN, up?"
    return None


def _proxy(error: ProxyError) -> str:
    proxy, cause = error.proxy, error.__cause__
    if not isinstance(cause, OSError):
        return str(error)
    advice = f"start it, or correct {proxy.variable}"
    reason = explain_os_error(cause, proxy.host, proxy.port, advice) or f"{cause.strerror or cause}: {advice}"
    return f"{error}: {reason}"


def no_answer(what: str, tls: bool) -> str:
    """Return why a server may have ended the connection instead of answering the first request."""
    if tls:
        return f"it {what}: is it http:// after all, or does it ask for a client certificate (--cert)?"
    return f"it {what}: no HTTP server, or does it want https://?"


def wants_certificate(error: BaseException) -> bool:
    """Return whether the server ended TLS because of the client's certificate, or for want of one."""
    return isinstance(error, ssl.SSLError) and _CLIENT_CERTIFICATE.search(error.reason or "") is not None


def _tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error.verify_code, error.verify_message.rstrip("."))
    reason = error.reason or str(error)
    if any(text in str(error) for text in _NO_TLS):
        return "no TLS on this port: use http:// instead of https://"
    if any(text in reason for text in _OLD_TLS):
        return "it has only TLS 1.0 or 1.1, which are not secure: update the server"
    if "CERTIFICATE_REQUIRED" in reason:
        return "it asks for a client certificate: give one with --cert and --key"
    if wants_certificate(error):
        return f"it does not accept the client certificate ({reason}): give another with --cert and --key"
    if "HANDSHAKE_FAILURE" in reason:
        return f"TLS failed ({reason}): does it ask for a client certificate (--cert), or for other ciphers?"
    return f"TLS failed: {reason}"


def _certificate(code: int, reason: str) -> str:
    """Return what OpenSSL's X509_V_ERR_… code of the server's certificate means."""
    if code in WRONG_HOST:
        return f"its certificate is for another host ({reason}): use a name that is in it, or -k"
    if code in (EXPIRED, NOT_YET_VALID):
        return f"its certificate is not valid now ({reason}): renew it, set the clock right, or use -k"
    return f"its certificate is not trusted ({reason}): name its authority with --cacert, or use -k"
