"""Acknowledgement checks: is the user's event acknowledged, also when sent right after connecting?"""

import time
from dataclasses import dataclass, replace

from nsroom.doctor.checks.namespaces import CONNECT_TIMEOUT, open_session
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.fixes.transport import payload
from nsroom.doctor.probes.handshake import shake_hands
from nsroom.doctor.probes.session import SESSION_ERRORS, ProbeSession, frames_of
from nsroom.doctor.probes.wires import SessionEnded
from nsroom.output.units import duration
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json

_RETRY_AFTER = 1.5
"""Seconds after which late handlers should be registered."""
_NO_EVENT = "use --event to name an event the server acknowledges"


@dataclass(frozen=True, slots=True)
class AckResult:
    """The result of an event that was sent right after CONNECT, and once more if it was not acknowledged."""

    size: int
    limit: int | None
    first_ms: float | None = None
    """Milliseconds to the acknowledgement of the first; None without one."""
    retry_ms: float | None = None
    """Milliseconds to the acknowledgement of the second; None without one."""
    data: Json = None
    reason: str = ""
    """Why the session ended."""
    is_too_big: bool = False
    """Whether it ended because the event is larger than the server accepts."""


@once
async def emit_event(examination: Examination) -> AckResult:
    """Emit the user's event. Raises: as `open_session`."""
    name = examination.target.namespaces[0]
    packet = Packet(PacketType.EVENT, name, 1, [examination.extras.event, *examination.extras.args])
    session = await open_session(examination)
    try:
        parts = frames_of(packet, session.dialect)
        size = sum(len(part if isinstance(part, bytes) else part.encode()) for part in parts)
        limit = session.handshake.max_payload
        if limit is not None and size > limit:
            return AckResult(size, limit)
        timeout = examination.timeout(CONNECT_TIMEOUT)
        await session.connect_namespaces((name,), examination.target.auth, timeout)
        return await _emit_twice(session, packet, AckResult(size, limit), examination.timeout(3.0))
    finally:
        await session.close()


async def _emit_twice(session: ProbeSession, packet: Packet, result: AckResult, timeout: float) -> AckResult:
    start = time.monotonic()
    retry: float | None = None
    try:
        await session.send_packet(packet)
        try:
            _, data = await session.wait_for_ack((1,), _RETRY_AFTER)
        except TimeoutError:
            retry = time.monotonic()
            await session.send_packet(packet._replace(id=2))
            # The first may only be slow.
            number, data = await session.wait_for_ack((1, 2), timeout)
            retry = retry if number == 2 else None
    except TimeoutError:
        return result
    except SESSION_ERRORS as error:
        is_too_big = isinstance(error, SessionEnded) and error.is_too_big
        return replace(result, reason=str(error), is_too_big=is_too_big)
    now = time.monotonic()
    if retry is None:
        return replace(result, first_ms=(now - start) * 1000, data=data)
    return replace(result, retry_ms=(now - retry) * 1000, data=data)


async def check_ack(examination: Examination) -> Finding:
    """Check whether the event is acknowledged."""
    event = examination.extras.event
    if event is None:
        return skip(_NO_EVENT)
    result = await emit_event(examination)
    name = shown(event, 40)
    if result.limit is not None and result.size > result.limit:
        found = f"{name} has {result.size} bytes, but the server accepts {result.limit} (maxPayload)"
        return fail(found, *payload(result.size))
    if result.is_too_big:
        found = f"{name} has {result.size} bytes, too many for the server: {result.reason}"
        return fail(found, *payload(result.size))
    if result.reason:
        return await _ended(examination, name, result.reason)
    ms = result.first_ms if result.first_ms is not None else result.retry_ms
    if ms is None:
        found = f"{name} is not acknowledged: no handler, or it does not call its callback"
        return fail(found, *fixes.acknowledge(event))
    first = result.data[0] if result.data else None
    if isinstance(first, dict) and "error" in first:
        return warn(f"{name} is acknowledged with an error: {shown(first)}")
    return ok(f"{name} is acknowledged after {duration(ms)}")


async def _ended(examination: Examination, name: str, reason: str) -> Finding:
    """Return the finding for an event after which the session ended, or the server."""
    gone = await shake_hands(examination.http)
    if gone.response is None:
        found = f"{name} ends the session ({reason}), and the server no longer answers: {gone.error}"
        return fail(found, *fixes.crash())
    return fail(f"{name} ends the session: {reason}", *fixes.disconnect())


async def check_handlers(examination: Examination) -> Finding:
    """Check whether the handler is registered as soon as the client is connected."""
    event = examination.extras.event
    if event is None:
        return skip(_NO_EVENT)
    result = await emit_event(examination)
    if result.first_ms is not None:
        return ok("registered as soon as the client is connected")
    if result.retry_ms is None:
        return skip("needs an acknowledgement")
    found = (
        f"{shown(event, 40)} is lost when sent right after connecting, but answered {_RETRY_AFTER:g} s later"
    )
    return fail(f"{found}: the handler is registered late", *fixes.late_handlers(event))
