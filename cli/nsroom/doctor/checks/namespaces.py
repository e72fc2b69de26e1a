"""Check how namespaces answer a CONNECT: parser, name, middleware, authentication and recovery."""

import asyncio

from nsroom.doctor.checks.handshake import request_handshake, websocket_handshake
from nsroom.doctor.checks.versions import generation
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip, truncated, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.fixes.network import moved
from nsroom.doctor.fixes.transport import sticky
from nsroom.doctor.probes.session import CONNECTION_ERRORS, Outcome, ProbeSession, Reply
from nsroom.protocol.engineio import Handshake
from nsroom.record import Json

CONNECT_TIMEOUT = 4.0
"""Seconds to wait for the answer to a CONNECT."""
_SLOW = 3000
"""Milliseconds from which an answer to a CONNECT is slow."""
# Of Node and the reference server, and of python-socketio.
_INVALID = ("invalid namespace", "unable to connect")
# {"type": 0, "nsp": "/"} in msgpack.
_MSGPACK_CONNECT = b"\x82\xa4type\x00\xa3nsp\xa1/"
_MSGPACK_TYPE = b"\xa4type"


async def open_session(examination: Examination) -> ProbeSession:
    """Open a session over WebSocket if that works, else over polling.

    Raises: UpgradeRefused, NoAnswer, SessionClosed, DecodeError.
    """
    direct = isinstance(await websocket_handshake(examination), Handshake)
    spoken = await generation(examination) or 4
    if direct and examination.uses_websocket:
        return await ProbeSession.over_websocket(examination.http, spoken)
    return await ProbeSession.over_polling(examination.http, spoken)


async def connect(examination: Examination, *namespaces: str, auth: Json = None) -> dict[str, Reply]:
    """Return the replies of namespaces on a new session. Raises: as `open_session`."""
    session = await open_session(examination)
    try:
        query = "&".join(f"{key}={value}" for key, value in examination.target.query)
        return await session.connect(namespaces, auth, examination.timeout(CONNECT_TIMEOUT), query)
    finally:
        await session.close()


@once
async def connect_replies(examination: Examination) -> dict[str, Reply]:
    """Return the replies of the target's namespaces."""
    return await connect(examination, *examination.target.namespaces, auth=examination.target.auth)


@once
async def root_reply(examination: Examination) -> Reply:
    """Return the reply of the namespace /."""
    found = await connect_replies(examination)
    if "/" not in found:
        found = await connect(examination, "/", auth=examination.target.auth)
    return found["/"]


@once
async def speaks_msgpack(examination: Examination) -> bool:
    """Return whether a CONNECT in msgpack is answered in msgpack."""
    session = await open_session(examination)
    try:
        await session.wire.send(_MSGPACK_CONNECT)
        async with asyncio.timeout(examination.timeout(2.0)):
            while isinstance(frame := await session.receive_packet(), str):
                continue
            return is_msgpack(frame)
    except (TimeoutError, *CONNECTION_ERRORS):
        return False
    finally:
        await session.close()


def is_msgpack(frame: bytes) -> bool:
    """Return whether a binary frame is a packet of socket.io-msgpack-parser: a map with a type."""
    return 0x80 < frame[0] < 0x90 and _MSGPACK_TYPE in frame[:64] if frame else False


async def is_connect_answered(examination: Examination) -> bool:
    """Return whether any CONNECT is answered. Raises: as `open_session`."""
    found = await connect_replies(examination)
    return any(reply.outcome in (Outcome.CONNECTED, Outcome.REFUSED) for reply in found.values())


async def check_parser(examination: Examination) -> Finding:
    """Check that packets are JSON."""
    found = await connect_replies(examination)
    if await is_connect_answered(examination):
        return ok("packets are JSON")
    if await speaks_msgpack(examination):
        return fail("packets are msgpack (socket.io-msgpack-parser), not JSON", *fixes.msgpack())
    closed = next((reply for reply in found.values() if reply.outcome is Outcome.CLOSED), None)
    if closed:
        return session_ended(str(closed.data)[:120])
    return skip("no CONNECT is answered")


def session_ended(why: str) -> Finding:
    """Return the finding for a session that ended on a CONNECT."""
    if why.startswith("HTTP"):
        return fail(f"a session over polling is refused: {why}", *sticky())
    if why.startswith(("WebSocket closed", "the server sent CLOSE")):
        return fail(f"a CONNECT ends the session ({why}): another parser on the server?", *fixes.parser())
    return fail(f"the answer to a CONNECT cannot be read: {why}", *fixes.parser())


async def check_namespace(examination: Examination) -> Finding:
    """Check that the namespaces exist."""
    found = await connect_replies(examination)
    missing = [name for name, reply in found.items() if is_missing(reply)]
    if missing:
        return await _missing(examination, missing[0], found[missing[0]])
    silent = [
        name for name, reply in found.items() if reply.outcome not in (Outcome.CONNECTED, Outcome.REFUSED)
    ]
    if silent:
        return skip(f"{', '.join(silent)}: not answered")
    return ok(f"{', '.join(found)} {'exists' if len(found) == 1 else 'exist'}")


def message_of(data: Json) -> str:
    """Return the message of a refusal: a string in Socket.IO 2, in an object since 3."""
    text = data.get("message") if isinstance(data, dict) else data
    return text if isinstance(text, str) else ""


def is_missing(reply: Reply) -> bool:
    """Return whether a namespace was refused because it does not exist."""
    return reply.outcome is Outcome.REFUSED and message_of(reply.data).lower().startswith(_INVALID)


def is_refused(reply: Reply) -> bool:
    """Return whether a namespace exists but refused this client."""
    return reply.outcome is Outcome.REFUSED and not is_missing(reply)


async def _missing(examination: Examination, name: str, reply: Reply) -> Finding:
    refused = f"{name} is refused: {truncated(message_of(reply.data))}"
    if name == "/":
        return fail(refused, *fixes.namespace(name))
    path = as_path(name)
    is_path = path == examination.http.path
    if is_path or (await request_handshake(examination, path, examination.timeout(2.0))).is_engine:
        found = f"{refused}; it is an HTTP path, not a namespace"
        return fail(found, *moved(examination.target.place, path))
    other = name.rstrip("/") or "/" if name.endswith("/") else f"{name}/"
    retried = await connect(examination, other, auth=examination.target.auth)
    if retried[other].outcome is Outcome.CONNECTED:
        return fail(f"{refused}, but {other} exists", *fixes.other_namespace(other))
    has_root = (await root_reply(examination)).outcome is Outcome.CONNECTED
    return fail(f"{refused}{'; / exists' if has_root else ''}", *fixes.namespace(name))


def as_path(namespace: str) -> str:
    """Return the HTTP path that may have been meant by a namespace."""
    name = namespace.rstrip("/")
    return f"{name}/" if name.endswith("/socket.io") else f"{name}/socket.io/"


async def check_auth(examination: Examination) -> Finding:
    """Check that the namespaces accept this client."""
    found = await connect_replies(examination)
    refused = {name: reply for name, reply in found.items() if is_refused(reply)}
    given = "with --auth" if examination.target.auth else "without credentials"
    if not refused:
        connected = any(reply.outcome is Outcome.CONNECTED for reply in found.values())
        return ok(f"accepted {given}") if connected else skip("no namespace answers")
    name, reply = next(iter(refused.items()))
    remedy = fixes.query_credentials() if await generation(examination) == 3 else fixes.credentials()
    return fail(f"{name} refuses this client, {given}: {refusal_text(reply.data)}", *remedy)


def refusal_text(data: Json) -> str:
    """Return the message and the data of a refusal as text."""
    if isinstance(data, dict) and isinstance(data.get("message"), str):
        more = data.get("data")
        return truncated(data["message"]) + (f", data {truncated(more)}" if more is not None else "")
    return truncated(data) if data is not None else "disconnected at once"


async def check_middleware(examination: Examination) -> Finding:
    """Check that every CONNECT is answered, and how fast."""
    found = await connect_replies(examination)
    silent = [name for name, reply in found.items() if reply.outcome is Outcome.SILENT]
    if silent:
        seconds = f"{examination.timeout(CONNECT_TIMEOUT):g} s"
        why = "a middleware that never calls next(), or a connect handler that never returns"
        return fail(f"{silent[0]}: no answer to CONNECT within {seconds}: {why}", *fixes.middleware())
    slowest = max((reply.ms for reply in found.values()), default=0.0)
    text = f"CONNECT is answered after {slowest:.0f} ms"
    return warn(text, *fixes.middleware()) if slowest > _SLOW else ok(text)


async def check_recovery(examination: Examination) -> Finding:
    """Check whether the server has connection state recovery."""
    found = await connect_replies(examination)
    if await generation(examination) == 3:
        return skip("Socket.IO 2 does not have it")
    connected = [reply for reply in found.values() if reply.outcome is Outcome.CONNECTED]
    if not connected:
        return skip("no namespace accepted this client")
    if all(isinstance(reply.data, dict) and "pid" in reply.data for reply in connected):
        return ok("on: after a lost connection, a client receives the packets it missed")
    return ok("off: a client misses packets sent while its connection is lost")
