"""What the application does: parser, namespaces, authentication, middleware, acknowledgements, admin."""

import asyncio
import ipaddress
import time
from dataclasses import dataclass

from nsroom.doctor import fixes
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip, warn
from nsroom.doctor.handshake import generation, shake, websocket_talk
from nsroom.doctor.network import addresses
from nsroom.doctor.talk import LOST, Outcome, Reply, Talk, open_talk
from nsroom.protocol import socketio
from nsroom.protocol.engineio import Handshake
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json

_PATIENCE = 4.0
"""Seconds for the answer to a CONNECT."""
_SLOW = 3000
"""Milliseconds from which a middleware is slow."""
_INVALID = "invalid namespace"
_LATER = 1.5
"""Seconds after which handlers are there that were not at first."""
_ADMIN = "/admin"
_ADMIN_REFUSALS = ("invalid credentials", "authentication failed")
# What msgpack writes for {"type": 0, "nsp": "/"}.
_MSGPACK_CONNECT = b"\x82\xa4type\x00\xa3nsp\xa1/"
_MSGPACK_TYPE = b"\xa4type"


async def talk_to(examination: Examination) -> Talk:
    """Open a session over what works. Raises: NotSwitched, Unanswered, Gone, DecodeError."""
    direct = isinstance(await websocket_talk(examination), Handshake)
    use = direct and (examination.uses_websocket)
    return await open_talk(examination.exchange, await generation(examination) or 4, use)


async def connect(examination: Examination, *namespaces: str, auth: Json = None) -> dict[str, Reply]:
    """Ask for namespaces on a session of their own. Raises: as `talk_to`."""
    talk = await talk_to(examination)
    try:
        query = "&".join(f"{key}={value}" for key, value in examination.target.query)
        return await talk.ask(namespaces, auth, _PATIENCE, query)
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
    return (
        found["/"] if "/" in found else (await connect(examination, "/", auth=examination.target.auth))["/"]
    )


@once
async def speaks_msgpack(examination: Examination) -> bool:
    """Say whether a CONNECT in msgpack is answered in msgpack."""
    talk = await talk_to(examination)
    try:
        await talk.wire.send(_MSGPACK_CONNECT)
        async with asyncio.timeout(2.0):
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


def _answered(found: dict[str, Reply]) -> bool:
    return any(reply.outcome in (Outcome.CONNECTED, Outcome.REFUSED) for reply in found.values())


async def parser(examination: Examination) -> Finding:
    """See whether packets are JSON."""
    found = await replies(examination)
    if _answered(found):
        return ok("packets are JSON")
    if await speaks_msgpack(examination):
        return fail("packets are msgpack (socket.io-msgpack-parser), not JSON", *fixes.msgpack())
    closed = next((reply for reply in found.values() if reply.outcome is Outcome.CLOSED), None)
    if closed:
        why = str(closed.data)[:120]
        if why.startswith("HTTP"):
            return fail(f"a session over polling is refused: {why}", *fixes.sticky())
        return fail(f"a CONNECT ends the session ({why}): another parser on the server?", *fixes.parser())
    return ok("unknown: no CONNECT is answered")


async def namespace(examination: Examination) -> Finding:
    """See whether the namespaces are there."""
    found = await replies(examination)
    missing = [name for name, reply in found.items() if is_missing(reply)]
    if missing:
        return await _missing(examination, missing[0], found[missing[0]])
    silent = [
        name for name, reply in found.items() if reply.outcome not in (Outcome.CONNECTED, Outcome.REFUSED)
    ]
    if silent:
        return ok(f"{', '.join(silent)}: not answered, so not refused")
    return ok(f"{', '.join(found)} is there" if len(found) == 1 else f"{', '.join(found)} are there")


def message_of(data: Json) -> str:
    """Give the text of a refusal: a string in Socket.IO 2, an object since 3."""
    text = data.get("message") if isinstance(data, dict) else data
    return text if isinstance(text, str) else ""


def is_missing(reply: Reply) -> bool:
    """Say whether a namespace was refused because it is not there."""
    return reply.outcome is Outcome.REFUSED and _INVALID in message_of(reply.data).lower()


def is_refused(reply: Reply) -> bool:
    """Say whether a client was refused for what it is."""
    return reply.outcome is Outcome.REFUSED and not is_missing(reply)


async def _missing(examination: Examination, name: str, reply: Reply) -> Finding:
    said = f"{name} is refused: {shown(message_of(reply.data))}"
    candidate = name if name.rstrip("/").endswith("/socket.io") else f"{name.rstrip('/')}/socket.io"
    candidate = f"{candidate.rstrip('/')}/"
    if candidate == examination.exchange.path or (await shake(examination, candidate, 2.0)).is_engine:
        found = f"{said}; it is an HTTP path, not a namespace"
        return fail(found, *fixes.is_path(examination, candidate))
    other = name.rstrip("/") if name.endswith("/") else f"{name}/"
    retried = await connect(examination, other or "/", auth=examination.target.auth)
    if retried[other or "/"].outcome is Outcome.CONNECTED:
        return fail(f"{said}, but {other} is there", *fixes.other_namespace(other))
    there = (await root(examination)).outcome is Outcome.CONNECTED and name != "/"
    return fail(f"{said}{'; / is there' if there else ''}", *fixes.namespace(name))


async def auth(examination: Examination) -> Finding:
    """See whether this client is let in."""
    found = await replies(examination)
    refused = {name: reply for name, reply in found.items() if is_refused(reply)}
    given = "with --auth" if examination.target.auth else "without credentials"
    if not refused:
        connected = any(reply.outcome is Outcome.CONNECTED for reply in found.values())
        return ok(f"let in {given}" if connected else "not refused")
    name, reply = next(iter(refused.items()))
    remedy = fixes.query_credentials() if await generation(examination) == 3 else fixes.credentials()
    return fail(f"{name} refuses this client, {given}: {refusal_text(reply.data)}", *remedy)


def refusal_text(data: Json) -> str:
    """Write a refusal with what came with it."""
    if isinstance(data, dict) and isinstance(data.get("message"), str):
        more = data.get("data")
        return shown(data["message"]) + (f", data {shown(more)}" if more is not None else "")
    return shown(data) if data is not None else "disconnected at once"


async def middleware(examination: Examination) -> Finding:
    """See whether each CONNECT is answered, and how fast."""
    found = await replies(examination)
    silent = [name for name, reply in found.items() if reply.outcome is Outcome.SILENT]
    if silent:
        return fail(
            f"{silent[0]}: no answer to CONNECT within {_PATIENCE:g} s: a middleware that never calls next(),"
            " or a connect handler that never returns",
            *fixes.middleware(),
        )
    slowest = max((reply.ms for reply in found.values()), default=0.0)
    if slowest > _SLOW:
        return warn(f"CONNECT is answered after {slowest:.0f} ms", *fixes.middleware())
    return ok(f"CONNECT is answered after {slowest:.0f} ms")


async def recovery(examination: Examination) -> Finding:
    """See whether the server recovers the state of a lost connection."""
    found = await replies(examination)
    if await generation(examination) == 3:
        return ok("off: Socket.IO 2 has none")
    connected = [reply for reply in found.values() if reply.outcome is Outcome.CONNECTED]
    if not connected:
        return skip("no namespace let us in")
    if all(isinstance(reply.data, dict) and "pid" in reply.data for reply in connected):
        return ok("on: what a client misses while its connection is lost comes after it")
    return ok("off: what is emitted while a connection is lost, its client misses")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What came of an event that was sent as soon as the namespace let us in, and once more later."""

    size: int
    limit: int | None
    at_once: float | None = None
    """Milliseconds; None where nothing came."""
    later: float | None = None
    data: Json = None
    why: str = ""


@once
async def acknowledged(examination: Examination) -> Acknowledged:
    """Send the event that was asked for. Raises: as `talk_to`."""
    name = examination.target.namespaces[0]
    packet = Packet(PacketType.EVENT, name, 1, [examination.wishes.event, *examination.wishes.args])
    size = (
        sum(len(part if isinstance(part, bytes) else part.encode()) for part in socketio.encode(packet)) + 1
    )
    talk = await talk_to(examination)
    try:
        limit = talk.handshake.max_payload
        if limit is not None and size > limit:
            return Acknowledged(size, limit)
        await talk.ask((name,), examination.target.auth, _PATIENCE)
        first, data, why = await _send(talk, packet, _LATER)
        if first is not None or why:
            return Acknowledged(size, limit, first, None, data, why)
        second, data, why = await _send(talk, packet._replace(id=2), 3.0)
        return Acknowledged(size, limit, None, second, data, why)
    finally:
        await talk.close()


async def _send(talk: Talk, packet: Packet, timeout: float) -> tuple[float | None, Json, str]:
    start = time.monotonic()
    try:
        data = await talk.acknowledged(packet, timeout)
    except TimeoutError:
        return None, None, ""
    except LOST as error:
        return None, None, str(error)
    return (time.monotonic() - start) * 1000, data, ""


_NO_EVENT = "give an --event to have acknowledged"


async def ack(examination: Examination) -> Finding:
    """See whether the event is acknowledged."""
    event = examination.wishes.event
    if event is None:
        return skip(_NO_EVENT)
    found = await acknowledged(examination)
    if found.limit is not None and found.size > found.limit:
        what = f"{shown(event, 40)} has {found.size} bytes, and the server takes {found.limit} (maxPayload)"
        return fail(what, *fixes.payload(found.size))
    if found.why:
        return fail(f"after {shown(event, 40)} the session ends: {found.why}", *fixes.acknowledge(event))
    ms = found.at_once if found.at_once is not None else found.later
    if ms is None:
        return fail(
            f"{shown(event, 40)} is not acknowledged: no handler, or it does not call back",
            *fixes.acknowledge(event),
        )
    first = found.data[0] if found.data else None
    if isinstance(first, dict) and "error" in first:
        return warn(f"{shown(event, 40)} is acknowledged with an error: {shown(first)}")
    return ok(f"{shown(event, 40)} is acknowledged after {ms:.0f} ms")


async def handlers(examination: Examination) -> Finding:
    """See whether the handlers are there as soon as the client is."""
    event = examination.wishes.event
    if event is None:
        return skip(_NO_EVENT)
    found = await acknowledged(examination)
    if found.at_once is None and found.later is not None:
        what = f"{shown(event, 40)} is lost when it is sent at once, and answered {_LATER:g} s later"
        return fail(f"{what}: the handler is registered late", *fixes.late_handlers(event))
    if found.at_once is None:
        return skip("needs an acknowledgement")
    return ok("there as soon as the client is")


async def admin(examination: Examination) -> Finding:
    """See whether the server is instrumented, and for whom."""
    if await generation(examination) == 3:
        return ok("Socket.IO 2 has no admin namespace")
    talk = await talk_to(examination)
    try:
        reply = (await talk.ask((_ADMIN,), None, _PATIENCE))[_ADMIN]
        if reply.outcome is Outcome.REFUSED and message_of(reply.data).lower() in _ADMIN_REFUSALS:
            return ok(f"{_ADMIN} is there, with a password: nsroom rooms, sockets and tail can use it")
        if reply.outcome is not Outcome.CONNECTED or not await _configures(talk, reply):
            return ok("not instrumented, or not at /admin")
    finally:
        await talk.close()
    if await _is_local(examination):
        return ok(f"{_ADMIN} is there, without a password")
    return warn(f"{_ADMIN} lets in everybody who can reach the server", *fixes.admin())


async def _configures(talk: Talk, reply: Reply) -> bool:
    """Say whether the namespace sends what an admin namespace does, before the answer or right after."""
    if "config" in reply.events:
        return True
    try:
        async with asyncio.timeout(1.0):
            while not isinstance(frame := await talk.packet(), str) or '"config"' not in frame[:200]:
                continue
    except (TimeoutError, *LOST):
        return False
    return True


async def _is_local(examination: Examination) -> bool:
    if examination.exchange.proxy:
        return False
    found = await addresses(examination)
    return all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
