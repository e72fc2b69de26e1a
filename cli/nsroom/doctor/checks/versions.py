"""Version checks: which Engine.IO protocol the server speaks, and which clients it accepts."""

import re

from nsroom.client.target import Parser
from nsroom.doctor.checks.handshake import (
    connects_over_websocket,
    polling_handshake,
)
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip
from nsroom.doctor.fixes import network as fixes
from nsroom.doctor.probes.handshake import PollingHandshake, close_session
from nsroom.doctor.probes.http import NoResponse
from nsroom.doctor.probes.session import Outcome, ProbeSession, parse_open
from nsroom.doctor.probes.wires import polling_query, split_body
from nsroom.errors import DecodeError
from nsroom.protocol.dialect import DEFAULT, Dialect

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}[\w.-]{0,20})"')


_PYTHON = re.compile(r"(?i)nsroom|python|aiohttp|uvicorn|gunicorn|hypercorn|daphne|werkzeug|gevent")


@once
async def detect_revision(examination: Examination) -> int | None:
    """Return the Engine.IO protocol of the server, 3 or 4, or None if neither works."""
    found = (await polling_handshake(examination)).revision
    if found is not None or not await connects_over_websocket(examination):
        return found
    session = await ProbeSession.over_websocket(examination.http, DEFAULT)
    try:
        # Only Socket.IO 2 connects / without being asked; in protocol 3 nothing is sent for it.
        session.dialect = Dialect(3, examination.target.parser is Parser.MSGPACK)
        reply = (await session.connect_namespaces(("/",), None, 1.0))["/"]
    finally:
        await session.close()
    return 3 if reply.outcome is Outcome.CONNECTED else 4


@once
async def detect_dialect(examination: Examination) -> Dialect:
    """Return the dialect to speak: the server's protocol, with the parser of the target."""
    target = examination.target
    query = "&".join(f"{key}={value}" for key, value in target.query)
    return Dialect(await detect_revision(examination) or 4, target.parser is Parser.MSGPACK, query)


@once
async def served_client_version(examination: Examination) -> str | None:
    """Return the version of the JavaScript client that a Node server serves, or None."""
    try:
        response = await examination.http.request("HEAD", {}, path=f"{examination.http.path}socket.io.js")
    except NoResponse:
        return None
    found = _ETAG.fullmatch(response.headers.get("ETag", ""))
    return found[1] if found and response.status == 200 else None


async def check_version(examination: Examination) -> Finding:
    """Check the protocol; on Node also find the version."""
    revision = await detect_revision(examination)
    if revision is None:
        return fail("not a handshake of Engine.IO 3 or 4", *fixes.attach())
    if malformed := _malformed(await polling_handshake(examination)):
        return fail(f"the handshake is malformed: {malformed}", *fixes.attach())
    client = await served_client_version(examination)
    served = f"; it serves client {client} (Node)" if client else ""
    if revision == 3:
        return ok(f"Engine.IO 3: Socket.IO 1 or 2, for clients of the same versions{served}")
    return ok(f"Engine.IO 4: Socket.IO 3 or 4{served}")


def _malformed(handshake: PollingHandshake) -> str | None:
    """Return what is wrong with a polling handshake that started well, or None."""
    if handshake.revision is None or handshake.response is None:
        return None
    try:
        parse_open((split_body(handshake.response.body, Dialect(handshake.revision)) or [""])[0])
    except DecodeError as error:
        return str(error)
    return None


async def check_allow_eio3(examination: Examination) -> Finding:
    """Check whether a newer server accepts Socket.IO 2 clients."""
    if await detect_revision(examination) == 3:
        return skip("the server speaks Engine.IO 3")
    try:
        response = await examination.http.request("GET", polling_query(Dialect(3)))
    except NoResponse as error:
        return skip(str(error))
    handshake = PollingHandshake(response)
    if handshake.revision == 3:
        await close_session(examination.http, 3, response)
        return ok("on: Socket.IO 2 clients are accepted, too")
    if handshake.is_transport_unknown:
        return skip("unknown: the server does not offer polling")
    # No server in Python has allowEIO3; python-engineio refuses with a text, without a code.
    is_python = handshake.refusal[0] is None or _PYTHON.search(response.headers.get("Server", ""))
    found = "off: Socket.IO 2 clients are refused"
    return ok(found if is_python else f"{found} (`allowEIO3: true` accepts them)")
