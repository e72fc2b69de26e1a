"""Liveness checks: heartbeats, idle connections, and the largest payload."""

import asyncio
import time

from nsroom.doctor.checks.namespaces import open_session
from nsroom.doctor.checks.transports import offered_transports, open_polling_session
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, fail, ok, skip, warn
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes.http import NoResponse
from nsroom.doctor.probes.session import ProbeSession
from nsroom.doctor.probes.wires import PollingWire, SessionEnded, encode_body
from nsroom.errors import DecodeError

_HEARTBEAT_TIMEOUT = 6.0
"""Seconds to wait for a heartbeat."""
_GRACE = 2.0
"""Seconds by which a heartbeat may be late."""
_PROXY_IDLE_MS = 55_000
"""Milliseconds: most proxies close connections that are idle for 60 s."""
_MAX_BODY = 1_000_000
"""Bytes of the body to try: the default limit of servers."""


async def check_heartbeat(examination: Examination) -> Finding:
    """Check the heartbeat interval, and whether heartbeats arrive."""
    session = await open_session(examination)
    try:
        interval, timeout = session.handshake.ping_interval, session.handshake.ping_timeout
        settings = f"every {interval / 1000:g} s, timeout {timeout / 1000:g} s"
        if session.revision == 3:
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
    await _receive(session, seconds, until_ping=True)
    if not session.pings:
        return fail(f"{settings}, but none arrived within {seconds:g} s", *fixes.heartbeat())
    return ok(f"{settings}; one arrived after {session.pings[0] - start:.1f} s")


async def _expect_pong(session: ProbeSession, settings: str) -> Finding:
    """Send a heartbeat: in protocol 3 the client pings."""
    await session.wire.send("2")
    await _receive(session, _HEARTBEAT_TIMEOUT, until_ping=True)
    if not session.pings:
        return fail(f"{settings}, but ours was not answered", *fixes.heartbeat())
    return ok(f"{settings}; ours was answered")


async def _receive(session: ProbeSession, seconds: float, until_ping: bool = False) -> None:
    """Receive packets for `seconds`, or until a heartbeat. Raises: SessionEnded, NoResponse, DecodeError."""
    try:
        async with asyncio.timeout(seconds):
            while await session.receive_frame() is not None or not (until_ping and session.pings):
                continue
    except TimeoutError:
        return


async def check_soak(examination: Examination) -> Finding:
    """Keep a connection open that carries heartbeats only."""
    seconds = examination.extras.soak
    if not seconds:
        return skip("use --soak SECONDS to test an idle connection")
    session = await open_session(examination)
    start = time.monotonic()
    pinging = asyncio.create_task(_ping(session)) if session.revision == 3 else None
    try:
        target = examination.target
        await session.connect_namespaces(target.namespaces, target.auth, min(4.0, seconds))
        await _receive(session, seconds - (time.monotonic() - start))
    except (SessionEnded, NoResponse, DecodeError) as error:
        held = time.monotonic() - start
        return fail(f"closed after {held:.1f} s, {len(session.pings)} heartbeats: {error}", *fixes.idle(held))
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
    wire = polled.wire(examination.http)
    try:
        return ok(_limit(None)) if limit is None else await _post_body(wire, polled.revision, limit)
    finally:
        await wire.close()


async def _post_body(wire: PollingWire, revision: int, limit: int) -> Finding:
    """Send a body as large as the server accepts, or as a check may send."""
    size = min(limit, _MAX_BODY)
    try:
        # A pong: servers ignore its data.
        await wire.post(encode_body("3" + "x" * (size - 1), revision), 5.0)
    except NoResponse as error:
        if error.timed_out:
            return ok(f"{_limit(limit)}; a body of that size: {error}")
        return _body_refused(limit, size, str(error))
    except SessionEnded as error:
        return _body_refused(limit, size, str(error))
    return ok(f"{_limit(limit)}; a body of {size} bytes gets through")


def _limit(limit: int | None) -> str:
    return "the server does not report its limit" if limit is None else f"maxPayload is {limit} bytes"


def _body_refused(limit: int, size: int, reason: str) -> Finding:
    found = f"maxPayload is {limit}, but a body of {size} bytes is refused ({reason[:100]}): by a proxy?"
    return fail(found, *fixes.body_size(limit))
