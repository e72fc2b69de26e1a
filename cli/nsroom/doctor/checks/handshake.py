"""HTTP checks: does the server answer, does it redirect, is the path right, is the handshake accepted?"""

from nsroom.client.failures import refusal_advice
from nsroom.doctor.checks.network import host_and_port, speaks_tls
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shell, shown, skip
from nsroom.doctor.fixes import network as fixes
from nsroom.doctor.probes.handshake import PollingHandshake, shake_hands
from nsroom.doctor.probes.http import NoResponse, Response, UpgradeRefused
from nsroom.doctor.probes.places import Place, find_place
from nsroom.doctor.probes.session import SESSION_ERRORS, ProbeSession
from nsroom.doctor.probes.wires import WebSocketWire
from nsroom.errors import DecodeError
from nsroom.protocol.dialect import DEFAULT
from nsroom.protocol.engineio import Handshake

_REDIRECTS = (301, 302, 303, 307, 308)
_FORBIDDEN = 4


@once
async def polling_handshake(examination: Examination) -> PollingHandshake:
    """Try a polling handshake at the target's path."""
    return await shake_hands(examination.http)


@once
async def other_place(examination: Examination) -> Place | None:
    """Return another place at which Engine.IO answers, or None."""

    async def answers(path: str) -> bool:
        return (await shake_hands(examination.http, path, 3.0)).is_engineio

    return await find_place(examination.http, answers, 2.0)


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
    if error.timed_out and await other_place(examination):
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
    if other := await other_place(examination):
        if other.path == path.rstrip("/"):
            found = f"{result} at {path}: it answers only without the trailing slash"
            return fail(found, *fixes.no_slash(other.path))
        is_named = other.namespace not in (None, "/")
        page = f", and the page uses the namespace {other.namespace}" if is_named else ""
        found = f"{result} at {path}, but Engine.IO answers at {other.path}{page}"
        command = other.command(examination.target)
        connect = (shell(command),) if command else ()
        return fail(found, *connect, *fixes.moved(examination.target.place, other.path))
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
