"""Client TLS contexts."""

import ssl

from nsroom.client.target import Target
from nsroom.errors import UsageError

_MAX_PEM = 2**20


def client_context(
    insecure: bool, cacert: str | None, cert: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """Return the context of a TLS connection for HTTP/1.1.

    `cacert` is a file of trusted authorities; `cert` and `key` are those of the client, in one file or two.
    Raises: UsageError for a file that cannot be used.
    """
    context = _unverified() if insecure else _verified(cacert)
    if cert or key:
        _identify(context, cert, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def target_context(target: Target) -> ssl.SSLContext:
    """Return the context of a TLS connection to a target. Raises: UsageError."""
    return client_context(target.insecure, target.cacert, target.cert, target.key)


def _verified(cacert: str | None) -> ssl.SSLContext:
    if cacert is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust(context, cacert)
    return context


def trust(context: ssl.SSLContext, cacert: str) -> None:
    """Trust the authorities of a PEM file. Raises: UsageError."""
    try:
        context.load_verify_locations(cacert)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"--cacert: cannot use {cacert}: {error.strerror or error}") from None


def _identify(context: ssl.SSLContext, cert: str | None, key: str | None) -> None:
    if cert is None:
        raise UsageError("--key needs --cert, the certificate that the key belongs to")
    own = key or cert
    _require("--cert", cert, "CERTIFICATE-----")
    _require("--key" if key else "--cert (without --key)", own, "PRIVATE KEY-----")
    try:
        context.load_cert_chain(cert, key, password=lambda: _refuse_passphrase(own))
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"--key: {own} does not belong to the certificate {cert}") from None
        raise UsageError(f"--cert: cannot use {cert}: {error.reason or error}") from None


def _require(option: str, file: str, mark: str) -> None:
    try:
        with open(file, encoding="ascii", errors="replace") as text:
            found = mark in text.read(_MAX_PEM)
    except OSError as error:
        raise UsageError(f"{option}: cannot read {file}: {error.strerror}") from None
    if not found:
        raise UsageError(f"{option}: {file} has no '{mark}' line: it must be in PEM form")


def _refuse_passphrase(file: str) -> str:
    raise UsageError(
        f"--key: {file} has a passphrase: write a key without one with `openssl pkey -in {file} -out FILE`"
    )


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
