"""Which generation of Socket.IO a server speaks."""

import re

from nsroom.doctor.checks.handshake import TRANSPORT_UNKNOWN, Hand, hand, leave, websocket_talk
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip
from nsroom.doctor.fixes import network as fixes
from nsroom.doctor.probes.http import Unanswered
from nsroom.doctor.probes.session import Outcome, Talk, opened
from nsroom.doctor.probes.wires import split
from nsroom.errors import DecodeError
from nsroom.protocol.engineio import Handshake

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}[\w.-]{0,20})"')


@once
async def generation(examination: Examination) -> int | None:
    """Give the Engine.IO protocol that the server speaks."""
    found = (await hand(examination)).generation
    if found is not None or not isinstance(await websocket_talk(examination), Handshake):
        return found
    talk = await Talk.over_websocket(examination.exchange, 4)
    try:
        # Only Socket.IO 2 takes a client into / unasked.
        talk.generation = 3
        reply = (await talk.ask(("/",), None, 1.0))["/"]
    finally:
        await talk.close()
    return 3 if reply.outcome is Outcome.CONNECTED else 4


@once
async def client_version(examination: Examination) -> str | None:
    """Give the version of the JavaScript client that a server on Node serves beside itself."""
    try:
        answer = await examination.exchange.request(
            "HEAD", {}, path=f"{examination.exchange.path}socket.io.js"
        )
    except Unanswered:
        return None
    found = _ETAG.fullmatch(answer.headers.get("ETag", ""))
    return found[1] if found and answer.status == 200 else None


async def check_version(examination: Examination) -> Finding:
    """Name the generation, and on Node the version."""
    found = await generation(examination)
    if found is None:
        return fail("no handshake that Engine.IO 3 or 4 has", *fixes.attach())
    if malformed := _malformed(await hand(examination)):
        return fail(f"the handshake is malformed: {malformed}", *fixes.attach())
    client = await client_version(examination)
    kept = f"; it serves the client of {client} (Node)" if client else ""
    if found == 3:
        return ok(f"Engine.IO 3: Socket.IO 1 or 2, for clients of the same{kept}")
    return ok(f"Engine.IO 4: Socket.IO 3 or 4{kept}")


def _malformed(found: Hand) -> str | None:
    """Say what is wrong with a polling handshake that began well."""
    if found.generation is None or found.answer is None:
        return None
    try:
        opened((split(found.answer.body, found.generation) or [""])[0])
    except DecodeError as error:
        return str(error)
    return None


async def check_allow_eio3(examination: Examination) -> Finding:
    """See whether clients of Socket.IO 2 are let in by a newer server."""
    if await generation(examination) == 3:
        return skip("Engine.IO 3 is what it speaks")
    query = {"EIO": "3", "transport": "polling", "b64": "1"}
    try:
        answer = await examination.exchange.request("GET", query)
    except Unanswered as error:
        return skip(str(error))
    found = Hand(answer)
    if found.generation == 3:
        await leave(examination, 3, answer)
        return ok("on: clients of Socket.IO 2 are let in, too")
    if found.refusal[0] == TRANSPORT_UNKNOWN or "transport" in (found.refusal[1] or "").lower():
        return skip("without polling there is no telling")
    return ok("off: clients of Socket.IO 2 are refused (`allowEIO3: true` lets them in)")
