"""Addresses to listen on, and why that fails."""

import os
from errno import EADDRINUSE
from urllib.parse import urlsplit

from nsroom.errors import UsageError


def parse_listen(name: str, text: str) -> tuple[str, int]:
    """Return host and port of `:3001`, `3001`, `HOST:3001` or `[::1]:3001`.

    Raises: UsageError with the name of the option or argument.
    """
    try:
        parts = urlsplit(f"//{text if ':' in text else f':{text}'}")
        host, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        port = None
    if port is None or parts.path or parts.query or "@" in text:
        raise UsageError(f"{name} {text!r}: write it as :3001 or HOST:3001")
    return host, port


def address(host: str, port: int) -> str:
    """Return a host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def explain(error: OSError, host: str, port: int, option: str) -> str:
    """Return why nothing can listen there, and what to do; `option` names the address."""
    place = address(host, port)
    if error.errno == EADDRINUSE:
        return f"{place} is in use: stop the other server, or choose another {option} (:0 is any)"
    cause = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
    return f"cannot listen on {place}: {cause.lower()}; choose another {option}"
