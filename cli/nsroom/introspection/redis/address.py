"""Where a Redis is, as its URL says. Pure."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from nsroom.errors import UsageError

_SCHEMES = {
    "redis": ("redis", False),
    "rediss": ("rediss", False),
    "unix": ("unix", False),
    "valkey": ("redis", False),
    "valkeys": ("rediss", False),
    "redis+cluster": ("redis", True),
    "rediss+cluster": ("rediss", True),
    "valkey+cluster": ("redis", True),
    "valkeys+cluster": ("rediss", True),
}
"""The scheme that redis-py knows, and whether the nodes are a Redis Cluster."""
_SENTINEL = ("redis+sentinel", "valkey+sentinel")
_SENTINEL_PORT = 26379
FORMS = "redis://HOST:PORT, rediss://, unix:///PATH, redis+cluster:// or redis+sentinel://HOST:PORT,…/0/NAME"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis is; only `name` is without credentials."""

    name: str
    url: str = field(repr=False)
    is_cluster: bool = False


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Where the Sentinels of a Redis are; only `name` is without credentials."""

    name: str
    hosts: list[tuple[str, int]]
    service: str
    options: dict[str, str | int] = field(repr=False)
    """The database and the credentials, as redis-py names them."""


def parse(text: str) -> Address | Sentinels:
    """Return where the Redis of a URL is. Raises: UsageError, without the URL's credentials."""
    try:
        parts = urlsplit(text)
        if parts.scheme in _SENTINEL:
            return _sentinels(text)
        scheme, is_cluster = _SCHEMES[parts.scheme]
        has_place = bool(parts.path if scheme == "unix" else parts.hostname)
        if not has_place or (parts.port or 1) < 1:
            raise ValueError
    except (KeyError, ValueError):
        raise UsageError(f"--via: not the URL of a Redis; write {FORMS}") from None
    host = parts.netloc.rpartition("@")[2]
    # Not urlunsplit, which writes unix:/path.
    url = f"{scheme}://{text.partition('://')[2]}"
    return Address(f"{parts.scheme}://{host}{parts.path}", url, is_cluster)


def _sentinels(text: str) -> Sentinels:
    """Return where the Sentinels are. Raises: ValueError."""
    parts = urlsplit(text)
    places = parts.netloc.rpartition("@")[2]
    _, database, service, *rest = [*parts.path.split("/"), "", ""]
    if any(rest) or not service:
        raise ValueError
    options: dict[str, str | int] = {"db": int(database or 0)}
    credentials = {"username": parts.username, "password": parts.password}
    options |= {key: unquote(value) for key, value in credentials.items() if value}
    name = f"{parts.scheme}://{places}{parts.path}"
    return Sentinels(name, list(map(_host, places.split(","))), service, options)


def _host(place: str) -> tuple[str, int]:
    parts = urlsplit(f"//{place}")
    if not parts.hostname:
        raise ValueError
    return parts.hostname, parts.port or _SENTINEL_PORT
