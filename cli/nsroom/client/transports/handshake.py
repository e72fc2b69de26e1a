"""What a client asks a server with for a WebSocket. RFC 6455, section 4.1."""

import base64
import os
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlencode, urlsplit

from nsroom import __version__
from nsroom.client.target import Target

AGENT = f"nsroom/{__version__}"


def new_key() -> str:
    """Make a Sec-WebSocket-Key."""
    return base64.b64encode(os.urandom(16)).decode()


def request(target: Target, key: str) -> str:
    """Write the head of the request for a WebSocket that begins with the Engine.IO handshake."""
    path = quote(target.path.strip("/"), safe="/%:@!$&'()*+,;=~")
    query = urlencode([*target.query, ("EIO", "4"), ("transport", "websocket")])
    lines = [f"{name}: {value}" for name, value in _headers(target, key).items()]
    return "\r\n".join([f"GET /{path}/?{query} HTTP/1.1", *lines, "", ""])


def _headers(target: Target, key: str) -> dict[str, str]:
    userinfo, _, host = urlsplit(target.url).netloc.rpartition("@")
    own = {
        "Host": host,
        "User-Agent": AGENT,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
    }
    if userinfo:
        own["Authorization"] = f"Basic {base64.b64encode(unquote(userinfo).encode()).decode()}"
    if target.cookies:
        own["Cookie"] = "; ".join(f"{name}={value}" for name, value in target.cookies.items())
    return with_own(target.headers, own)


def with_own(given: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Put the headers that the user gives, in whatever case, in the place of our own."""
    names = {name.lower() for name in given}
    return {name: value for name, value in own.items() if name.lower() not in names} | {**given}
