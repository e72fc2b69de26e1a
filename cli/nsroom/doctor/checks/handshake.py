"""HTTP checks: does the server answer, does it redirect, is the path right, is the handshake accepted?"""

import asyncio
import re
from dataclasses import dataclass

from nsroom.client.failures import refusal_advice
from nsroom.doctor.checks.network import host_and_port, speaks_tls
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip
from nsroom.doctor.fixes import network as fixes
from nsroom.doctor.probes.http import NoResponse, Response, UpgradeRefused
from nsroom.doctor.probes.session import SESSION_ERRORS, ProbeSession, parse_open
from nsroom.doctor.probes.wires import PollingWire, WebSocketWire, polling_query, split_body
from nsroom.errors import DecodeError
from nsroom.protocol.dialect import DEFAULT, Dialect
from nsroom.protocol.engineio import Handshake
from nsroom.protocol.refusals import parse_engine_error

# Text, or the binary form, which servers before Socket.IO 2 send.
_EIO3 = re.compile(rb"(?:[0-9]{1,6}:|\x00[\x00-\x09]{1,6}\xff)0\{")
_LIKELY_PATHS = (
    "/socket.io/",
    "/api/socket.io/",
    "/ws/socket.io/",
    "/sio/",
    "/ws/",
    "/socket/",
    "/engine.io/",
)
_REFUSALS = (
    "invalid transport",
    "transport unknown",
    "not an accepted origin",
    "invalid session",
    "unsupported",
    "bad request",
    "bad handshake method",
    "forbidden",
)
_REDIRECTS = (301, 302, 303, 307, 308)
_FORBIDDEN = 4
_TRANSPORT_UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class PollingHandshake:
    """The response to a polling handshake, or the error without one."""

    response: Response | None = None
    error: NoResponse | None = None

    @property
    def revision(self) -> int | None:
        """The Engine.IO protocol, 3 or 4, or None if the handshake failed."""
        if self.response is None or self.response.status != 200:
            return None
        if _EIO3.match(self.response.body):
            return 3
        return 4 if self.response.body.startswith(b"0{") else None

    @property
    def refusal(self) -> tuple[int | None, str | None]:
        """Code and message of an Engine.IO error response."""
        if self.response is None or self.response.status == 200:
            return None, None
        code, message = parse_engine_error(self.response.text)
        lower = (message or "").lower()
        known = any(text in lower for text in _REFUSALS)
        return (code, message) if known or code is not None else (None, None)

    @property
    def is_transport_unknown(self) -> bool:
        """Whether Engine.IO refused the handshake because it does not offer polling."""
        code, message = self.refusal
        return code == _TRANSPORT_UNKNOWN or "transport" in (message or "").lower()

    @property
    def is_engineio(self) -> bool:
        """Whether the response came from Engine.IO."""
        return self.revision is not None or self.refusal[1] is not None


async def shake_hands(
    examination: Examination, path: str | None = None, timeout: float = 4.0
) -> PollingHandshake:
    """Try a polling handshake, and close the session that it opens."""
    try:
        response = await examination.http.request("GET", polling_query(DEFAULT), path=path, timeout=timeout)
    except NoResponse as error:
        return PollingHandshake(error=error)
    handshake = PollingHandshake(response)
    if handshake.revision and path is None:
        await close_session(examination, handshake.revision, response)
    return handshake


async def close_session(examination: Examination, revision: int, response: Response) -> None:
    """Close the session that a handshake opened."""
    try:
        sid = parse_open(split_body(response.body, Dialect(revision))[0]).sid
    except DecodeError:
        return
    await PollingWire(examination.http, Dialect(revision), sid, response.cookies).close()


@once
async def polling_handshake(examination: Examination) -> PollingHandshake:
    """Try a polling handshake at the target's path."""
    return await shake_hands(examination)


@once
async def other_path(examination: Examination) -> str | None:
    """Return another likely path at which Engine.IO answers, or None."""
    target_path = examination.http.path
    own = [f"{name.rstrip('/')}/socket.io/" for name in examination.target.namespaces if name != "/"]
    candidates = dict.fromkeys((target_path.rstrip("/"), *own, *_LIKELY_PATHS))
    paths = [path for path in candidates if path not in ("", target_path)]
    tasks = [asyncio.create_task(_engineio_at(examination, path)) for path in paths]
    try:
        # A Node server does not answer at all at other paths, so the first hit ends the search.
        for task in asyncio.as_completed(tasks):
            if found := await task:
                return found
        return None
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _engineio_at(examination: Examination, path: str) -> str | None:
    handshake = await shake_hands(examination, path, examination.timeout(3.0))
    return path if handshake.is_engineio else None


@once
async def websocket_handshake(examination: Examination) -> Handshake | Exception:
    """Open a session directly over WebSocket; return its handshake, or the error."""
    try:
        session = await ProbeSession.over_websocket(examination.http, DEFAULT)
    except SESSION_ERRORS as error:
        return error
    await session.close()
    return session.handshake


async def connects_over_websocket(examination: Examination) -> bool:
    """Return whether a session can be opened directly over WebSocket."""
    return isinstance(await websocket_handshake(examination), Handshake)


async def check_http(examination: Examination) -> Finding:
    """Check whether the server answers HTTP requests."""
    handshake = await polling_handshake(examination)
    if handshake.response is not None:
        server = handshake.response.headers.get("Server")
        return ok(f"answers, HTTP {handshake.response.status}{f', {server[:60]}' if server else ''}")
    error = handshake.error or NoResponse("no answer")
    if error.proxy is not None:
        return fail(str(error), *fixes.proxy(error.proxy))
    if error.timed_out and await other_path(examination):
        return ok(f"answers, but not at {examination.http.path}")
    place = examination.target.place
    if not examination.target.url.startswith("https:") and await speaks_tls(examination):
        url = "https" + place.removeprefix("http")
        return fail("the port speaks TLS, but the URL starts with http://", *fixes.use_url(url))
    if error.timed_out:
        return fail(
            f"{error}, neither at {examination.http.path} nor at the usual paths",
            *fixes.no_answer(examination),
        )
    if examination.target.url.startswith("https:"):
        return fail(str(error), *fixes.client_certificate())
    return fail(str(error), *fixes.listen(host_and_port(examination)[1], False))


async def check_redirect(examination: Examination) -> Finding:
    """Check whether the server redirects clients: WebSockets do not follow redirects."""
    response = (await polling_handshake(examination)).response
    if response is None or response.status not in _REDIRECTS:
        return ok("none")
    location = response.headers.get("Location", "")[:300]
    url, path = parse_redirect(location, examination)
    if url is None:
        return fail(f"HTTP {response.status} to {location}: a log-in page?", *fixes.log_in())
    return fail(f"HTTP {response.status} to {location}", *fixes.moved(url, path))


def parse_redirect(location: str, examination: Examination) -> tuple[str | None, str]:
    """Return the origin and path a Location header points to; (None, "") unless Socket.IO may be there."""
    from yarl import URL

    try:
        url = URL(examination.target.place).join(URL(location))
        origin = str(url.origin())
    except ValueError:
        return None, ""
    own = examination.http.path
    is_socketio = url.path.rstrip("/") == own.rstrip("/") or url.path.rstrip("/").endswith("/socket.io")
    # As it is: with a slash in the end, it may be redirected again.
    return (origin, url.path) if is_socketio else (None, "")


async def check_path(examination: Examination) -> Finding:
    """Check whether Engine.IO answers at the path, or something else does."""
    handshake = await polling_handshake(examination)
    path = examination.http.path
    if handshake.is_engineio:
        return ok(f"Engine.IO answers at {path}")
    if await connects_over_websocket(examination):
        return ok(f"Engine.IO answers at {path}, over WebSocket")
    status = handshake.response.status if handshake.response else 0
    if status in (401, 403, 429, 502, 503, 504):
        return skip(f"unknown: HTTP {status} at {path}")
    result = f"HTTP {status}" if handshake.response else "no answer"
    if other := await other_path(examination):
        if other == path.rstrip("/"):
            return fail(
                f"{result} at {path}: it answers only without the trailing slash", *fixes.no_slash(other)
            )
        return fail(
            f"{result} at {path}, but Engine.IO answers at {other}",
            *fixes.moved(examination.target.place, other),
        )
    if plain := await _plain_websocket(examination):
        return fail(f"a plain WebSocket server ({plain}), not Socket.IO", *fixes.plain_websocket(examination))
    return _unknown_server(handshake.response, path)


def _unknown_server(response: Response | None, path: str) -> Finding:
    if response is None:
        return fail(f"nothing answers at {path}", *fixes.attach())
    kind = response.headers.get("Content-Type", "")
    content = "a web page" if "html" in kind else f"{kind[:60] or 'an empty response'}"
    if response.status == 200:
        return fail(f"{content} at {path}, not Socket.IO: wrong server or wrong --path?", *fixes.attach())
    advice = refusal_advice(response.status) or "not a Socket.IO response"
    return fail(f"HTTP {response.status} at {path}: {advice}", *fixes.attach())


async def _plain_websocket(examination: Examination) -> str | None:
    """Return where the server accepts WebSockets without Engine.IO, or None."""
    error = await websocket_handshake(examination)
    if isinstance(error, NoResponse) and "switched" in str(error):
        return f"at {examination.http.path}"
    if isinstance(error, DecodeError):
        return f"at {examination.http.path}, it sends {shown(error.frame, 60)}"
    try:
        ws = await examination.http.websocket({}, path="/", timeout=2.0)
    except (UpgradeRefused, NoResponse):
        return None
    await WebSocketWire(ws).close()
    return "at /"


async def check_handshake(examination: Examination) -> Finding:
    """Check whether the server accepts this client's handshake."""
    handshake = await polling_handshake(examination)
    code, message = handshake.refusal
    response = handshake.response
    if response is None or handshake.revision or handshake.is_transport_unknown:
        return ok("the handshake is accepted")
    if code == _FORBIDDEN or response.status in (401, 403):
        reason = f": {shown(message)}" if message else ""
        return fail(f"the handshake is forbidden, HTTP {response.status}{reason}", *fixes.forbidden())
    if response.status in (429, 502, 503, 504):
        advice = refusal_advice(response.status)
        return fail(f"HTTP {response.status}: {advice}", *fixes.gateway(response.status))
    if message:
        advice = refusal_advice(response.status, code)
        found = f"the handshake is refused, HTTP {response.status}: {shown(message)}"
        return fail(f"{found}: {advice}" if advice else found, *fixes.forbidden())
    if await connects_over_websocket(examination):
        return ok("the handshake is accepted over WebSocket")
    return fail(f"HTTP {response.status}")
