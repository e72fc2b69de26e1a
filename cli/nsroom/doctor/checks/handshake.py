"""Check the HTTP answer: redirects, the path, and a refused handshake."""

import asyncio
import re
from dataclasses import dataclass

from yarl import URL

from nsroom.client.failures import status_advice
from nsroom.doctor.checks.network import speaks_tls
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip, truncated
from nsroom.doctor.fixes import network as fixes
from nsroom.doctor.probes.http import Answer, NoAnswer, UpgradeRefused
from nsroom.doctor.probes.session import CONNECTION_ERRORS, ProbeSession, parse_open
from nsroom.doctor.probes.wires import PollingWire, WebSocketWire, parse_refusal, split_body
from nsroom.errors import DecodeError
from nsroom.protocol.engineio import Handshake

_EIO3 = re.compile(rb"[0-9]{1,6}:0\{")
_USUAL_PATHS = (
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
_GATEWAY = (429, 502, 503, 504)
"""The statuses of a proxy, not of the server itself."""
# Codes of Engine.IO on Node.
_TRANSPORT_UNKNOWN, _FORBIDDEN = 0, 4


@dataclass(frozen=True, slots=True)
class PollingHandshake:
    """The result of a polling handshake: an answer, or the reason why there is no answer."""

    answer: Answer | None = None
    fault: str = ""
    silent: bool = False

    @property
    def generation(self) -> int | None:
        """The Engine.IO protocol of a successful handshake."""
        if self.answer is None or self.answer.status != 200:
            return None
        if _EIO3.match(self.answer.body):
            return 3
        return 4 if self.answer.body.startswith(b"0{") else None

    @property
    def refusal(self) -> tuple[int | None, str | None]:
        """The code and the message of a refusal by Engine.IO, each if present."""
        if self.answer is None or self.answer.status == 200:
            return None, None
        code, message = parse_refusal(self.answer.text)
        text = (message or "").lower()
        known = any(words in text for words in _REFUSALS)
        return (code, message) if known or code is not None else (None, None)

    @property
    def refuses_transport(self) -> bool:
        """Whether Engine.IO answered that it does not offer polling."""
        code, message = self.refusal
        return code == _TRANSPORT_UNKNOWN or "transport" in (message or "").lower()

    @property
    def is_engine(self) -> bool:
        """Whether the answer came from Engine.IO."""
        return self.generation is not None or self.refusal[1] is not None


async def request_handshake(
    examination: Examination, path: str | None = None, timeout: float = 4.0
) -> PollingHandshake:
    """Request a polling handshake, by default at the target's path, where the new session is closed again."""
    try:
        answer = await examination.http.request(
            "GET", {"EIO": "4", "transport": "polling"}, path=path, timeout=timeout
        )
    except NoAnswer as error:
        return PollingHandshake(fault=str(error), silent=error.silent)
    handshake = PollingHandshake(answer)
    if handshake.generation and path is None:
        await close_session(examination, handshake.generation, answer)
    return handshake


async def close_session(examination: Examination, generation: int, answer: Answer) -> None:
    """Close the session that a polling handshake opened."""
    try:
        sid = parse_open(split_body(answer.body, generation)[0]).sid
    except DecodeError:
        return
    await PollingWire(examination.http, generation, sid, answer.cookies).close()


@once
async def polling_handshake(examination: Examination) -> PollingHandshake:
    """Return the result of a polling handshake at the target's path."""
    return await request_handshake(examination)


@once
async def other_path(examination: Examination) -> str | None:
    """Return another path at which Engine.IO answers, or None."""
    own = [f"{name.rstrip('/')}/socket.io/" for name in examination.target.namespaces if name != "/"]
    given = examination.http.path
    likely = dict.fromkeys((given.rstrip("/"), *own, *_USUAL_PATHS))
    tasks = [asyncio.create_task(_engine_at(examination, path)) for path in likely if path not in ("", given)]
    try:
        # The first match counts: a server on Node leaves requests for unknown paths unanswered.
        for task in asyncio.as_completed(tasks):
            if found := await task:
                return found
        return None
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _engine_at(examination: Examination, path: str) -> str | None:
    found = await request_handshake(examination, path, examination.timeout(3.0))
    return path if found.is_engine else None


@once
async def websocket_handshake(examination: Examination) -> Handshake | Exception:
    """Return the handshake of a session opened over WebSocket, or the exception that kept it from opening."""
    try:
        session = await ProbeSession.over_websocket(examination.http, 4)
    except CONNECTION_ERRORS as error:
        return error
    await session.close()
    return session.handshake


async def check_http(examination: Examination) -> Finding:
    """Check that something answers over HTTP."""
    found = await polling_handshake(examination)
    place = examination.target.place
    path = examination.http.path
    if found.answer is not None:
        server = found.answer.headers.get("Server")
        return ok(f"answers, HTTP {found.answer.status}{f', {server[:60]}' if server else ''}")
    if found.silent and await other_path(examination):
        return ok(f"answers, but not at {path}")
    if not examination.target.url.startswith("https:") and await speaks_tls(examination):
        url = "https" + place.removeprefix("http")
        return fail("this port speaks TLS, but the URL starts with http://", *fixes.use_url(url))
    if found.silent:
        return fail(f"{found.fault}, at {path} or any usual path", *fixes.stuck(place, path))
    return fail(found.fault, *fixes.listen(place.rpartition(":")[2], False))


async def check_redirect(examination: Examination) -> Finding:
    """Check that the server does not redirect: WebSocket clients do not follow."""
    answer = (await polling_handshake(examination)).answer
    if answer is None or answer.status not in _REDIRECTS:
        return ok("none")
    location = answer.headers.get("Location", "")[:300]
    url, path = redirected(location, examination)
    if url is None:
        return fail(f"HTTP {answer.status} to {location}: a log-in page?", *fixes.log_in())
    return fail(f"HTTP {answer.status} to {location}", *fixes.moved(url, path))


def redirected(location: str, examination: Examination) -> tuple[str | None, str]:
    """Return the server and the path to use instead, or None if `Location` is not a Socket.IO server."""
    try:
        url = URL(examination.target.place).join(URL(location))
        origin = str(url.origin())
    except ValueError:
        return None, ""
    path = url.path.rstrip("/")
    if path == examination.http.path.rstrip("/") or url.path.endswith("/socket.io/"):
        return origin, f"{path}/"
    return None, ""


async def check_path(examination: Examination) -> Finding:
    """Check that Engine.IO answers at the path."""
    found = await polling_handshake(examination)
    given = examination.http.path
    place = examination.target.place
    if found.is_engine:
        return ok(f"Engine.IO answers at {given}")
    if isinstance(await websocket_handshake(examination), Handshake):
        return ok(f"Engine.IO answers at {given}, over WebSocket")
    status = found.answer.status if found.answer else 0
    if status in (401, 403, *_GATEWAY):
        return skip(f"unknown: HTTP {status} at {given}")
    answered = f"HTTP {status}" if found.answer else "no answer"
    if other := await other_path(examination):
        if other == given.rstrip("/"):
            text = f"{answered} at {given}: Engine.IO answers only without the trailing slash"
            return fail(text, *fixes.no_slash(other))
        return fail(f"{answered} at {given}, but Engine.IO answers at {other}", *fixes.moved(place, other))
    if plain := await _plain_websocket(examination):
        return fail(f"a plain WebSocket server ({plain}), not Socket.IO", *fixes.plain_websocket(place))
    return _not_engine(found.answer, given)


def _not_engine(answer: Answer | None, path: str) -> Finding:
    if answer is None:
        return fail(f"nothing answers at {path}", *fixes.attach())
    kind = answer.headers.get("Content-Type", "")
    body = "a web page" if "html" in kind else f"{kind[:60] or 'nothing'}"
    if answer.status == 200:
        return fail(f"{body} at {path}, not Socket.IO: another server, or another --path?", *fixes.attach())
    advice = status_advice(answer.status) or "not an answer of a Socket.IO server"
    return fail(f"HTTP {answer.status} at {path}: {advice}", *fixes.attach())


async def _plain_websocket(examination: Examination) -> str | None:
    """Return where the server accepts WebSockets that carry something other than Engine.IO, or None."""
    error = await websocket_handshake(examination)
    if isinstance(error, NoAnswer) and "switched" in str(error):
        return f"at {examination.http.path}"
    if isinstance(error, DecodeError):
        return f"at {examination.http.path}, it sends {truncated(error.frame, 60)}"
    try:
        ws = await examination.http.websocket({}, path="/", timeout=2.0)
    except (UpgradeRefused, NoAnswer):
        return None
    await WebSocketWire(ws).close()
    return "at /"


async def check_handshake(examination: Examination) -> Finding:
    """Check that the server accepts this client's handshake."""
    found = await polling_handshake(examination)
    code, message = found.refusal
    answer = found.answer
    if answer is None or found.generation or found.refuses_transport:
        return ok("the handshake is accepted")
    if code == _FORBIDDEN or answer.status in (401, 403):
        reason = f": {truncated(message)}" if message else ""
        return fail(f"the handshake is forbidden, HTTP {answer.status}{reason}", *fixes.forbidden())
    if answer.status in _GATEWAY:
        return fail(f"HTTP {answer.status}: {status_advice(answer.status)}", *fixes.gateway(answer.status))
    if message:
        text = f"the handshake is refused, HTTP {answer.status}: {truncated(message)}"
        return fail(text, *fixes.forbidden())
    if isinstance(await websocket_handshake(examination), Handshake):
        return ok("the handshake is accepted over WebSocket")
    return fail(f"HTTP {answer.status}")
