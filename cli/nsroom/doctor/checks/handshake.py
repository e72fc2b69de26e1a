"""What answers over HTTP: redirect, path, refusal."""

import asyncio
import re
from dataclasses import dataclass

from nsroom.client.failures import status_advice
from nsroom.doctor.checks.network import speaks_tls
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip
from nsroom.doctor.fixes import network as fixes
from nsroom.doctor.probes.http import Answer, NotSwitched, Unanswered
from nsroom.doctor.probes.session import LOST, Talk, opened
from nsroom.doctor.probes.wires import PollingWire, WebSocketWire, refusal, split
from nsroom.errors import DecodeError
from nsroom.protocol.engineio import Handshake

_EIO3 = re.compile(rb"[0-9]{1,6}:0\{")
_LIKELY = ("/socket.io/", "/api/socket.io/", "/ws/socket.io/", "/sio/", "/ws/", "/socket/", "/engine.io/")
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
_FORBIDDEN = 4
TRANSPORT_UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class Hand:
    """What came of the polling handshake: an answer, or why there is none."""

    answer: Answer | None = None
    why: str = ""
    silent: bool = False

    @property
    def generation(self) -> int | None:
        """The Engine.IO protocol of a handshake that succeeded."""
        if self.answer is None or self.answer.status != 200:
            return None
        return 3 if _EIO3.match(self.answer.body) else 4 if self.answer.body.startswith(b"0{") else None

    @property
    def refusal(self) -> tuple[int | None, str | None]:
        """Engine.IO's own refusal, if this is one."""
        if self.answer is None or self.answer.status == 200:
            return None, None
        code, message = refusal(self.answer.text)
        words = (message or "").lower()
        known = any(word in words for word in _REFUSALS)
        return (code, message) if known or code is not None else (None, None)

    @property
    def is_engine(self) -> bool:
        """Whether it was Engine.IO that answered."""
        return self.generation is not None or self.refusal[1] is not None


async def shake(examination: Examination, path: str | None = None, timeout: float = 4.0) -> Hand:
    """Ask for a polling handshake, and end the session that it gives."""
    try:
        answer = await examination.exchange.request(
            "GET", {"EIO": "4", "transport": "polling"}, path=path, timeout=timeout
        )
    except Unanswered as error:
        return Hand(why=str(error), silent=error.silent)
    hand = Hand(answer)
    if hand.generation and path is None:
        await leave(examination, hand.generation, answer)
    return hand


async def leave(examination: Examination, generation: int, answer: Answer) -> None:
    """End the session that a handshake gave."""
    try:
        sid = opened(split(answer.body, generation)[0]).sid
    except DecodeError:
        return
    await PollingWire(examination.exchange, generation, sid, answer.cookies).close()


@once
async def hand(examination: Examination) -> Hand:
    """Shake hands over polling."""
    return await shake(examination)


@once
async def elsewhere(examination: Examination) -> str | None:
    """Give a likely path at which Engine.IO answers instead."""
    exchange = examination.exchange
    own = [f"{name.rstrip('/')}/socket.io/" for name in examination.target.namespaces if name != "/"]
    given = exchange.path
    paths = [path for path in dict.fromkeys((given.rstrip("/"), *own, *_LIKELY)) if path not in ("", given)]
    tasks = [asyncio.create_task(_engine_at(examination, path)) for path in paths]
    try:
        # Where a server on Node has nothing, it says nothing: that is not waited for.
        for task in asyncio.as_completed(tasks):
            if found := await task:
                return found
        return None
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _engine_at(examination: Examination, path: str) -> str | None:
    found = await shake(examination, path, examination.patience(3.0))
    return path if found.is_engine else None


@once
async def websocket_talk(examination: Examination) -> Handshake | Exception:
    """Open a session over WebSocket at once; give its handshake, or what went wrong."""
    try:
        talk = await Talk.over_websocket(examination.exchange, 4)
    except LOST as error:
        return error
    await talk.close()
    return talk.handshake


async def check_http(examination: Examination) -> Finding:
    """See whether anything answers in HTTP."""
    found = await hand(examination)
    if found.answer is not None:
        server = found.answer.headers.get("Server")
        return ok(f"answers, HTTP {found.answer.status}{f', {server[:60]}' if server else ''}")
    if found.silent and await elsewhere(examination):
        return ok(f"answers, though not for {examination.exchange.path}")
    if not examination.target.url.startswith("https:") and await speaks_tls(examination):
        url = "https" + examination.target.place.removeprefix("http")
        return fail("the port speaks TLS, and http:// was asked for", *fixes.use_url(url))
    if found.silent:
        return fail(
            f"{found.why}, at {examination.exchange.path} and where it usually is", *fixes.stuck(examination)
        )
    return fail(found.why, *fixes.listen(examination.target.place.rpartition(":")[2], False))


async def check_redirect(examination: Examination) -> Finding:
    """See whether the server sends clients elsewhere: WebSockets do not follow."""
    answer = (await hand(examination)).answer
    if answer is None or answer.status not in (301, 302, 303, 307, 308):
        return ok("none")
    location = answer.headers.get("Location", "")[:300]
    url, path = redirected(location, examination)
    if url is None:
        return fail(f"HTTP {answer.status} to {location}: a log-in page?", *fixes.log_in())
    return fail(f"HTTP {answer.status} to {location}", *fixes.moved(url, path))


def redirected(location: str, examination: Examination) -> tuple[str | None, str]:
    """Read a Location: the server to use instead, if that is what it says, and the path."""
    from yarl import URL

    try:
        url = URL(examination.target.place).join(URL(location))
        origin = str(url.origin())
    except ValueError:
        return None, ""
    own = examination.exchange.path
    kept = url.path.rstrip("/") == own.rstrip("/") or url.path.endswith("/socket.io/")
    return (origin, f"{url.path.rstrip('/')}/") if kept else (None, "")


async def check_path(examination: Examination) -> Finding:
    """See whether Engine.IO answers at the path, or what does."""
    found = await hand(examination)
    given = examination.exchange.path
    if found.is_engine:
        return ok(f"Engine.IO answers at {given}")
    if isinstance(await websocket_talk(examination), Handshake):
        return ok(f"Engine.IO answers at {given}, over WebSocket")
    status = found.answer.status if found.answer else 0
    if status in (401, 403, 429, 502, 503, 504):
        return skip(f"unknown: HTTP {status} at {given}")
    what = f"HTTP {status}" if found.answer else "silence"
    if other := await elsewhere(examination):
        if other == given.rstrip("/"):
            return fail(
                f"{what} at {given}: it answers only without the slash at its end", *fixes.no_slash(other)
            )
        return fail(f"{what} at {given}, but Engine.IO answers at {other}", *fixes.path(examination, other))
    if plain := await _plain_websocket(examination):
        return fail(f"a plain WebSocket server ({plain}), no Socket.IO", *fixes.plain_websocket(examination))
    return _stranger(found.answer, given)


def _stranger(answer: Answer | None, given: str) -> Finding:
    if answer is None:
        return fail(f"nothing answers at {given}", *fixes.attach())
    kind = answer.headers.get("Content-Type", "")
    body = "a web page" if "html" in kind else f"{kind[:60] or 'nothing'}"
    if answer.status == 200:
        return fail(f"{body} at {given}, no Socket.IO: another server, or another --path?", *fixes.attach())
    advice = status_advice(answer.status) or "no Socket.IO server answers so"
    return fail(f"HTTP {answer.status} at {given}: {advice}", *fixes.attach())


async def _plain_websocket(examination: Examination) -> str | None:
    """Say at which path WebSockets are accepted that carry no Engine.IO."""
    error = await websocket_talk(examination)
    if isinstance(error, Unanswered) and "switched" in str(error):
        return f"at {examination.exchange.path}"
    if isinstance(error, DecodeError):
        return f"at {examination.exchange.path}, it says {shown(error.frame, 60)}"
    try:
        ws = await examination.exchange.websocket({}, path="/", timeout=2.0)
    except (NotSwitched, Unanswered):
        return None
    await WebSocketWire(ws).close()
    return "at /"


async def check_handshake(examination: Examination) -> Finding:
    """See whether the server lets this client shake hands at all."""
    found = await hand(examination)
    code, message = found.refusal
    answer = found.answer
    if (
        answer is None
        or found.generation
        or code == TRANSPORT_UNKNOWN
        or "transport" in (message or "").lower()
    ):
        return ok("the handshake is let through")
    if code == _FORBIDDEN or answer.status in (401, 403):
        said = f": {shown(message)}" if message else ""
        return fail(f"the handshake is forbidden, HTTP {answer.status}{said}", *fixes.forbidden())
    if answer.status in (429, 502, 503, 504):
        return fail(f"HTTP {answer.status}: {status_advice(answer.status)}", *fixes.gateway(answer.status))
    if message:
        return fail(f"the handshake is refused, HTTP {answer.status}: {shown(message)}", *fixes.forbidden())
    if isinstance(await websocket_talk(examination), Handshake):
        return ok("the handshake is let through over WebSocket")
    return fail(f"HTTP {answer.status}")
