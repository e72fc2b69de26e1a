"""Whether an event of the user is acknowledged, and from when on."""

import time
from dataclasses import dataclass, replace

from nsroom.doctor.checks.namespaces import PATIENCE, talk_to
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.fixes.transport import payload
from nsroom.doctor.probes.session import LOST, Talk
from nsroom.protocol import socketio
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json

_LATER = 1.5
"""Seconds after which handlers are there that were not at first."""


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
        await talk.ask((name,), examination.target.auth, examination.patience(PATIENCE))
        return await _send(talk, packet, Acknowledged(size, limit), examination.patience(3.0))
    finally:
        await talk.close()


async def _send(talk: Talk, packet: Packet, found: Acknowledged, patience: float) -> Acknowledged:
    start = time.monotonic()
    again: float | None = None
    try:
        await talk.say(packet)
        try:
            _, data = await talk.acknowledgement((1,), _LATER)
        except TimeoutError:
            again = time.monotonic()
            await talk.say(packet._replace(id=2))
            # The first may only have been slow.
            number, data = await talk.acknowledgement((1, 2), patience)
            again = again if number == 2 else None
    except TimeoutError:
        return found
    except LOST as error:
        return replace(found, why=str(error))
    now = time.monotonic()
    if again is None:
        return replace(found, at_once=(now - start) * 1000, data=data)
    return replace(found, later=(now - again) * 1000, data=data)


_NO_EVENT = "give an --event to have acknowledged"


async def check_ack(examination: Examination) -> Finding:
    """See whether the event is acknowledged."""
    event = examination.wishes.event
    if event is None:
        return skip(_NO_EVENT)
    found = await acknowledged(examination)
    if found.limit is not None and found.size > found.limit:
        what = f"{shown(event, 40)} has {found.size} bytes, and the server takes {found.limit} (maxPayload)"
        return fail(what, *payload(found.size))
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


async def check_handlers(examination: Examination) -> Finding:
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
