"""Check which generation of Socket.IO the server speaks."""

import re

from nsroom.doctor.checks.handshake import (
    PollingHandshake,
    close_session,
    polling_handshake,
    websocket_handshake,
)
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip
from nsroom.doctor.fixes import network as fixes
from nsroom.doctor.probes.http import NoAnswer
from nsroom.doctor.probes.session import Outcome, ProbeSession, parse_open
from nsroom.doctor.probes.wires import split_body
from nsroom.errors import DecodeError
from nsroom.protocol.engineio import Handshake

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}[\w.-]{0,20})"')


@once
async def generation(examination: Examination) -> int | None:
    """Return the Engine.IO protocol that the server speaks, 3 or 4, or None if unknown."""
    found = (await polling_handshake(examination)).generation
    if found is not None or not isinstance(await websocket_handshake(examination), Handshake):
        return found
    session = await ProbeSession.over_websocket(examination.http, 4)
    try:
        # Only Socket.IO 2 connects a client to / without a CONNECT; in generation 3 none is sent for /.
        session.generation = 3
        reply = (await session.connect(("/",), None, 1.0))["/"]
    finally:
        await session.close()
    return 3 if reply.outcome is Outcome.CONNECTED else 4


@once
async def client_version(examination: Examination) -> str | None:
    """Return the version of the JavaScript client that a server on Node serves, or None."""
    try:
        answer = await examination.http.request("HEAD", {}, path=f"{examination.http.path}socket.io.js")
    except NoAnswer:
        return None
    return served_version(answer.status, answer.headers.get("ETag", ""))


def served_version(status: int, etag: str) -> str | None:
    """Return the version in the ETag of socket.io.js, or None."""
    found = _ETAG.fullmatch(etag)
    return found[1] if found and status == 200 else None


async def check_version(examination: Examination) -> Finding:
    """Check that the handshake is one of Engine.IO 3 or 4."""
    found = await generation(examination)
    if found is None:
        return fail("not a handshake of Engine.IO 3 or 4", *fixes.attach())
    if fault := malformed(await polling_handshake(examination)):
        return fail(f"the handshake is malformed: {fault}", *fixes.attach())
    client = await client_version(examination)
    served = f"; it serves the client {client} (Node)" if client else ""
    if found == 3:
        return ok(f"Engine.IO 3: Socket.IO 1 or 2, for clients of the same versions{served}")
    return ok(f"Engine.IO 4: Socket.IO 3 or 4{served}")


def malformed(found: PollingHandshake) -> str | None:
    """Return the fault of a polling handshake that starts correctly, or None."""
    if found.generation is None or found.answer is None:
        return None
    try:
        parse_open((split_body(found.answer.body, found.generation) or [""])[0])
    except DecodeError as error:
        return str(error)
    return None


async def check_allow_eio3(examination: Examination) -> Finding:
    """Check whether a server of Socket.IO 3 or 4 accepts clients of Socket.IO 2."""
    if await generation(examination) == 3:
        return skip("the server itself speaks Engine.IO 3")
    query = {"EIO": "3", "transport": "polling", "b64": "1"}
    try:
        answer = await examination.http.request("GET", query)
    except NoAnswer as error:
        return skip(str(error))
    found = PollingHandshake(answer)
    if found.generation == 3:
        await close_session(examination, 3, answer)
        return ok("on: clients of Socket.IO 2 are accepted, too")
    if found.refuses_transport:
        return skip("unknown: it takes polling to find out")
    return ok("off: clients of Socket.IO 2 are refused (`allowEIO3: true` accepts them)")
