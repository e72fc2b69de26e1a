"""One HTTP or WebSocket request on its own connection, without redirects and with a time limit."""

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from multidict import MultiMapping
from yarl import URL

from nsroom import __version__
from nsroom.client.failures import chain, network_fault
from nsroom.client.network_errors import wants_certificate
from nsroom.client.target import Target
from nsroom.client.transports.aiohttp_proxy import connector, plain_proxy
from nsroom.client.transports.handshake import netrc_login
from nsroom.client.transports.http_proxy import HttpProxy, ProxyError, proxy_for
from nsroom.client.transports.slim_aiohttp import aiohttp

_MAX_BODY = 262_144
"""Bytes of a response to read: a handshake has about 200, an error page a few thousand."""
_MAX_MESSAGE = 1_000_000
"""Bytes in a WebSocket message."""


class NoResponse(Exception):
    """The server sent no HTTP response; the text is the reason."""

    def __init__(
        self,
        reason: str,
        timed_out: bool = False,
        proxy: HttpProxy | None = None,
        wants_certificate: bool = False,
    ) -> None:
        super().__init__(reason)
        self.timed_out = timed_out
        self.wants_certificate = wants_certificate
        """Whether the server refused the client's certificate, or asked for one."""
        self.proxy = proxy
        """The proxy that failed, if not the server did."""


class UpgradeRefused(Exception):
    """The server answered a WebSocket request with an ordinary HTTP response."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status} instead of 101")
        self.status = status


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; a long body is truncated."""

    status: int
    headers: MultiMapping[str]
    body: bytes
    cookies: Mapping[str, str]

    @property
    def text(self) -> str:
        """The body as text; invalid UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")


class HttpClient:
    """Sends requests to one server: `async with HttpClient(target) as http`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.proxy = proxy_for(target.url, target.insecure, target.cacert)
        """The HTTP proxy of the environment, or None."""
        self._counter = itertools.count()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=connector(self.target, self.proxy, force_close=True, limit=0),
            headers={
                "User-Agent": f"nsroom/{__version__}",
                "Accept-Encoding": "identity",
                **netrc_login(self.target.url),
                **self.target.headers,
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            # Each request sets its own time-out.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def path(self) -> str:
        """The path as clients send it, with a slash at both ends."""
        return f"/{self.target.path.strip('/')}/"

    def _url(self, path: str, query: Mapping[str, str]) -> URL:
        return URL(self.target.url).with_path(path).with_query([*self.target.query, *query.items()])

    def _cookies(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        return {**self.target.cookies, **(extra or {})}

    async def request(
        self,
        method: str,
        query: Mapping[str, str],
        *,
        path: str | None = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        timeout: float | None = 5.0,
        limit: int = _MAX_BODY,
    ) -> Response:
        """Request `path`, by default the target's, and read `limit` bytes of the body.

        With no `timeout` the caller must set one.

        Raises: NoResponse.
        """
        assert self._session is not None
        bound = None if timeout is None else min(timeout, self.target.connect_timeout)
        # As clients do, to bypass caches.
        unique = {**query, "t": f"nsroom{next(self._counter)}"}
        if body is not None:
            headers = {"Content-Type": "text/plain;charset=UTF-8", **(headers or {})}
        try:
            async with (
                asyncio.timeout(bound),
                self._session.request(
                    method,
                    self._url(path or self.path, unique),
                    data=body,
                    headers=headers,
                    cookies=self._cookies(cookies),
                    allow_redirects=False,
                    proxy=plain_proxy(self.target, self.proxy),
                ) as response,
            ):
                if response.status == 407 and self.proxy is not None:
                    raise ProxyError(self.proxy, self.proxy.refusal(407), 407)
                return await _read(response, limit)
        except TimeoutError:
            raise NoResponse(f"no answer within {bound or 0:g} s", timed_out=True) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _no_response(error, self.target.url) from None

    async def websocket(
        self,
        query: Mapping[str, str],
        *,
        path: str | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        timeout: float = 5.0,
    ) -> "aiohttp.ClientWebSocketResponse[bool]":
        """Open a WebSocket. Raises: UpgradeRefused, NoResponse."""
        assert self._session is not None
        pairs = "; ".join(f"{name}={value}" for name, value in self._cookies(cookies).items())
        cookie = {"Cookie": pairs} if pairs else {}
        bound = min(timeout, self.target.connect_timeout)
        try:
            async with asyncio.timeout(bound):
                return await self._session.ws_connect(
                    self._url(path or self.path, query),
                    headers={**(headers or {}), **cookie},
                    max_msg_size=_MAX_MESSAGE,
                )
        except TimeoutError:
            raise NoResponse(f"no answer within {bound:g} s", timed_out=True) from None
        except aiohttp.WSServerHandshakeError as error:
            raise UpgradeRefused(error.status) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _no_response(error, self.target.url) from None


def _no_response(error: Exception, url: str) -> NoResponse:
    failed = next((each for each in chain(error) if isinstance(each, ProxyError)), None)
    reason = network_fault(error, url) or str(error).strip() or type(error).__name__
    return NoResponse(
        reason,
        proxy=failed.proxy if failed else None,
        wants_certificate=any(map(wants_certificate, chain(error))),
    )


async def _read(response: aiohttp.ClientResponse, limit: int) -> Response:
    body = bytearray()
    while len(body) < limit and (chunk := await response.content.read(limit - len(body))):
        body += chunk
    return Response(
        status=response.status,
        headers=response.headers,
        body=bytes(body),
        cookies={name: morsel.value for name, morsel in response.cookies.items()},
    )
