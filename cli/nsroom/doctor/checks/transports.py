"""Transport checks: polling, WebSocket, the upgrade, and the proxies and balancers in between."""

import asyncio
import time
from typing import NamedTuple

from nsroom.doctor.checks.handshake import connects_over_websocket, polling_handshake, websocket_handshake
from nsroom.doctor.checks.namespaces import answers_connect
from nsroom.doctor.checks.versions import detect_dialect
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip, warn
from nsroom.doctor.fixes import network as network_fixes
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes.http import NoResponse, UpgradeRefused
from nsroom.doctor.probes.session import (
    CONNECT_UNKNOWN,
    PollingSession,
    ProbeSession,
    frames_of,
    open_polling,
    parse_open,
)
from nsroom.doctor.probes.wires import PollingWire, SessionEnded, WebSocketWire, split_body
from nsroom.errors import DecodeError
from nsroom.output.units import duration
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.engineio import Handshake

_REQUESTS = 8
"""Requests in one session: with two servers in turn, the second one already fails."""
_MAX_DELAY = 3.0
"""Seconds by which the answer to a waiting poll may be later than any other response."""
_NO_POLLING = "not used: --transport websocket"
_NO_WEBSOCKET = "not used: --transport polling"


class Offered(NamedTuple):
    """The transports that a server offers."""

    polling: bool
    websocket: bool


async def open_polling_session(examination: Examination) -> PollingSession:
    """Open a session over polling. Raises: SessionEnded, NoResponse, DecodeError."""
    return await open_polling(examination.http, await detect_dialect(examination))


@once
async def offered_transports(examination: Examination) -> Offered:
    """Return the transports that the handshake announces or that work."""
    handshake = await polling_handshake(examination)
    direct = await connects_over_websocket(examination)
    if handshake.revision is None or handshake.response is None:
        return Offered(False, direct)
    try:
        upgrades = parse_open(split_body(handshake.response.body, Dialect(handshake.revision))[0]).upgrades
    except DecodeError:
        upgrades = ()
    return Offered(True, direct or "websocket" in upgrades)


async def check_transports(examination: Examination) -> Finding:
    """Check whether the server offers the transports that the clients use."""
    polling, websocket = await offered_transports(examination)
    if polling and websocket:
        return ok("polling and websocket")
    if polling:
        return _polling_only(examination)
    if websocket:
        return _websocket_only(examination)
    return fail("neither polling nor websocket works", *fixes.transports("websocket"))


def _polling_only(examination: Examination) -> Finding:
    remedy = fixes.transports("polling")
    if not examination.uses_websocket:
        return ok("polling only, as requested")
    if not examination.uses_polling:
        return fail("polling only, but --transport websocket was given", *remedy)
    return warn("polling only: each message is a request, and sessions must be sticky", *remedy)


def _websocket_only(examination: Examination) -> Finding:
    if not examination.uses_polling:
        return ok("websocket only, as requested")
    return warn(
        "websocket only: clients start with polling by default, and fail", *fixes.transports("websocket")
    )


async def check_sticky(examination: Examination) -> Finding:
    """Send requests of one session over new connections: all must reach the server that knows it."""
    if not examination.uses_polling:
        return skip(_NO_POLLING)
    if not (await offered_transports(examination)).polling:
        return skip("not needed without polling")
    polled = await open_polling_session(examination)
    accepted, reason = await _count_accepted(polled.wire(examination.http), polled.dialect)
    if accepted < _REQUESTS:
        return _requests_refused(examination, _REQUESTS - accepted, reason)
    if polled.cookies:
        return await _check_cookie(examination, polled)
    return ok(f"{_REQUESTS} requests of one session over new connections, all accepted")


def _requests_refused(examination: Examination, count: int, reason: str) -> Finding:
    found = f"{count} of {_REQUESTS} requests of one session were refused ({reason})"
    if "session" in reason.lower():
        return fail(f"{found}: not sticky", *fixes.sticky())
    return fail(f"{found}: does a proxy or firewall block POST?", fixes.nginx(examination.http.path))


async def _check_cookie(examination: Examination, polled: PollingSession) -> Finding:
    """Check whether a session works without the cookies of its handshake."""
    second = await open_polling_session(examination)
    accepted, _ = await _count_accepted(second.wire(examination.http, send_cookies=False), second.dialect)
    names = ", ".join(polled.cookies)[:100]
    if accepted == _REQUESTS:
        return ok(f"{_REQUESTS} requests of one session, all accepted, with and without its cookie {names}")
    return warn(f"only for clients that send the cookie {names} back", *fixes.sticky(names))


async def _count_accepted(wire: PollingWire, dialect: Dialect) -> tuple[int, str]:
    """Send heartbeats; return how many the server accepted, and the last refusal."""
    accepted, reason = 0, ""
    for _ in range(_REQUESTS):
        try:
            await wire.post("2" if dialect.is_old else "3", timeout=3.0)
            accepted += 1
        except SessionEnded as error:
            reason = str(error)[:120]
        except NoResponse as error:  # the next would not be answered either
            return accepted, str(error)
    await wire.close()
    return accepted, reason


async def check_polling(examination: Examination) -> Finding:
    """Check whether a waiting poll is answered as soon as the server has data."""
    if not examination.uses_polling:
        return skip(_NO_POLLING)
    if not (await offered_transports(examination)).polling:
        return skip("not offered")
    first, second = await open_polling_session(examination), await open_polling_session(examination)
    if first.handshake.sid == second.handshake.sid:
        found = "two handshakes returned the same session: a cache answers instead of the server"
        return fail(found, *fixes.buffering())
    await second.wire(examination.http).close()
    wire = first.wire(examination.http)
    try:
        return await _check_waiting_poll(wire, first.dialect, examination)
    finally:
        await wire.close()


async def _check_waiting_poll(wire: PollingWire, dialect: Dialect, examination: Examination) -> Finding:
    timeout = examination.timeout(_MAX_DELAY)
    if dialect.is_old:  # the server connects / unasked, with the handshake or right after it
        await asyncio.wait_for(wire.receive(), 5.0)
    poll = asyncio.create_task(wire.receive())
    try:
        # The poll should arrive first; the result is the same if it does not.
        await asyncio.sleep(0.1)
        start = time.monotonic()
        try:
            request = ["2"] if dialect.is_old else frames_of(CONNECT_UNKNOWN, dialect)
            await wire.post(*request, timeout=timeout)
        except NoResponse as error:
            found = "a request waits until the waiting poll is answered: one request at a time is handled"
            return fail(found if error.timed_out else str(error), *fixes.buffering())
        posted = time.monotonic()
        done, _ = await asyncio.wait([poll], timeout=timeout + (posted - start))
        if not done:
            return await _poll_delayed(examination, timeout)
        poll.result()
        late = duration((time.monotonic() - start) * 1000)
        return ok(f"a waiting poll was answered {late} after the request")
    finally:
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)


async def _poll_delayed(examination: Examination, seconds: float) -> Finding:
    if await connects_over_websocket(examination) and not await answers_connect(examination):
        return skip("the server answers no CONNECT that a poll could wait for")
    found = f"the answer to a waiting poll is delayed by more than {seconds:g} s"
    return fail(f"{found}: a proxy buffers it, or loses POST", *fixes.buffering())


async def check_upgrade(examination: Examination) -> Finding:
    """Upgrade from polling to WebSocket as clients do: 101, probe, switch."""
    if not (examination.uses_polling and examination.uses_websocket):
        return skip("not used: --transport names one transport")
    if not all(await offered_transports(examination)):
        return skip("not possible with one transport")
    polled = await open_polling_session(examination)
    query = {
        "EIO": str(polled.dialect.engine),
        "transport": "websocket",
        "sid": polled.handshake.sid,
    }
    try:
        ws = await examination.http.websocket(query, cookies=polled.cookies, timeout=4.0)
    except (UpgradeRefused, NoResponse) as error:
        await polled.wire(examination.http).close()
        return _no_websocket(examination, error)
    wire = WebSocketWire(ws, polled.dialect)
    try:
        return await _check_switch(examination, wire, polled)
    except SessionEnded as error:
        return fail(f"101, but then: {error}", *fixes.websocket(examination))
    finally:
        await wire.close()


async def _check_switch(examination: Examination, wire: WebSocketWire, polled: PollingSession) -> Finding:
    await wire.send("2probe")
    try:
        async with asyncio.timeout(3.0):
            answer = await wire.receive()
    except TimeoutError:
        found = "101, but the probe is not answered: a proxy blocks the frames"
        return fail(found, *fixes.websocket(examination))
    if answer != "3probe":
        return fail(f"101, but the probe is answered with {shown(answer, 60)}")
    await wire.send("5")
    session = ProbeSession(wire, polled.dialect, polled.handshake)
    answered = await _answers(session, examination.timeout(_MAX_DELAY))
    if not answered and await answers_connect(examination):
        return fail("101 and probe, but no packet arrives after the switch", *fixes.websocket(examination))
    return ok("101, probe and switch")


async def _answers(session: ProbeSession, seconds: float) -> bool:
    """Return whether the server answers a packet within `seconds`."""
    if not session.dialect.is_old:
        await session.send_packet(CONNECT_UNKNOWN)
        return await session.is_unknown_answered(seconds)
    await session.wire.send("2")
    try:
        async with asyncio.timeout(seconds):
            await session.wire.receive()
    except TimeoutError:
        return False
    return True


def _no_websocket(examination: Examination, error: UpgradeRefused | NoResponse) -> Finding:
    if isinstance(error, UpgradeRefused):
        found = f"HTTP {error.status} instead of 101: does a proxy drop the Upgrade header?"
        return fail(found, *fixes.websocket(examination))
    if error.proxy is not None:
        return fail(f"no WebSocket: {error}", *network_fixes.proxy(error.proxy))
    return fail(f"no WebSocket: {error}", *fixes.websocket(examination))


async def check_websocket(examination: Examination) -> Finding:
    """Open a session directly over WebSocket."""
    if not examination.uses_websocket:
        return skip(_NO_WEBSOCKET)
    if not (await offered_transports(examination)).websocket:
        return skip("not offered")
    result = await websocket_handshake(examination)
    if isinstance(result, Handshake):
        return ok("101 and handshake")
    if isinstance(result, UpgradeRefused | NoResponse):
        return _no_websocket(examination, result)
    return fail(f"101, but no handshake: {result}", *fixes.websocket(examination))
