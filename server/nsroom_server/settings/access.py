"""Which origins, hosts, namespaces and tokens are accepted."""

import hmac
import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from nsroom_server.errors import Code
from nsroom_server.settings.names import is_distinct, is_name

Json = Any

INVALID_NAMESPACE: Final = "Invalid namespace"
"""The CONNECT_ERROR of Node's server for an unknown namespace."""
INVALID_CREDENTIALS: Final = "invalid credentials"
"""The CONNECT_ERROR of /admin."""
REJECTED: Final = "rejected on purpose"
"""The CONNECT_ERROR of --fault reject."""
_MAX_NAMESPACE: Final = 128
_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def is_namespace(value: str) -> bool:
    """Return whether a namespace can have this name."""
    named = is_name(value, _MAX_NAMESPACE) and is_distinct(value)
    return named and value.startswith("/") and not set(value) & set(",?")


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


def is_origin(text: str) -> bool:
    """Return whether browsers send this Origin: scheme, host in lower case, no default port."""
    found = _ORIGIN.fullmatch(text)
    return found is not None and found[2] != _DEFAULT_PORTS.get(found[1], "")


def nearest_origin(text: str) -> str:
    """Return the origin that a URL or a host means, or an example."""
    scheme, mark, rest = text.strip().lower().rpartition("://")
    scheme, place = scheme if mark else "https", re.split("[/?#]", rest)[0].rpartition("@")[2]
    if port := _DEFAULT_PORTS.get(scheme):
        place = place.removesuffix(port)
    origin = f"{scheme}://{place}"
    return origin if is_origin(origin) else "an origin such as https://app.example.org"


def is_allowed_host(host: str | None, bound: str, allowed: Collection[str]) -> bool:
    """Return whether a request for `host` is meant for this server.

    A page can have its own name resolved to this machine and use us as if we were its server; the Host header
    is the one thing that it cannot change.
    """
    name = host_name(host)
    return bool(name) and ("*" in allowed or name in allowed or name == bound or is_loopback(name))


def host_name(host: str | None) -> str:
    """Return the name in a Host header, or "" without one."""
    try:
        return (urlsplit(f"//{host or ''}").hostname or "").rstrip(".")
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
    return {"message": INVALID_NAMESPACE}


def has_token(auth: Json, token: str) -> bool:
    """Compare the token of a CONNECT payload, in constant time."""
    given = auth.get("token") if isinstance(auth, Mapping) else None
    return isinstance(given, str) and hmac.compare_digest(_encode(given), _encode(token))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
