"""Explain in the log why a client is refused, and which option of `serve` lets it in."""

import json
import re
from collections.abc import Mapping
from shlex import quote
from typing import Final

from nsroom_server.errors import Code
from nsroom_server.settings import access
from nsroom_server.settings.limits import Limits

Line = tuple[str, ...]
"""A line for the log: a format, and what to fill in."""

_SHORT = 34
"""Bytes of a name that can be in a line twice; a line has up to 200, as JSON too."""
_LONG = 72
"""Bytes of a name that can be in a line once."""
_HOST = re.compile(r"[a-z0-9.:_-]+").fullmatch
_PACKET_LIMITS: Final = {
    "too many attachments": "--limit attachments",
    "attachments that are too large": "--max-payload",
    "JSON nested too deeply": "--limit json_depth",
    "too many arrays and objects": "--limit json_containers",
}
_CONNECT_ERRORS: Final[Mapping[str, Line]] = {
    access.REJECTED: ("refused a client on purpose, because of --fault reject",),
    access.INVALID_CREDENTIALS: ("refused an administrator: the user and the password are those of --admin",),
}
_EVENT_LIMITS: Final = {
    Code.TOO_LARGE: "--limit queued_bytes",
    Code.TOO_MANY_ROOMS: "--limit rooms_per_socket",
}


def page(origin: str) -> Line:
    """Explain that a page of this origin is refused."""
    if origin != "null" and not access.is_origin(origin):
        return ("refused a page whose origin is not valid",)
    return _named("refused a page", " of %s; let it in with --cors-origin ", quote(origin))


def host(name: str) -> Line:
    """Explain that a request for a host of this name is refused."""
    if not _HOST(name):
        return ("refused a request for a host that is not valid",)
    return _named("refused a request", " for %s; let it in with --allowed-host ", name)


def namespace(name: str) -> Line:
    """Explain that a namespace is not offered."""
    if not access.is_namespace(name):
        return ("refused a namespace that is not valid",)
    return _named("refused a namespace", " %s; offer it with --any-namespace or --namespace ", quote(name))


def _named(what: str, cure: str, name: str) -> Line:
    """Return a line with a name, twice or once, as far as it fits."""
    size = len(json.dumps(name))
    if size <= _SHORT:
        return f"{what}{cure}%s", name, name
    if size <= _LONG:
        return f"{what};{cure.partition(';')[2]}%s", name
    return (f"{what};{cure.partition(';')[2]}its name, which is long",)


def token(auth: object) -> Line:
    """Explain that a client does not have the token."""
    what = "with another" if isinstance(auth, Mapping) and "token" in auth else "without a"
    return 'refused a client %s token; it must send {"token": …} with the value of --token', what


def transport(name: str) -> Line:
    """Explain that a transport is not offered."""
    return "refused %s; let it in with --transports polling,websocket", name


def limit(what: str, name: str, limits: Limits) -> Line:
    """Explain that a limit is exceeded."""
    # In the format itself: lines of one limit do not leave those of another one out.
    return f"refused {what}; raise --limit {name} (it is %s)", f"{getattr(limits, name):g}"


def option(code: Code) -> str | None:
    """Return the option that lets an event in which is refused with this code, or None."""
    return _EVENT_LIMITS.get(code)


def packet(malformed: str) -> dict[str, str]:
    """Return the fields of a line about a packet that is malformed for this reason."""
    option = _PACKET_LIMITS.get(malformed)
    return {"cause": malformed, **({"option": option} if option else {})}


def connect(message: str, name: str, auth: object, limits: Limits) -> Line | None:
    """Explain a CONNECT_ERROR with this message, or return None if another line explains it."""
    if message == access.INVALID_NAMESPACE:
        return namespace(name)
    if message == Code.UNAUTHORIZED:
        return token(auth)
    if message == Code.TOO_MANY_NAMESPACES:
        return limit("one more namespace of a connection", "namespaces_per_connection", limits)
    return _CONNECT_ERRORS.get(message)
