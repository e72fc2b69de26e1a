"""The HTTP proxy that the environment names for a URL, and tunnels through it. RFC 9110, section 9.3.6.

The variables mean what they mean to curl. Plain HTTP requests need no tunnel, but the whole URL.
"""

import asyncio
import ipaddress
import os
import re
import ssl
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import SplitResult, unquote, urlsplit

from nsroom.client.transports.handshake import basic
from nsroom.client.transports.tls import client_context, trust
from nsroom.errors import UsageError
from nsroom.protocol import http11

P = TypeVar("P", bound=asyncio.BaseProtocol)

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTP = b"HTTP/1."


class HttpProxy(NamedTuple):
    """A proxy, and the variable that names it; its text has no password."""

    url: str
    """Scheme, optional user and password, host and port."""
    variable: str
    insecure: bool = False
    cacert: str | None = None
    """How to verify an https:// proxy: the system's authorities are trusted too."""

    def __str__(self) -> str:
        return f"the proxy {self._parts.scheme}://{self._parts.netloc.rpartition('@')[2]} ({self.variable})"

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """The host to connect to."""
        return self._parts.hostname or ""

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self._parts.port or _DEFAULT_PORTS[self._parts.scheme]

    @property
    def uses_tls(self) -> bool:
        """Whether the connection to the proxy itself is encrypted."""
        return self._parts.scheme == "https"

    @property
    def authorization(self) -> str | None:
        """The value of Proxy-Authorization, or None without a user."""
        userinfo, at, _ = self._parts.netloc.rpartition("@")
        return basic(unquote(userinfo)) if at else None

    def tls(self) -> ssl.SSLContext | None:
        """Return the context for the connection to the proxy itself, if it uses TLS. Raises: UsageError."""
        if not self.uses_tls:
            return None
        context = client_context(self.insecure, None)
        if self.cacert and not self.insecure:
            trust(context, self.cacert)
        return context

    def refusal(self, status: int, place: str = "the server") -> str:
        """Return what the proxy's HTTP status means, for a request to `place`."""
        if status == 407 and self.authorization:
            return f"does not accept the user and password (HTTP 407): correct {self.variable}"
        if status == 407:
            return f"wants a password (HTTP 407): write {self.variable} as http://user:password@host:port"
        if status in (502, 503, 504):
            return f"cannot reach {place} (HTTP {status}): is the server running, and known to the proxy?"
        return f"refuses to connect to {place} (HTTP {status}): is it a proxy, and may it?"


class ProxyError(ConnectionError):
    """The proxy failed, not the server. `reason` says how; without one, the error's cause does."""

    def __init__(self, proxy: HttpProxy, reason: str = "", status: int | None = None) -> None:
        super().__init__(f"{proxy} {reason or 'cannot be reached'}")
        self.proxy = proxy
        self.reason = reason
        self.status = status
        """The HTTP status with which the proxy refused a tunnel."""


def proxy_for(url: str, insecure: bool = False, cacert: str | None = None) -> HttpProxy | None:
    """Return the proxy for an http:// or https:// URL, or None. Raises: UsageError for an unusable one."""
    parts = urlsplit(url)
    for name in (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"):
        # A CGI script gets HTTP_PROXY from the header `Proxy:` of a request.
        if (value := os.environ.get(name)) and not (name == "HTTP_PROXY" and "REQUEST_METHOD" in os.environ):
            excepted = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
            port = parts.port or _DEFAULT_PORTS[parts.scheme]
            is_excepted = bypasses(excepted, parts.hostname or "", port)
            return None if is_excepted else HttpProxy(_parse(value.strip(), name), name, insecure, cacert)
    return None


def _parse(value: str, variable: str) -> str:
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"${variable} is not the URL of a proxy: write it as http://host:port")
    if parts.scheme not in _DEFAULT_PORTS:
        raise UsageError(
            f"${variable} names a {parts.scheme}:// proxy, but nsroom uses http:// and https:// ones only: "
            "set another, or name the server in $NO_PROXY"
        )
    return f"{parts.scheme}://{parts.netloc}"


def bypasses(no_proxy: str, host: str, port: int) -> bool:
    """Return whether a NO_PROXY list has `*`, the host, its domain or its network, with this port or none."""
    host = host.rstrip(".").lower()
    return any(_names(entry, host, port) for entry in re.split(r"[\s,]+", no_proxy.lower()) if entry)


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, only_port = _split_port(entry)
    if only_port is not None and only_port != port:
        return False
    if (address := _address(host)) is not None:
        return address in _network(name)
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    """Split `host:port` and `[::1]:port`; an IPv6 address may have no brackets and then has no port."""
    found = re.fullmatch(r"(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?", entry)
    if found is None:
        return entry, None
    return found[1] or found[2] or "", int(found[3]) if found[3] else None


def _address(text: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _network(text: str) -> "ipaddress.IPv4Network | ipaddress.IPv6Network | tuple[()]":
    try:
        return ipaddress.ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return ()


async def create_connection(
    factory: Callable[[], P],
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    proxy: HttpProxy | None,
    unix: str | None = None,
    **options: Any,
) -> tuple[asyncio.Transport, P]:
    """Connect to a server as the loop's `create_connection` does, or through a tunnel of the proxy.

    `unix` is the path of a socket that replaces host and port. The options are for a connection without one.
    Raises: ProxyError, OSError.
    """
    loop = asyncio.get_running_loop()
    if unix is not None:
        if sys.platform == "win32":
            raise OSError("Unix sockets are not supported on Windows")
        try:
            return await loop.create_unix_connection(factory, unix)
        except OSError as error:
            # Without an errno: its message is the cause already.
            raise OSError(f"{error.strerror or error}: does the server listen on this socket?") from error
    if proxy is None:
        return await loop.create_connection(factory, host, port, ssl=tls, **options)
    transport = await _tunnel(proxy, host, port)
    protocol = factory()
    try:
        if tls is not None:
            secured = await loop.start_tls(transport, protocol, tls, server_hostname=host)
            transport = cast(asyncio.Transport, secured)
        else:
            transport.set_protocol(protocol)
    except BaseException:
        transport.abort()
        raise
    protocol.connection_made(transport)
    return transport, protocol


async def _tunnel(proxy: HttpProxy, host: str, port: int) -> asyncio.Transport:
    """Return the connection to the proxy, after its answer: all bytes now go to the server."""
    loop = asyncio.get_running_loop()
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        transport, opening = await loop.create_connection(
            lambda: _Opening(_request(proxy, place)), proxy.host, proxy.port, ssl=proxy.tls()
        )
    except OSError as error:
        raise ProxyError(proxy) from error
    try:
        head = await opening.answer
        if head.status // 100 != 2:
            raise ProxyError(proxy, proxy.refusal(head.status, place), head.status)
        if opening.is_early:
            raise ProxyError(proxy, f"passes on data before {place} was asked: not an HTTP server?")
    except ValueError as error:
        transport.abort()
        raise ProxyError(proxy, f"is not an HTTP proxy: {error}") from None
    except ConnectionResetError:
        reason = f"closed the connection when asked for {place}: is the server running? Is it an HTTP proxy?"
        raise ProxyError(proxy, reason) from None
    except BaseException:
        transport.abort()
        raise
    return transport


def _request(proxy: HttpProxy, place: str) -> bytes:
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("ascii", "backslashreplace")


class _Opening(asyncio.Protocol):
    """Sends a CONNECT request; `answer` resolves to the head of the answer.

    It fails with ValueError for an answer that is not HTTP, and with ConnectionResetError without one.
    """

    def __init__(self, request: bytes) -> None:
        self.answer: asyncio.Future[http11.Head] = asyncio.get_running_loop().create_future()
        self.is_early = False
        """Whether data of the server followed the answer, although it was not asked yet."""
        self._request = request
        self._start = b""
        self._http = http11.Reader(lambda head: http11.response_framing(head, "CONNECT"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read the answer."""
        self._start = (self._start + data)[: len(_HTTP)]
        if not _HTTP.startswith(self._start):
            self._fail(ValueError("its answer is not HTTP"))
            return
        for part in self._http.feed(data):
            if isinstance(part, http11.Head) and part.status >= 200 and not self.answer.done():
                self.answer.set_result(part)
            elif isinstance(part, http11.Opaque):
                self.is_early = True
                self._fail(ValueError(part.reason))

    def _fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # marked as retrieved: the caller may be cancelled

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Fail without an answer."""
        self._fail(ConnectionResetError("the connection was closed"))
