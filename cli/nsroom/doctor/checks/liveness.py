"""Check that a connection stays alive: heartbeats, idle time, and large bodies."""

import asyncio
import time

from nsroom.doctor.checks.namespaces import open_session
from nsroom.doctor.checks.transports import offered, open_polling
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, fail, ok, skip, warn
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes.http import NoAnswer
from nsroom.doctor.probes.session import ProbeSession
from nsroom.doctor.probes.wires import PollingWire, SessionClosed, encode_body
from nsroom.errors import DecodeError

_MAX_WAIT = 6.0
"""Seconds to wait for a heartbeat."""
_GRACE = 2.0
"""Seconds by which a heartbeat may be late."""
_PROXY_IDLE = 55_000
"""Milliseconds, safely below the 60 s after which most proxies cut idle connections."""
_MAX_BODY = 1_000_000
"""Bytes of the largest body to send: the default limit of servers."""


async def check_heartbeat(examination: Examination) -> Finding:
    """Check that heartbeats arrive in time, and often enough for proxies."""
    session = await open_session(examination)
    try:
        interval, timeout = session.handshake.ping_interval, session.handshake.ping_timeout
        timing = f"every {interval / 1000:g} s, {timeout / 1000:g} s for the answer"
        if session.generation == 3:
            return await _send_ping(session, timing)
        if interval > _PROXY_IDLE:
            return warn(f"{timing}: most proxies cut idle connections after 60 s", *fixes.heartbeat())
        if interval > _MAX_WAIT * 1000:
            return ok(f"{timing} (to wait for one: --soak {interval / 1000 + 5:.0f})")
        return await _await_ping(session, timing)
    finally:
        await session.close()


async def _await_ping(session: ProbeSession, timing: str) -> Finding:
    seconds = session.handshake.ping_interval / 1000 + _GRACE
    start = time.monotonic()
    await _receive(session, seconds, until_ping=True)
    if not session.pings:
        return fail(f"{timing}, but none arrives within {seconds:g} s", *fixes.heartbeat())
    return ok(f"{timing}; one arrived after {session.pings[0] - start:.1f} s")


async def _send_ping(session: ProbeSession, timing: str) -> Finding:
    """Send a heartbeat, as clients do in protocol 3, and wait for the answer."""
    await session.wire.send("2")
    await _receive(session, _MAX_WAIT, until_ping=True)
    if not session.pings:
        return fail(f"{timing}, but the client's heartbeat is not answered", *fixes.heartbeat())
    return ok(f"{timing}; the client's heartbeat is answered")


async def _receive(session: ProbeSession, seconds: float, until_ping: bool = False) -> None:
    """Receive frames for `seconds`, or until a heartbeat. Raises: SessionClosed, NoAnswer, DecodeError."""
    try:
        async with asyncio.timeout(seconds):
            while await session.receive() is not None or not (until_ping and session.pings):
                continue
    except TimeoutError:
        return


async def check_soak(examination: Examination) -> Finding:
    """Check that an idle connection, with heartbeats only, stays open for --soak seconds."""
    seconds = examination.options.soak
    if not seconds:
        return skip("needs --soak SECONDS, to find out whether idle connections are cut")
    session = await open_session(examination)
    start = time.monotonic()
    beats = asyncio.create_task(_send_pings(session)) if session.generation == 3 else None
    try:
        await session.connect(examination.target.namespaces, examination.target.auth, min(4.0, seconds))
        await _receive(session, seconds - (time.monotonic() - start))
    except (SessionClosed, NoAnswer, DecodeError) as error:
        held = time.monotonic() - start
        return fail(f"cut after {held:.1f} s, {len(session.pings)} heartbeats: {error}", *fixes.idle(held))
    finally:
        if beats:
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)
        await session.close()
    expected = int((seconds - _GRACE) * 1000 / max(session.handshake.ping_interval, 1))
    if not session.pings and expected >= 1:
        return fail(f"held for {seconds:g} s, but without a heartbeat", *fixes.heartbeat())
    return ok(f"held for {seconds:g} s, {len(session.pings)} heartbeats, over {session.wire.name}")


async def _send_pings(session: ProbeSession) -> None:
    while True:
        await asyncio.sleep(session.handshake.ping_interval / 1000)
        await session.wire.send("2")


async def check_payload(examination: Examination) -> Finding:
    """Check that a body as large as maxPayload reaches the server."""
    if not ((await offered(examination))[0] and examination.uses_polling):
        session = await open_session(examination)
        await session.close()
        return ok(_limit(session.handshake.max_payload))
    wire, handshake = await open_polling(examination)
    try:
        if handshake.max_payload is None:
            return ok(_limit(None))
        return await _post(wire, handshake.max_payload)
    finally:
        await wire.close()


async def _post(wire: PollingWire, limit: int) -> Finding:
    size = min(limit, _MAX_BODY)
    try:
        # The answer to a heartbeat: servers ignore its data.
        await wire.post(encode_body("3" + "x" * (size - 1), wire.generation), 5.0)
    except NoAnswer as error:
        if error.silent:
            return ok(f"{_limit(limit)}; a body of that size: {error}")
        return refused_body(limit, size, str(error))
    except SessionClosed as error:
        return refused_body(limit, size, str(error))
    return ok(f"{_limit(limit)}; a body of {size} bytes is accepted")


def _limit(limit: int | None) -> str:
    return "the server does not announce a limit" if limit is None else f"maxPayload is {limit} bytes"


def refused_body(limit: int, size: int, why: str) -> Finding:
    """Return the finding for a body that is refused although maxPayload allows it."""
    text = f"maxPayload is {limit}, but a body of {size} bytes is refused ({why[:100]}): by a proxy?"
    return fail(text, *fixes.body_size(limit))
