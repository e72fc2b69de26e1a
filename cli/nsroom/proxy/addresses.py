"""Translate addresses in HTTP heads, so that a page of the proxy is a page of the server to both sides.

Requests: Host, and an Origin or Referer that is the proxy's own, become the server's. Responses: URLs of the
server become the proxy's again, and cookies lose what would keep a browser from storing them for the proxy.
Because the server cannot recognise another site's page by its Host any more, the proxy refuses its requests.
"""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from nsroom.protocol.http11 import Head, change_header

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ADDRESS = ("location", "content-location")
"""Headers of a response that are one URL."""
_ADDRESSES = ("refresh", "link", "content-security-policy", "content-security-policy-report-only")
"""Headers of a response that contain URLs."""
_NEEDS_SECURE = re.compile(r"__(?:secure|host)-", re.IGNORECASE)
_SECURE_ONLY = ("secure", "partitioned", "samesite=none")
"""Attributes of a cookie that a browser accepts over HTTPS only."""


class ForbiddenError(Exception):
    """A request that another site's page makes."""


class Page(NamedTuple):
    """How a request named the proxy, and its page's Origin, before and after the translation."""

    host: str = ""
    origin: str = ""
    sent_origin: str = ""


class Addresses:
    """The addresses of the server and of the proxy."""

    def __init__(
        self, url: str, listen: str = "127.0.0.1", hostname: str = "", origin: str | None = None
    ) -> None:
        """`url` is the server's, `listen` the address of the proxy, and `hostname` the name of this machine.

        `origin` replaces the Origin of every page of this machine.
        """
        self._server = urlsplit(url)
        self.host = _authority(self._server)
        """The server as Host names it."""
        self._server_origin = f"{self._server.scheme}://{self.host}"
        self._listen = listen
        self._hostname = hostname.lower()
        self._origin = origin
        self._named = _pattern(self._server)

    def request(self, head: Head) -> tuple[bytes, Page]:
        """Return a request's head as the server receives it. Raises: ForbiddenError with the reason."""
        host, origin = head.get("host"), head.get("origin")
        self._check_host(host)
        sent = self._translated_origin(origin, host)
        raw = change_header(head.raw, "Host", lambda _: self.host)
        if sent != origin:
            raw = change_header(raw, "Origin", lambda _: sent)
        return change_header(raw, "Referer", lambda url: self._for_server(url, host)), Page(
            host, origin, sent
        )

    def response(self, head: Head, page: Page) -> bytes:
        """Return a response's head as the page of the proxy receives it."""
        raw, names = head.raw, {name for name, _ in head.headers}
        for name in names.intersection(_ADDRESS):
            raw = change_header(raw, name, lambda url: self._for_page(url, page, 1))
        for name in names.intersection(_ADDRESSES):
            raw = change_header(raw, name, lambda urls: self._for_page(urls, page))
        if "set-cookie" in names:
            raw = change_header(raw, "set-cookie", lambda cookie: self._cookie(cookie, page))
        if page.sent_origin != page.origin:
            raw = change_header(
                raw,
                "access-control-allow-origin",
                lambda allowed: page.origin if allowed.strip() == page.sent_origin else allowed,
            )
        return raw

    def is_elsewhere(self, url: str) -> bool:
        """Return whether a URL names the server's host, but not this server: another scheme or port."""
        parts = _split(url)
        named = bool(parts and parts.scheme and parts.hostname)
        return named and _is_same_host(parts, self._server) and not self._named.match(url)

    def server_url_in(self, text: str) -> str | None:
        """Return the first URL of the server in a text, or None."""
        found = self._named.search(text)
        return found and found[0]

    def _check_host(self, host: str) -> None:
        name = _name(_split(f"//{host}"))
        if not self._is_own(name):
            raise ForbiddenError(
                f"{f'{name:.100} is not a name' if name else 'a request without a valid Host is not'} "
                "of this proxy: open it as localhost, 127.0.0.1 or the address of --listen"
            )

    def _is_own(self, name: str) -> bool:
        """Return whether a page with this name in its address is the proxy's: no other site can have it.

        Any page can let its own name lead to this machine (DNS rebinding), but not an address.
        """
        if name in ("", "localhost", self._listen, _name(self._server)) or name.endswith(".localhost"):
            return bool(name)
        is_wide = self._listen in ("0.0.0.0", "::")
        try:
            return ipaddress.ip_address(name).is_loopback or is_wide
        except ValueError:
            return is_wide and name == self._hostname

    def _translated_origin(self, origin: str, host: str) -> str:
        if not origin:
            return ""
        if self._origin is None:
            return self._server_origin if self._is_page_of(origin, host) else origin
        parts = _split(origin)
        if origin in (self._origin, self._server_origin) or (parts and self._is_own(_name(parts))):
            return self._origin
        raise ForbiddenError(f"a page of {origin:.100} may not use --origin: it is for pages of this machine")

    def _is_page_of(self, url: str, host: str) -> bool:
        """Return whether a URL is of the proxy that a request named as `host`, under any of its names."""
        parts, own = _split(url), _split(f"http://{host}")
        if parts is None or own is None or parts.scheme != "http" or "@" in parts.netloc:
            return False
        return _port(parts) == _port(own) and self._is_own(_name(parts))

    def _for_server(self, url: str, host: str) -> str:
        if not self._is_page_of(url, host):
            return url
        return self._server_origin + url[len("http://") + len(urlsplit(url).netloc) :]

    def _for_page(self, text: str, page: Page, count: int = 0) -> str:
        """Return a text with the server's URLs as the proxy's; with `count` 1 only one at the start."""

        def own(found: re.Match[str]) -> str:
            scheme = found[1] and found[1].lower().replace("https", "http").replace("wss", "ws")
            return f"{scheme or ''}//{page.host}"

        if not page.host or (count and not self._named.match(text)):
            return text
        return self._named.sub(own, text, count)

    def _cookie(self, cookie: str, page: Page) -> str:
        """Return a cookie without the server's domain, and without attributes that need HTTPS."""
        pair, *attributes = cookie.split(";")
        kept = [each for each in attributes if not self._is_foreign_domain(each, page)]
        if self._server.scheme == "https" and not _NEEDS_SECURE.match(pair.strip()):
            kept = [each for each in kept if each.replace(" ", "").lower() not in _SECURE_ONLY]
        return ";".join([pair, *kept])

    def _is_foreign_domain(self, attribute: str, page: Page) -> bool:
        key, _, domain = (part.strip().lower() for part in attribute.partition("="))
        domain = domain.removeprefix(".")
        server, proxy = _name(self._server), _name(_split(f"//{page.host}"))
        return key == "domain" and _is_within(server, domain) and not _is_within(proxy, domain)


def _pattern(server: SplitResult) -> re.Pattern[str]:
    """Return the pattern of URLs that name a server; a loopback address has several spellings."""
    name = f"[{server.hostname}]" if ":" in (server.hostname or "") else server.hostname or ""
    names = _LOOPBACK if name in _LOOPBACK else (name,)
    port = _port(server)
    is_default = port == _PORTS.get(server.scheme)
    spelled = f"(?::{port})?" if is_default else f":{port}"
    schemes = "https|wss" if server.scheme == "https" else "http|ws"
    authority = f"(?:{'|'.join(map(re.escape, names))}){spelled}"
    return re.compile(rf"(?:\b((?:{schemes}):)|(?<![:\w])){'//'}{authority}(?![\w.:@-])", re.IGNORECASE)


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL, or None if it is invalid."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


def _name(parts: SplitResult | None) -> str:
    return ((parts and parts.hostname) or "").rstrip(".")


def _authority(parts: SplitResult) -> str:
    default = f":{_PORTS.get(parts.scheme)}"
    return parts.netloc.lower().removesuffix(default)


def _is_same_host(one: SplitResult | None, other: SplitResult) -> bool:
    names = {_name(one), _name(other)}
    return len(names) == 1 or all(f"[{name}]" in _LOOPBACK or name in _LOOPBACK for name in names)


def _is_within(name: str, domain: str) -> bool:
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))
