"""Client TLS contexts."""

import ssl

from nsroom.errors import UsageError


def client_context(insecure: bool, cacert: str | None) -> ssl.SSLContext:
    """Return the context of a TLS connection for HTTP/1.1; `cacert` is a file of trusted authorities.

    Raises: UsageError for a file that cannot be used.
    """
    context = _unverified() if insecure else _verified(cacert)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _verified(cacert: str | None) -> ssl.SSLContext:
    if cacert is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust(context, cacert)
    return context


def trust(context: ssl.SSLContext, cacert: str) -> None:
    """Trust the authorities of a file of a PEM file. Raises: UsageError."""
    try:
        context.load_verify_locations(cacert)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"--cacert: cannot use {cacert}: {error.strerror or error}") from None


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
