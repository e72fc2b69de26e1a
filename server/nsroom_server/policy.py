"""Who may do what, with which names and how much of it: values in, values or a Refusal out."""

import hmac
import ipaddress
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

Json = Any
Args = Sequence[Json]

_NAMESPACE: Final = 128

RESERVED_EVENTS: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)


class Code(StrEnum):
    """The `error` of a refusal."""

    BAD_REQUEST = "bad_request"
    BAD_ROOM = "bad_room"
    BUS_UNAVAILABLE = "bus_unavailable"
    DRAINING = "draining"
    HISTORY_UNAVAILABLE = "history_unavailable"
    INTERNAL_ERROR = "internal_error"
    LAB_ERROR = "lab_error"
    NOT_A_MEMBER = "not_a_member"
    RATE_LIMITED = "rate_limited"
    RESERVED_EVENT = "reserved_event"
    TOO_MANY_NAMESPACES = "too_many_namespaces"
    TOO_MANY_ROOMS = "too_many_rooms"
    UNAUTHORIZED = "unauthorized"
    UNKNOWN_EVENT = "unknown_event"


class Refusal(Exception):
    """A request that is answered `{"error": code, "message": text}`."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def answer(self) -> dict[str, str]:
        """The acknowledgement's one argument."""
        return {"error": str(self.code), "message": str(self)}


def room_name(value: Json, longest: int) -> str:
    """Accept a room's name: printable characters."""
    if not _is_name(value, longest):
        raise Refusal(Code.BAD_ROOM, f"room: has to be 1 to {longest} printable characters")
    return str(value)


def nick_name(value: Json, longest: int) -> str:
    """Accept a nick: printable characters."""
    if not _is_name(value, longest):
        raise Refusal(Code.BAD_REQUEST, f"nick: has to be 1 to {longest} printable characters")
    return str(value)


def event_name(value: Json) -> str:
    """Accept the name of an event that may be relayed."""
    if not isinstance(value, str) or not value:
        raise Refusal(Code.BAD_REQUEST, "event: has to be text")
    if value in RESERVED_EVENTS:
        raise Refusal(Code.RESERVED_EVENT, f"{value}: Socket.IO keeps this name for itself")
    return value


def require_member(rooms: Collection[str], wanted: Sequence[str]) -> None:
    """Refuse whoever is not in every one of the wanted rooms."""
    if any(name not in rooms for name in wanted):
        raise Refusal(Code.NOT_A_MEMBER, "only a member may send to a room: join it first")


def require_joinable(name: str, rooms: Collection[str], most: int, is_sid: Callable[[str], bool]) -> None:
    """Refuse a socket's own room, and one room too many."""
    if is_sid(name):
        raise Refusal(Code.BAD_ROOM, "room: this is a socket's id")
    if name not in rooms and len(rooms) >= most:
        raise Refusal(Code.TOO_MANY_ROOMS, f"no more than {most} rooms: leave one first")


def is_namespace(value: str) -> bool:
    """Tell whether a namespace can have this name."""
    return value.startswith("/") and _is_name(value, _NAMESPACE) and not set(value) & set(",?")


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_allowed_origin(origin: str, scheme: str, host: str, allowed: Collection[str]) -> bool:
    """Tell whether a page of `origin` may connect to the server that it knows as `host`."""
    if "*" in allowed or origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc.lower()) == (scheme, host.lower())


def is_allowed_host(host: str | None, bound: str, allowed: Collection[str]) -> bool:
    """Tell whether a request for `host` is meant for us.

    A page can have its own name resolved to this machine and talk to us as if we were its server: the Host
    header is the one thing that it cannot change.
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
    """Give the payload that refuses a client without the token, or a namespace that is not there; or None."""
    if token is not None and not knows_token(auth, token):
        return {"message": str(Code.UNAUTHORIZED)}
    if namespace in namespaces or (any_namespace and is_namespace(namespace)):
        return None
    return {"message": "Invalid namespace"}


def knows_token(auth: Json, token: str) -> bool:
    """Compare the token of a CONNECT payload, in constant time."""
    given = auth.get("token") if isinstance(auth, Mapping) else None
    return isinstance(given, str) and hmac.compare_digest(_octets(given), _octets(token))


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_name(value: Json, longest: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= longest and value.isprintable()
