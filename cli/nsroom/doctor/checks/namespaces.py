"""How namespaces answer: parser, names, authentication, middleware, recovery."""

import asyncio

from nsroom.doctor.checks.handshake import shake, websocket_talk
from nsroom.doctor.checks.versions import generation
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.fixes.transport import sticky
from nsroom.doctor.probes.session import LOST, Outcome, Reply, Talk, open_talk
from nsroom.protocol.engineio import Handshake
from nsroom.record import Json

PATIENCE = 4.0
"""Seconds for the answer to a CONNECT."""
_SLOW = 3000
"""Milliseconds from which a middleware is slow."""
# Of Node and the reference server, and of python-socketio.
_INVALID = ("invalid namespace", "unable to connect")
# What msgpack writes for {"type": 0, "nsp": "/"}.
_MSGPACK_CONNECT = b"\x82\xa4type\x00\xa3nsp\xa1/"
_MSGPACK_TYPE = b"\xa4type"


async def talk_to(examination: Examination) -> Talk:
    """Open a session over what works. Raises: NotSwitched, Unanswered, Gone, DecodeError."""
    direct = isinstance(await websocket_talk(examination), Handshake)
    use = direct and examination.uses_websocket
    return await open_talk(examination.exchange, await generation(examination) or 4, use)


async def connect(examination: Examination, *namespaces: str, auth: Json = None) -> dict[str, Reply]:
    """Ask for namespaces on a session of their own. Raises: as `talk_to`."""
    talk = await talk_to(examination)
    try:
        query = "&".join(f"{key}={value}" for key, value in examination.target.query)
        return await talk.ask(namespaces, auth, examination.patience(PATIENCE), query)
    finally:
        await talk.close()


@once
async def replies(examination: Examination) -> dict[str, Reply]:
    """Ask for the namespaces of the target."""
    return await connect(examination, *examination.target.namespaces, auth=examination.target.auth)


@once
async def root(examination: Examination) -> Reply:
    """Ask for the namespace /."""
    found = await replies(examination)
    if "/" not in found:
        found = await connect(examination, "/", auth=examination.target.auth)
    return found["/"]


@once
async def speaks_msgpack(examination: Examination) -> bool:
    """Say whether a CONNECT in msgpack is answered in msgpack."""
    talk = await talk_to(examination)
    try:
        await talk.wire.send(_MSGPACK_CONNECT)
        async with asyncio.timeout(examination.patience(2.0)):
            while isinstance(frame := await talk.packet(), str):
                continue
            return is_msgpack(frame)
    except (TimeoutError, *LOST):
        return False
    finally:
        await talk.close()


def is_msgpack(frame: bytes) -> bool:
    """Say whether a binary frame is a packet of socket.io-msgpack-parser: a map with a type."""
    return 0x80 < frame[0] < 0x90 and _MSGPACK_TYPE in frame[:64] if frame else False


async def is_answered(examination: Examination) -> bool:
    """Say whether any CONNECT is answered. Raises: as `talk_to`."""
    found = await replies(examination)
    return any(reply.outcome in (Outcome.CONNECTED, Outcome.REFUSED) for reply in found.values())


async def check_parser(examination: Examination) -> Finding:
    """See whether packets are JSON."""
    found = await replies(examination)
    if await is_answered(examination):
        return ok("packets are JSON")
    if await speaks_msgpack(examination):
        return fail("packets are msgpack (socket.io-msgpack-parser), not JSON", *fixes.msgpack())
    closed = next((reply for reply in found.values() if reply.outcome is Outcome.CLOSED), None)
    if closed:
        return _unread(str(closed.data)[:120])
    return skip("no CONNECT is answered")


def _unread(why: str) -> Finding:
    """Say why a session did not outlive a CONNECT."""
    if why.startswith("HTTP"):
        return fail(f"a session over polling is refused: {why}", *sticky())
    if why.startswith(("WebSocket closed", "the server sent CLOSE")):
        return fail(f"a CONNECT ends the session ({why}): another parser on the server?", *fixes.parser())
    return fail(f"the answer to a CONNECT cannot be read: {why}", *fixes.parser())


async def check_namespace(examination: Examination) -> Finding:
    """See whether the namespaces are there."""
    found = await replies(examination)
    missing = [name for name, reply in found.items() if is_missing(reply)]
    if missing:
        return await _missing(examination, missing[0], found[missing[0]])
    silent = [
        name for name, reply in found.items() if reply.outcome not in (Outcome.CONNECTED, Outcome.REFUSED)
    ]
    if silent:
        return skip(f"{', '.join(silent)}: not answered")
    return ok(f"{', '.join(found)} is there" if len(found) == 1 else f"{', '.join(found)} are there")


def message_of(data: Json) -> str:
    """Give the text of a refusal: a string in Socket.IO 2, an object since 3."""
    text = data.get("message") if isinstance(data, dict) else data
    return text if isinstance(text, str) else ""


def is_missing(reply: Reply) -> bool:
    """Say whether a namespace was refused because it is not there."""
    return reply.outcome is Outcome.REFUSED and message_of(reply.data).lower().startswith(_INVALID)


def is_refused(reply: Reply) -> bool:
    """Say whether a client was refused for what it is."""
    return reply.outcome is Outcome.REFUSED and not is_missing(reply)


async def _missing(examination: Examination, name: str, reply: Reply) -> Finding:
    said = f"{name} is refused: {shown(message_of(reply.data))}"
    candidate = name if name.rstrip("/").endswith("/socket.io") else f"{name.rstrip('/')}/socket.io"
    candidate = f"{candidate.rstrip('/')}/"
    if (
        candidate == examination.exchange.path
        or (await shake(examination, candidate, examination.patience(2.0))).is_engine
    ):
        found = f"{said}; it is an HTTP path, not a namespace"
        return fail(found, *fixes.is_path(examination, candidate))
    other = name.rstrip("/") if name.endswith("/") else f"{name}/"
    retried = await connect(examination, other or "/", auth=examination.target.auth)
    if retried[other or "/"].outcome is Outcome.CONNECTED:
        return fail(f"{said}, but {other} is there", *fixes.other_namespace(other))
    there = (await root(examination)).outcome is Outcome.CONNECTED and name != "/"
    return fail(f"{said}{'; / is there' if there else ''}", *fixes.namespace(name))


async def check_auth(examination: Examination) -> Finding:
    """See whether this client is let in."""
    found = await replies(examination)
    refused = {name: reply for name, reply in found.items() if is_refused(reply)}
    given = "with --auth" if examination.target.auth else "without credentials"
    if not refused:
        connected = any(reply.outcome is Outcome.CONNECTED for reply in found.values())
        return ok(f"let in {given}") if connected else skip("no namespace answers")
    name, reply = next(iter(refused.items()))
    remedy = fixes.query_credentials() if await generation(examination) == 3 else fixes.credentials()
    return fail(f"{name} refuses this client, {given}: {refusal_text(reply.data)}", *remedy)


def refusal_text(data: Json) -> str:
    """Write a refusal with what came with it."""
    if isinstance(data, dict) and isinstance(data.get("message"), str):
        more = data.get("data")
        return shown(data["message"]) + (f", data {shown(more)}" if more is not None else "")
    return shown(data) if data is not None else "disconnected at once"


async def check_middleware(examination: Examination) -> Finding:
    """See whether each CONNECT is answered, and how fast."""
    found = await replies(examination)
    silent = [name for name, reply in found.items() if reply.outcome is Outcome.SILENT]
    if silent:
        seconds = f"{examination.patience(PATIENCE):g} s"
        why = "a middleware that never calls next(), or a connect handler that never returns"
        return fail(f"{silent[0]}: no answer to CONNECT within {seconds}: {why}", *fixes.middleware())
    slowest = max((reply.ms for reply in found.values()), default=0.0)
    if slowest > _SLOW:
        return warn(f"CONNECT is answered after {slowest:.0f} ms", *fixes.middleware())
    return ok(f"CONNECT is answered after {slowest:.0f} ms")


async def check_recovery(examination: Examination) -> Finding:
    """See whether the server recovers the state of a lost connection."""
    found = await replies(examination)
    if await generation(examination) == 3:
        return skip("Socket.IO 2 has none")
    connected = [reply for reply in found.values() if reply.outcome is Outcome.CONNECTED]
    if not connected:
        return skip("no namespace let us in")
    if all(isinstance(reply.data, dict) and "pid" in reply.data for reply in connected):
        return ok("on: what a client misses while its connection is lost comes after it")
    return ok("off: what is emitted while a connection is lost, its client misses")
