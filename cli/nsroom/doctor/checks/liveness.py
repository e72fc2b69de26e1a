"""Liveness checks: heartbeats, idle connections, and the largest payload."""

import asyncio
import time

from nsroom.doctor.checks.namespaces import CONNECT_TIMEOUT, open_session
from nsroom.doctor.checks.transports import offered_transports, open_polling_session
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, fail, ok, skip, warn
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.fixes.application import disconnect
from nsroom.doctor.probes.http import NoResponse
from nsroom.doctor.probes.session import CONNECT_UNKNOWN, PollingSession, ProbeSession, frames_of
from nsroom.doctor.probes.wires import SessionEnded, encode_body
from nsroom.errors import DecodeError
from nsroom.output.units import duration

_HEARTBEAT_TIMEOUT = 6.0
"""Seconds to wait for a heartbeat."""
_GRACE = 2.0
"""Seconds by which a heartbeat may be late."""
_PROXY_IDLE_MS = 55_000
"""Milliseconds: most proxies close connections that are idle for 60 s."""
_MAX_BODY = 1_000_000
"""Bytes of the body to try: the default limit of servers."""
_STAY = 1.0
"""Seconds in which a server that does not want a client has usually disconnected it."""
_SMALL_BODY = 100
"""Bytes of a body that gets through wherever any does; larger than the packet after the padding."""
_ANSWER_TIMEOUT = 2.0
"""Seconds to wait for the answer to the packet after the padding."""


async def check_heartbeat(examination: Examination) -> Finding:
    """Check the heartbeat interval, and whether heartbeats arrive."""
    session = await open_session(examination)
    try:
        interval, timeout = session.handshake.ping_interval, session.handshake.ping_timeout
        settings = f"every {interval / 1000:g} s, timeout {timeout / 1000:g} s"
        if session.dialect.is_old:
            return await _expect_pong(session, settings)
        if interval > _PROXY_IDLE_MS:
            found = f"{settings}: most proxies close connections that are idle for 60 s"
            return warn(found, *fixes.heartbeat())
        if interval > _HEARTBEAT_TIMEOUT * 1000:
            return ok(f"{settings} (use --soak {interval / 1000 + 5:.0f} to wait for one)")
        return await _expect_ping(session, settings)
    finally:
        await session.close()


async def _expect_ping(session: ProbeSession, settings: str) -> Finding:
    seconds = session.handshake.ping_interval / 1000 + _GRACE
    start = time.monotonic()
    await _receive_ping(session, seconds)
    if not session.pings:
        return fail(f"{settings}, but none arrived within {seconds:g} s", *fixes.heartbeat())
    return ok(f"{settings}; one arrived after {duration((session.pings[0] - start) * 1000)}")


async def _expect_pong(session: ProbeSession, settings: str) -> Finding:
    """Send a heartbeat: in protocol 3 the client pings."""
    await session.wire.send("2")
    await _receive_ping(session, _HEARTBEAT_TIMEOUT)
    if not session.pings:
        return fail(f"{settings}, but ours was not answered", *fixes.heartbeat())
    return ok(f"{settings}; ours was answered")


async def _receive_ping(session: ProbeSession, seconds: float) -> None:
    """Receive a heartbeat within `seconds`, if one arrives. Raises: SessionEnded, NoResponse, DecodeError."""
    try:
        async with asyncio.timeout(seconds):
            while not session.pings:
                await session.receive_frame()
    except TimeoutError:
        return


async def check_disconnect(examination: Examination) -> Finding:
    """Check whether the server lets this client stay after it has accepted it."""
    target = examination.target
    session = await open_session(examination)
    try:
        await session.connect_namespaces(target.namespaces, target.auth, examination.timeout(CONNECT_TIMEOUT))
        start = time.monotonic()
        await session.hold(_STAY)
    except DecodeError as error:
        return fail(f"a packet that clients cannot read, right after CONNECT: {error}", *disconnect())
    except (SessionEnded, NoResponse) as error:
        later = duration((time.monotonic() - start) * 1000)
        return fail(f"this client is accepted, and {later} later: {error}", *disconnect())
    finally:
        await session.close()
    return ok(f"none within {_STAY:g} s after CONNECT")


async def check_soak(examination: Examination) -> Finding:
    """Keep a connection open that carries heartbeats only."""
    seconds = examination.extras.soak
    if not seconds:
        return skip("use --soak SECONDS to test an idle connection")
    session = await open_session(examination)
    start = time.monotonic()
    pinging = asyncio.create_task(_ping(session)) if session.dialect.is_old else None
    try:
        target = examination.target
        await session.connect_namespaces(target.namespaces, target.auth, min(4.0, seconds))
        await session.hold(seconds - (time.monotonic() - start))
    except (SessionEnded, NoResponse, DecodeError) as error:
        held = time.monotonic() - start
        return fail(
            f"closed after {duration(held * 1000)}, {len(session.pings)} heartbeats: {error}",
            *fixes.idle(held),
        )
    finally:
        if pinging:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)
        await session.close()
    expected = int((seconds - _GRACE) * 1000 / max(session.handshake.ping_interval, 1))
    if not session.pings and expected >= 1:
        return fail(f"open for {seconds:g} s, but no heartbeat arrived", *fixes.heartbeat())
    return ok(f"open for {seconds:g} s, {len(session.pings)} heartbeats, over {session.wire.name}")


async def _ping(session: ProbeSession) -> None:
    while True:
        await asyncio.sleep(session.handshake.ping_interval / 1000)
        await session.wire.send("2")


async def check_payload(examination: Examination) -> Finding:
    """Check the server's payload limit, and whether a body of that size reaches it."""
    if not ((await offered_transports(examination)).polling and examination.uses_polling):
        session = await open_session(examination)
        await session.close()
        return ok(_limit(session.handshake.max_payload))
    polled = await open_polling_session(examination)
    limit = polled.handshake.max_payload
    if limit is None or limit < _SMALL_BODY:
        await polled.wire(examination.http).close()
        return ok(_limit(limit))
    return await _check_body(examination, polled, limit)


async def _check_body(examination: Examination, polled: PollingSession, limit: int) -> Finding:
    """Send a body as large as the server accepts, or as a check may send, and wait for an answer to it."""
    size = min(limit, _MAX_BODY)
    try:
        if await _answers_after(examination, polled, size):
            return ok(f"{_limit(limit)}; a body of {size} bytes gets through")
        small = await open_polling_session(examination)
        is_lost = await _answers_after(examination, small, _SMALL_BODY)
    except NoResponse as error:
        if error.timed_out:
            return skip(f"{_limit(limit)}; a body of {size} bytes could not be verified: {error}")
        return _body_refused(limit, size, str(error))
    except SessionEnded as error:
        return _body_refused(limit, size, str(error))
    if is_lost:
        found = f"{_limit(limit)}, but a body of {size} bytes is accepted and then lost: large messages, too"
        return warn(found, *fixes.lost_body())
    found = "is accepted; whether all of it arrives could not be verified: no answer to a CONNECT"
    return skip(f"{_limit(limit)}; a body of {size} bytes {found}")


async def _answers_after(examination: Examination, polled: PollingSession, size: int) -> bool:
    """Return whether a CONNECT is answered at the end of a body of `size` bytes.

    Raises: SessionEnded, NoResponse, when the body is refused.
    """
    wire = polled.wire(examination.http)
    session = ProbeSession(wire, polled.dialect, polled.handshake)
    request = frames_of(CONNECT_UNKNOWN, polled.dialect)
    # A pong: servers ignore its data.
    padding = "3".ljust(size - len(encode_body(["", *request], polled.dialect)), "x")
    try:
        await wire.post(padding, *request, timeout=5.0)
        return await session.is_unknown_answered(examination.timeout(_ANSWER_TIMEOUT))
    finally:
        await wire.close()


def _limit(limit: int | None) -> str:
    return "the server does not report its limit" if limit is None else f"maxPayload is {limit} bytes"


def _body_refused(limit: int, size: int, reason: str) -> Finding:
    found = f"maxPayload is {limit}, but a body of {size} bytes is refused ({reason[:100]}): by a proxy?"
    return fail(found, *fixes.body_size(limit))
