"""Which origins, hosts, namespaces and tokens are accepted."""

import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from nsroom_server.errors import Code

Json = Any

_MAX_NAMESPACE: Final = 128
_MAX_MARKS = 4
"""Combining marks on one character: Hebrew, Thai and Indic scripts need up to four."""
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Joiners, fillers, blanks and variation selectors, which are printable by Unicode's categories."""


def is_namespace(value: str) -> bool:
    """Return whether a namespace can have this name."""
    return value.startswith("/") and is_name(value, _MAX_NAMESPACE) and not set(value) & set(",?")


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_allowed_origin(origin: str, scheme: str, host: str, allowed: Collection[str]) -> bool:
    """Return whether a page of `origin` may connect to the server that it knows as `host`."""
    if "*" in allowed or origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc.lower()) == (scheme, host.lower())


def is_allowed_host(host: str | None, bound: str, allowed: Collection[str]) -> bool:
    """Return whether a request for `host` is meant for this server.

    A page can have its own name resolved to this machine and use us as if we were its server; the Host header
    is the one thing that it cannot change.
    """
    name = _host_name(host or "")
    return bool(name) and ("*" in allowed or name in allowed or name == bound or is_loopback(name))


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def connect_refusal(
    namespace: str, auth: Json, token: str | None, namespaces: Collection[str], any_namespace: bool
) -> Json:
    """Return the payload that refuses a wrong token or an unknown namespace, or None to accept."""
    if token is not None and not has_token(auth, token):
        return {"message": str(Code.UNAUTHORIZED)}
    if namespace in namespaces or (any_namespace and is_namespace(namespace)):
        return None
    return {"message": "Invalid namespace"}


def has_token(auth: Json, token: str) -> bool:
    """Compare the token of a CONNECT payload, in constant time."""
    given = auth.get("token") if isinstance(auth, Mapping) else None
    return isinstance(given, str) and hmac.compare_digest(_encode(given), _encode(token))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def is_name(value: Json, max_length: int) -> bool:
    """Return whether a value is 1 to `max_length` printable characters."""
    return isinstance(value, str) and 1 <= len(value) <= max_length and value.isprintable()


def is_distinct(name: str) -> bool:
    """Return whether a printable name has only characters that can be seen, in their composed form.

    Otherwise two names could look the same.
    """
    if name != name.strip():
        return False
    if name.isascii():
        return True
    if _INVISIBLE.search(name) or not unicodedata.is_normalized("NFC", name):
        return False
    kinds = "".join("Z" if each == " " else unicodedata.category(each)[0] for each in name)
    return not kinds.startswith("M") and "ZM" not in kinds and "M" * (_MAX_MARKS + 1) not in kinds
