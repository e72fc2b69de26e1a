"""Mask secrets in what /lab sends back: a client asks what the server got, and may show it to others."""

import re
from typing import Any, Final

MASK: Final = "***"
_SECRET = re.compile(
    r"auth|\bpid\b|cookie|credential|jwt|key|pass|pwd|secret|session|signature|token", re.IGNORECASE
)
_COOKIE = re.compile(r"([^=;]*=)[^;]*")


def mask(value: Any, secret: bool = False) -> Any:
    """Return a value of JSON with its secrets masked: all below a key that may name one."""
    if isinstance(value, dict):
        return {key: mask(item, secret or bool(_SECRET.search(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item, secret) for item in value]
    return MASK if secret and value is not None else value


def mask_header(name: str, value: str) -> str:
    """Return the value of a header: of cookies the names only, of credentials the scheme only."""
    if name.lower() == "cookie":
        return _COOKIE.sub(rf"\1{MASK}", value)
    if not _SECRET.search(name) or name.lower().startswith("sec-websocket-"):
        return value
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {MASK}" if blank and name.lower().endswith("authorization") else MASK
