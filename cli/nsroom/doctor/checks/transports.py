"""Check which transports the server offers, and whether proxies and load balancers let them work."""

import asyncio
import time

from nsroom.doctor.checks.handshake import polling_handshake, websocket_handshake
from nsroom.doctor.checks.namespaces import is_connect_answered
from nsroom.doctor.checks.versions import generation
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, skip, truncated, warn
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes import session as probe
from nsroom.doctor.probes.http import NoAnswer, UpgradeRefused
from nsroom.doctor.probes.session import Outcome, ProbeSession, parse_open
from nsroom.doctor.probes.wires import PollingWire, SessionClosed, WebSocketWire, encode_body, split_body
from nsroom.errors import DecodeError
from nsroom.protocol.engineio import Handshake

_REQUESTS = 8
"""Requests of one session; with two servers that take turns, half of them fail."""
_HELD = 3.0
"""Seconds that the answer to a waiting poll may take longer than any other answer."""
_NOWHERE = "/nsroom-doctor"
"""A namespace that does not exist, so that no handler of the application is called."""
_NO_POLLING = "not used with --transport websocket"
_NO_WEBSOCKET = "not used with --transport polling"


async def open_polling(examination: Examination) -> tuple[PollingWire, Handshake]:
    """Open a session over polling. Raises: SessionClosed, NoAnswer, DecodeError."""
    return await probe.open_polling(examination.http, await generation(examination) or 4)


@once
async def offered(examination: Examination) -> tuple[bool, bool]:
    """Return whether the server offers polling, and whether it offers or accepts WebSocket."""
    found = await polling_handshake(examination)
    direct = isinstance(await websocket_handshake(examination), Handshake)
    if found.generation is None or found.answer is None:
        return False, direct
    try:
        upgrades = parse_open(split_body(found.answer.body, found.generation)[0]).upgrades
    except DecodeError:
        upgrades = ()
    return True, direct or "websocket" in upgrades


async def check_transports(examination: Examination) -> Finding:
    """Check that the server offers the transports that clients use."""
    polling, websocket = await offered(examination)
    return judge_transports(
        polling, websocket, uses_polling=examination.uses_polling, uses_websocket=examination.uses_websocket
    )


def judge_transports(polling: bool, websocket: bool, *, uses_polling: bool, uses_websocket: bool) -> Finding:
    """Return the finding for the transports that a server offers, and that clients use."""
    if polling and websocket:
        return ok("polling and websocket")
    if polling:
        if not uses_websocket:
            return ok("polling only, as requested")
        if not uses_polling:
            return fail("polling only, but --transport websocket is given", *fixes.transports("polling"))
        text = "polling only: every message is an HTTP request, and sessions must be sticky"
        return warn(text, *fixes.transports("polling"))
    if websocket:
        if not uses_polling:
            return ok("websocket only, as requested")
        text = "websocket only: clients with default options start with polling, and fail"
        return warn(text, *fixes.transports("websocket"))
    return fail("neither polling nor websocket works", *fixes.transports("websocket"))


async def check_sticky(examination: Examination) -> Finding:
    """Check that requests of one session on separate connections all reach the server that knows it."""
    if not examination.uses_polling:
        return skip(_NO_POLLING)
    if not (await offered(examination))[0]:
        return skip("not needed: the server does not offer polling")
    wire, _ = await open_polling(examination)
    known, why = await _count_accepted(wire)
    if known < _REQUESTS:
        return refused_requests(_REQUESTS - known, why, examination.http.path)
    if wire.cookies:
        return await _without_cookies(examination, ", ".join(wire.cookies)[:100])
    return ok(f"{_REQUESTS} requests of one session on separate connections, all accepted")


def refused_requests(count: int, why: str, path: str) -> Finding:
    """Return the finding for refused requests of one session, with the reason of the last."""
    text = f"{count} of {_REQUESTS} requests of one session were refused ({why})"
    if "session" in why.lower():
        return fail(f"{text}: not sticky", *fixes.sticky())
    return fail(f"{text}: does a proxy block POST?", fixes.nginx(path))


async def _without_cookies(examination: Examination, names: str) -> Finding:
    wire, _ = await open_polling(examination)
    known, _ = await _count_accepted(wire.without_cookies())
    if known == _REQUESTS:
        return ok(f"{_REQUESTS} requests of one session, all accepted, with and without its cookie {names}")
    return warn(f"only for clients that send the cookie {names} back", *fixes.sticky(names))


async def _count_accepted(wire: PollingWire) -> tuple[int, str]:
    """Return how many heartbeats of a session were accepted, and the reason of the last refusal."""
    accepted, why = 0, ""
    for _ in range(_REQUESTS):
        try:
            await wire.post(encode_body("3" if wire.generation == 4 else "2", wire.generation), 3.0)
            accepted += 1
        except SessionClosed as error:
            why = str(error)[:120]
        except NoAnswer as error:  # the next request would wait as long
            return accepted, str(error)
    await wire.close()
    return accepted, why


async def check_polling(examination: Examination) -> Finding:
    """Check that a waiting poll is answered as soon as the server has something to send."""
    if not examination.uses_polling:
        return skip(_NO_POLLING)
    if not (await offered(examination))[0]:
        return skip("not offered")
    wire, first = await open_polling(examination)
    other, second = await open_polling(examination)
    if first.sid == second.sid:
        text = "two handshakes returned the same session: a cache answers instead of the server"
        return fail(text, *fixes.buffering())
    await other.close()
    try:
        return await _waiting_poll(wire, examination)
    finally:
        await wire.close()


async def _waiting_poll(wire: PollingWire, examination: Examination) -> Finding:
    timeout = examination.timeout(_HELD)
    if wire.generation == 3:  # / is connected without a CONNECT, with the handshake or right after it
        await asyncio.wait_for(wire.receive(), 5.0)
    poll = asyncio.create_task(wire.receive())
    try:
        # The poll should arrive first; on a server where it arrives second, it is answered anyway.
        await asyncio.sleep(0.1)
        sent = time.monotonic()
        try:
            frame = "2" if wire.generation == 3 else f"40{_NOWHERE},"
            await wire.post(encode_body(frame, wire.generation), timeout)
        except NoAnswer as error:
            text = "a request waits until the poll is answered: only one is handled at a time"
            return fail(text if error.silent else str(error), *fixes.buffering())
        posted = time.monotonic()
        done, _ = await asyncio.wait([poll], timeout=timeout + (posted - sent))
        if not done:
            return await _held(examination, timeout)
        poll.result()
        return ok(f"a waiting poll is answered {(time.monotonic() - sent) * 1000:.0f} ms after the request")
    finally:
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)


async def _held(examination: Examination, seconds: float) -> Finding:
    direct = isinstance(await websocket_handshake(examination), Handshake)
    if direct and not await is_connect_answered(examination):
        return skip("unknown: no CONNECT is answered, so a poll has nothing to wait for")
    text = f"the answer to a waiting poll is held up for more than {seconds:g} s: a proxy buffers it"
    return fail(text, *fixes.buffering())


async def check_upgrade(examination: Examination) -> Finding:
    """Check the upgrade from polling to WebSocket as clients do it: 101, probe, switch."""
    if not (examination.uses_polling and examination.uses_websocket):
        return skip("not needed: --transport names one")
    if not all(await offered(examination)):
        return skip("not needed: the server offers only one transport")
    polling, handshake = await open_polling(examination)
    query = {"EIO": str(polling.generation), "transport": "websocket", "sid": handshake.sid}
    try:
        ws = await examination.http.websocket(query, cookies=polling.cookies, timeout=4.0)
    except (UpgradeRefused, NoAnswer) as error:
        await polling.close()
        return not_upgraded(examination.http.path, error)
    session = ProbeSession(WebSocketWire(ws), polling.generation, handshake)
    try:
        return await _switch(examination, session)
    except SessionClosed as error:
        return fail(f"101, but then: {error}", *fixes.websocket(examination.http.path))
    finally:
        await session.close()


async def _switch(examination: Examination, session: ProbeSession) -> Finding:
    path = examination.http.path
    await session.wire.send("2probe")
    try:
        async with asyncio.timeout(3.0):
            answer = await session.wire.receive()
    except TimeoutError:
        text = "101, but the probe is not answered: does a proxy hold back WebSocket messages?"
        return fail(text, *fixes.websocket(path))
    if answer != "3probe":
        return fail(f"101, but the probe is answered with {truncated(answer, 60)}")
    await session.wire.send("5")
    if not await _is_answered(session, examination.timeout(_HELD)) and await is_connect_answered(examination):
        return fail("101 and probe, but no answer after the switch", *fixes.websocket(path))
    return ok("101, probe and switch")


async def _is_answered(session: ProbeSession, seconds: float) -> bool:
    """Return whether the server answers a CONNECT, or a heartbeat in protocol 3."""
    if session.generation == 4:
        reply = (await session.connect((_NOWHERE,), None, seconds))[_NOWHERE]
        return reply.outcome in (Outcome.CONNECTED, Outcome.REFUSED)
    await session.wire.send("2")
    try:
        async with asyncio.timeout(seconds):
            await session.wire.receive()
    except TimeoutError:
        return False
    return True


def not_upgraded(path: str, error: UpgradeRefused | NoAnswer) -> Finding:
    """Return the finding for a WebSocket that could not be opened."""
    if isinstance(error, UpgradeRefused):
        text = f"HTTP {error.status} instead of 101: does a proxy drop the Upgrade header?"
        return fail(text, *fixes.websocket(path))
    return fail(f"no WebSocket: {error}", *fixes.websocket(path))


async def check_websocket(examination: Examination) -> Finding:
    """Check that a session can be opened directly over WebSocket."""
    if not examination.uses_websocket:
        return skip(_NO_WEBSOCKET)
    if not (await offered(examination))[1]:
        return skip("not offered")
    found = await websocket_handshake(examination)
    if isinstance(found, Handshake):
        return ok("101 and handshake")
    path = examination.http.path
    if isinstance(found, (UpgradeRefused, NoAnswer)):
        return not_upgraded(path, found)
    return fail(f"101, but no handshake: {found}", *fixes.websocket(path))
