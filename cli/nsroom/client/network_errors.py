"""Explain errors below HTTP in one line: name resolution, TCP, TLS.

Apart from `failures`, because it loads no HTTP library.
"""

import socket
import ssl
from errno import ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETUNREACH

from nsroom.client.transports.http_proxy import ProxyError

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER")
"""In OpenSSL's words for an answer that is not TLS."""


def explain_os_error(
    error: OSError,
    host: str | None = None,
    port: int | None = None,
    if_refused: str = "start the server, or name another with -u",
) -> str | None:
    """Return why a connection to a host failed, and what to do; None for an error of another kind.

    Without a host only TLS errors and resets are explained. `if_refused` is what to do if nothing listens.
    """
    if isinstance(error, ProxyError):
        return _proxy(error)
    if isinstance(error, ssl.SSLError):
        return _tls(error)
    if error.errno == ECONNRESET:
        return "it reset the connection: no HTTP server, or does it want https://?"
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


def _tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message
        return f"its certificate is not trusted ({reason}): name its authority with --cacert, or use -k"
    if any(text in str(error) for text in _NO_TLS):
        return "no TLS on this port: use http:// instead of https://"
    return f"TLS failed: {error.reason or error}"
