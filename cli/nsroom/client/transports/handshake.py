"""The requests that open a connection: the Engine.IO URL, and the WebSocket handshake (RFC 6455, 4.1)."""

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

from nsroom import __version__
from nsroom.client.target import Target

AGENT = f"nsroom/{__version__}"


def resource(target: Target, transport: str, engine: int = 4) -> str:
    """Return path and query of the Engine.IO handshake; `engine` is the revision of the protocol."""
    path = quote(target.path.strip("/"), safe="/%:@!$&'()*+,;=~")
    # Without b64: Socket.IO 1 encodes text twice when it is asked for bodies of text.
    query = [*target.query, ("EIO", str(engine)), ("transport", transport)]
    return f"/{path}{'/' * target.slash}?{urlencode(query)}"


def new_key() -> str:
    """Return a new Sec-WebSocket-Key."""
    return base64.b64encode(os.urandom(16)).decode()


def request(target: Target, key: str) -> str:
    """Return the head of the request for a WebSocket that starts with the Engine.IO handshake."""
    lines = [f"{name}: {value}" for name, value in _headers(target, key).items()]
    return "\r\n".join([f"GET {resource(target, 'websocket')} HTTP/1.1", *lines, "", ""])


def _headers(target: Target, key: str) -> dict[str, str]:
    userinfo, _, host = urlsplit(target.url).netloc.rpartition("@")
    host = re.sub(r"%[^\]]*\]", "]", host)  # the zone of an IPv6 address means nothing to the server
    own = {
        "Host": host,
        "User-Agent": AGENT,
        **netrc_login(target.url),
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
    }
    if userinfo:
        own["Authorization"] = basic(unquote(userinfo))
    if target.cookies:
        own["Cookie"] = "; ".join(f"{name}={value}" for name, value in target.cookies.items())
    return with_own(target.headers, own)


def netrc_login(url: str) -> dict[str, str]:
    """Return the Authorization header from $NETRC or ~/.netrc, unless the URL has a user."""
    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    parts = urlsplit(url)
    if "@" in parts.netloc or not path.is_file():
        return {}
    from netrc import NetrcParseError, netrc

    try:
        found = netrc(path).authenticators(parts.hostname or "")
    except (OSError, ValueError, NetrcParseError):
        return {}  # as curl: a file for other programs must not stop this one
    return {"Authorization": basic(f"{found[0]}:{found[2] or ''}")} if found else {}


def basic(userinfo: str) -> str:
    """Return the value of an Authorization header for `user:password`."""
    return f"Basic {base64.b64encode(userinfo.encode()).decode()}"


def with_own(given: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return our own headers, replaced by those that the user gives, in whatever case."""
    names = {name.lower() for name in given}
    return {name: value for name, value in own.items() if name.lower() not in names} | {**given}
