"""What a client of nsroom demands of a server's certificate."""

import ssl

from nsroom.errors import UsageError


def client_context(insecure: bool, cacert: str | None) -> ssl.SSLContext:
    """Give the set-up of a TLS connection that will carry HTTP/1.1.

    Raises: UsageError where the file of authorities is of no use.
    """
    context = _careless() if insecure else _careful(cacert)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _careful(cacert: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cacert)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"--cacert: cannot use {cacert}: {error.strerror or error}") from None


def _careless() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
