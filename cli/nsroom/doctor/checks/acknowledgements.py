"""Check whether the server acknowledges the --event, and whether it does so right after connecting."""

import time
from dataclasses import dataclass, replace

from nsroom.doctor.checks.namespaces import CONNECT_TIMEOUT, open_session
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip, truncated, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.fixes.transport import payload
from nsroom.doctor.probes.session import CONNECTION_ERRORS, ProbeSession
from nsroom.protocol import socketio
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json

_RETRY_AFTER = 1.5
"""Seconds without an acknowledgement after which the event is sent again."""
_NO_EVENT = "needs an --event to emit"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The result of an event that is sent right after connecting, and again if it is not acknowledged."""

    size: int
    limit: int | None
    at_once: float | None = None
    """Milliseconds until the first event was acknowledged, or None."""
    later: float | None = None
    """Milliseconds until the second event was acknowledged, or None."""
    data: Json = None
    fault: str = ""
    """Why the session ended before an acknowledgement."""


@once
async def acknowledgement(examination: Examination) -> Acknowledgement:
    """Send the --event. Raises: as `open_session`."""
    name = examination.target.namespaces[0]
    packet = Packet(PacketType.EVENT, name, 1, [examination.options.event, *examination.options.args])
    size = size_of(packet)
    session = await open_session(examination)
    try:
        limit = session.handshake.max_payload
        if limit is not None and size > limit:
            return Acknowledgement(size, limit)
        await session.connect((name,), examination.target.auth, examination.timeout(CONNECT_TIMEOUT))
        return await _send(session, packet, Acknowledgement(size, limit), examination.timeout(3.0))
    finally:
        await session.close()


def size_of(packet: Packet) -> int:
    """Return the bytes of a packet and its attachments, with the Engine.IO type."""
    parts = socketio.encode(packet)
    return sum(len(part if isinstance(part, bytes) else part.encode()) for part in parts) + 1


async def _send(
    session: ProbeSession, packet: Packet, unanswered: Acknowledgement, timeout: float
) -> Acknowledgement:
    start = time.monotonic()
    again: float | None = None
    try:
        await session.send(packet)
        try:
            _, data = await session.wait_for_ack((1,), _RETRY_AFTER)
        except TimeoutError:
            again = time.monotonic()
            await session.send(packet._replace(id=2))
            # The first may just have been slow.
            number, data = await session.wait_for_ack((1, 2), timeout)
            again = again if number == 2 else None
    except TimeoutError:
        return unanswered
    except CONNECTION_ERRORS as error:
        return replace(unanswered, fault=str(error))
    now = time.monotonic()
    if again is None:
        return replace(unanswered, at_once=(now - start) * 1000, data=data)
    return replace(unanswered, later=(now - again) * 1000, data=data)


async def check_ack(examination: Examination) -> Finding:
    """Check that the event is acknowledged."""
    event = examination.options.event
    if event is None:
        return skip(_NO_EVENT)
    return judge_ack(event, await acknowledgement(examination))


def judge_ack(event: str, found: Acknowledgement) -> Finding:
    """Return the finding for the acknowledgement of an event."""
    name = truncated(event, 40)
    if found.limit is not None and found.size > found.limit:
        text = f"{name} has {found.size} bytes, but the server takes {found.limit} (maxPayload)"
        return fail(text, *payload(found.size))
    if found.fault:
        return fail(f"the session ends after {name}: {found.fault}", *fixes.acknowledge(event))
    ms = found.at_once if found.at_once is not None else found.later
    if ms is None:
        text = f"{name} is not acknowledged: no handler, or the handler does not call back"
        return fail(text, *fixes.acknowledge(event))
    first = found.data[0] if found.data else None
    if isinstance(first, dict) and "error" in first:
        return warn(f"{name} is acknowledged with an error: {truncated(first)}")
    return ok(f"{name} is acknowledged after {ms:.0f} ms")


async def check_handlers(examination: Examination) -> Finding:
    """Check that the event's handler is registered before the client is connected."""
    event = examination.options.event
    if event is None:
        return skip(_NO_EVENT)
    return judge_handlers(event, await acknowledgement(examination))


def judge_handlers(event: str, found: Acknowledgement) -> Finding:
    """Return the finding for the time at which the event's handler was registered."""
    if found.at_once is not None:
        return ok("registered before the client is connected")
    if found.later is None:
        return skip("needs an acknowledgement")
    text = (
        f"{truncated(event, 40)} is lost when sent right after connecting, "
        f"but acknowledged {_RETRY_AFTER:g} s later: the handler is registered late"
    )
    return fail(text, *fixes.late_handlers(event))
