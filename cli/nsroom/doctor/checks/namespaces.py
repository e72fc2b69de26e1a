"""Namespace checks: parser, names, credentials, middleware and recovery."""

from collections.abc import Mapping

from nsroom.client.failures import silence_advice
from nsroom.doctor.checks.handshake import connects_over_websocket
from nsroom.doctor.checks.versions import detect_dialect, detect_revision
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.fixes.network import moved
from nsroom.doctor.fixes.transport import nginx, sticky
from nsroom.doctor.probes.handshake import shake_hands
from nsroom.doctor.probes.session import CONNECT_UNKNOWN, SESSION_ERRORS, Outcome, ProbeSession, Reply
from nsroom.output.units import duration
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.refusals import message_of
from nsroom.record import Json

CONNECT_TIMEOUT = 4.0
"""Seconds to wait for the answer to a CONNECT."""
_BLOCKED = "does a proxy or firewall block POST?"
_SLOW_MS = 3000
"""Milliseconds after which a CONNECT counts as slow."""
# The first is sent by Node and the reference server, the second by python-socketio.
_UNKNOWN_NAMESPACE = ("invalid namespace", "unable to connect")


async def open_session(examination: Examination, dialect: Dialect | None = None) -> ProbeSession:
    """Open a session over a transport that works, by default in the dialect of the target.

    Raises: UpgradeRefused, NoResponse, SessionEnded, DecodeError.
    """
    dialect = dialect or await detect_dialect(examination)
    if await connects_over_websocket(examination) and examination.uses_websocket:
        return await ProbeSession.over_websocket(examination.http, dialect)
    return await ProbeSession.over_polling(examination.http, dialect)


async def connect(
    examination: Examination,
    *namespaces: str,
    auth: Json = None,
    dialect: Dialect | None = None,
    timeout: float = CONNECT_TIMEOUT,
) -> dict[str, Reply]:
    """Connect to namespaces in a new session. Raises: as `open_session`."""
    session = await open_session(examination, dialect)
    try:
        return await session.connect_namespaces(namespaces, auth, examination.timeout(timeout))
    finally:
        await session.close()


@once
async def target_replies(examination: Examination) -> dict[str, Reply]:
    """Connect to the namespaces of the target; return the replies by namespace."""
    return await connect(examination, *examination.target.namespaces, auth=examination.target.auth)


@once
async def root_reply(examination: Examination) -> Reply:
    """Return the reply to a CONNECT to the namespace /."""
    replies = await target_replies(examination)
    if "/" not in replies:
        replies = await connect(examination, "/", auth=examination.target.auth)
    return replies["/"]


@once
async def speaks_other_parser(examination: Examination) -> bool:
    """Return whether the server answers a CONNECT in the parser that the target does not use."""
    target, other = examination.target, (await detect_dialect(examination)).other_parser
    try:
        replies = await connect(examination, *target.namespaces, auth=target.auth, dialect=other, timeout=2.0)
    except SESSION_ERRORS:
        return False
    return _any_answer(replies)


async def answers_connect(examination: Examination) -> bool:
    """Return whether the server answers any CONNECT of the target. Raises: as `open_session`."""
    return _any_answer(await target_replies(examination))


def _any_answer(replies: Mapping[str, Reply]) -> bool:
    return any(reply.outcome in (Outcome.CONNECTED, Outcome.REFUSED) for reply in replies.values())


async def check_parser(examination: Examination) -> Finding:
    """Check whether the server's packets are JSON, or msgpack with --parser msgpack."""
    is_msgpack = (await detect_dialect(examination)).is_msgpack
    if await answers_connect(examination):
        return ok("packets are msgpack, as requested" if is_msgpack else "packets are JSON")
    if await speaks_other_parser(examination):
        if is_msgpack:
            return fail("packets are JSON, but --parser msgpack was given", *fixes.parser())
        return fail("packets are msgpack (socket.io-msgpack-parser), not JSON", *fixes.msgpack())
    replies = await target_replies(examination)
    closed = next((reply for reply in replies.values() if reply.outcome is Outcome.CLOSED), None)
    if closed:
        return _closed(examination, str(closed.data)[:120])
    return skip("the server answers no CONNECT")


def _closed(examination: Examination, reason: str) -> Finding:
    """Return the finding for a session that ended after a CONNECT."""
    if reason.startswith("HTTP") and "session" in reason.lower():
        return fail(f"a polling session is refused: {reason}", *sticky())
    if reason.startswith(("HTTP", "no answer")):
        return fail(f"a CONNECT in a POST is refused ({reason}): {_BLOCKED}", nginx(examination.http.path))
    if reason.startswith(("WebSocket closed", "the server sent CLOSE")):
        found = f"a CONNECT ends the session ({reason}): another parser, or a middleware that closes it?"
        return fail(found, *fixes.parser())
    return fail(f"the answer to a CONNECT cannot be parsed: {reason}", *fixes.parser())


async def check_namespace(examination: Examination) -> Finding:
    """Check whether the namespaces exist."""
    replies = await target_replies(examination)
    missing = [name for name, reply in replies.items() if is_missing(reply)]
    if missing:
        return await _missing(examination, missing[0], replies[missing[0]])
    silent = [
        name for name, reply in replies.items() if reply.outcome not in (Outcome.CONNECTED, Outcome.REFUSED)
    ]
    if silent:
        return skip(f"{', '.join(silent)}: no answer")
    found = f"{', '.join(replies)} {'exists' if len(replies) == 1 else 'exist'}"
    if examination.extras.is_path_in_url:
        found += (
            f"; {examination.target.path} in the URL is the HTTP path: in a client it would be a namespace"
        )
    return ok(found)


def is_missing(reply: Reply) -> bool:
    """Return whether a CONNECT was refused because the namespace does not exist."""
    message = message_of(reply.data) or ""
    return reply.outcome is Outcome.REFUSED and message.lower().startswith(_UNKNOWN_NAMESPACE)


def is_refused(reply: Reply) -> bool:
    """Return whether an existing namespace refused the client."""
    return reply.outcome is Outcome.REFUSED and not is_missing(reply)


async def _missing(examination: Examination, name: str, reply: Reply) -> Finding:
    refused = f"{name} is refused: {shown(message_of(reply.data))}"
    if name == "/":
        return fail(refused, *fixes.namespace(name))
    path = name.rstrip("/") if name.rstrip("/").endswith("/socket.io") else f"{name.rstrip('/')}/socket.io"
    path = f"{path}/"
    if (
        path == examination.http.path
        or (await shake_hands(examination.http, path, examination.timeout(2.0))).is_engineio
    ):
        found = f"{refused}; it is an HTTP path, not a namespace"
        return fail(found, *moved(examination.target.place, path))
    other = name.rstrip("/") or "/" if name.endswith("/") else f"{name}/"
    retried = await connect(examination, other, auth=examination.target.auth)
    if retried[other].outcome is Outcome.CONNECTED:
        return fail(f"{refused}, but {other} exists", *fixes.other_namespace(other))
    has_root = (await root_reply(examination)).outcome is Outcome.CONNECTED
    return fail(f"{refused}{'; / exists' if has_root else ''}", *fixes.namespace(name))


async def check_auth(examination: Examination) -> Finding:
    """Check whether the namespaces accept this client."""
    replies = await target_replies(examination)
    refused = {name: reply for name, reply in replies.items() if is_refused(reply)}
    credentials = "with --auth" if examination.target.auth else "without credentials"
    if not refused:
        connected = any(reply.outcome is Outcome.CONNECTED for reply in replies.values())
        return ok(f"accepted {credentials}") if connected else skip("no namespace answers")
    name, reply = next(iter(refused.items()))
    remedy = fixes.query_credentials() if await detect_revision(examination) == 3 else fixes.credentials()
    return fail(f"{name} refuses this client, {credentials}: {format_refusal(reply.data)}", *remedy)


def format_refusal(data: Json) -> str:
    """Format a refusal with its data."""
    if isinstance(data, dict) and isinstance(data.get("message"), str):
        extra = data.get("data")
        return shown(data["message"]) + (f", data {shown(extra)}" if extra is not None else "")
    return shown(data) if data is not None else "disconnected at once"


async def check_middleware(examination: Examination) -> Finding:
    """Check whether each CONNECT is answered, and how fast."""
    replies = await target_replies(examination)
    silent = [name for name, reply in replies.items() if reply.outcome is Outcome.SILENT]
    if silent:
        seconds = f"{examination.timeout(CONNECT_TIMEOUT):g} s"
        if not await _receives_posts(examination):
            found = f"{silent[0]}: no CONNECT in a POST is answered, to any namespace: {_BLOCKED}"
            return fail(found, nginx(examination.http.path))
        cause = silence_advice(bool(examination.target.auth))
        remedy = fixes.middleware() if examination.target.auth else fixes.middleware() + fixes.credentials()
        return fail(f"{silent[0]}: no answer to CONNECT within {seconds}: {cause}", *remedy)
    slowest = max((reply.ms for reply in replies.values()), default=0.0)
    found = f"CONNECT was answered after {duration(slowest)}"
    return warn(found, *fixes.middleware()) if slowest > _SLOW_MS else ok(found)


async def _receives_posts(examination: Examination) -> bool:
    """Return whether the server gets what is posted; True over WebSocket, where nothing is."""
    session = await open_session(examination)
    try:
        if session.wire.name != "polling":
            return True
        await session.send_packet(CONNECT_UNKNOWN)
        return await session.is_unknown_answered(examination.timeout(2.0))
    finally:
        await session.close()


async def check_recovery(examination: Examination) -> Finding:
    """Check whether the server has connection state recovery."""
    replies = await target_replies(examination)
    if await detect_revision(examination) == 3:
        return skip("Socket.IO 2 does not have it")
    connected = [reply for reply in replies.values() if reply.outcome is Outcome.CONNECTED]
    if not connected:
        return skip("no namespace accepted this client")
    if all(isinstance(reply.data, dict) and "pid" in reply.data for reply in connected):
        return ok("on: after a lost connection the server resends missed packets")
    return ok("off: a client misses packets sent while its connection is lost")
