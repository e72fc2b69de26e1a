"""What carries the packets: which transports there are, and whether what stands between lets them work."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from nsroom.doctor.checks.handshake import hand, websocket_talk
from nsroom.doctor.checks.namespaces import is_answered
from nsroom.doctor.checks.versions import generation
from nsroom.doctor.examination import Examination, once
from nsroom.doctor.finding import Finding, fail, ok, shown, skip, warn
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes.http import NotSwitched, Unanswered
from nsroom.doctor.probes.session import Outcome, Talk, opened
from nsroom.doctor.probes.wires import Gone, PollingWire, WebSocketWire, body, refusal, split
from nsroom.errors import DecodeError
from nsroom.protocol.engineio import Handshake
from nsroom.record import Frame

_REQUESTS = 8
"""Requests of one session: between two servers that take turns, the second misses."""
_HELD = 3.0
"""Seconds that an answer to a waiting poll may take longer than any other answer."""
_NOWHERE = "/nsroom-doctor"
"""A namespace to be refused, so that no handler of an application is bothered."""
_NO_POLLING = "not asked for: --transport websocket"
_NO_WEBSOCKET = "not asked for: --transport polling"


@dataclass(frozen=True, slots=True)
class Polled:
    """A session that was opened over polling."""

    handshake: Handshake
    cookies: Mapping[str, str]
    generation: int
    early: tuple[Frame, ...] = ()
    """Frames that came with the handshake."""


async def open_polling(examination: Examination) -> Polled:
    """Open a session over polling. Raises: Gone, Unanswered, DecodeError."""
    spoken = await generation(examination) or 4
    answer = await examination.exchange.request("GET", {"EIO": str(spoken), "transport": "polling"})
    if answer.status != 200:
        raise Gone(f"HTTP {answer.status}: {refusal(answer.text)[1] or 'no reason given'}")
    first, *early = split(answer.body, spoken) or [""]
    return Polled(opened(first), answer.cookies, spoken, tuple(early))


def wire(examination: Examination, polled: Polled, cookies: bool = True) -> PollingWire:
    """Give what carries the session's frames."""
    kept = polled.cookies if cookies else {}
    carrier = PollingWire(examination.exchange, polled.generation, polled.handshake.sid, kept)
    carrier.keep(polled.early)
    return carrier


@once
async def offered(examination: Examination) -> tuple[bool, bool]:
    """Say whether the server offers polling, and WebSocket: by word or by deed."""
    found = await hand(examination)
    direct = isinstance(await websocket_talk(examination), Handshake)
    if found.generation is None or found.answer is None:
        return False, direct
    try:
        upgrades = opened(split(found.answer.body, found.generation)[0]).upgrades
    except DecodeError:
        upgrades = ()
    return True, direct or "websocket" in upgrades


async def check_transports(examination: Examination) -> Finding:
    """See which transports the server offers, beside those that the clients use."""
    polling, websocket = await offered(examination)
    if polling and websocket:
        return ok("polling and websocket")
    if polling:
        if examination.uses_websocket:
            found = "polling only: each message is a request, and sessions have to be sticky"
            if not examination.polls:
                return fail(
                    "polling only, and --transport websocket was asked for", *fixes.transports("polling")
                )
            return warn(found, *fixes.transports("polling"))
        return ok("polling only, as asked for")
    if websocket:
        if not examination.polls:
            return ok("websocket only, as asked for")
        found = "websocket only: clients as they come begin with polling, and fail"
        return warn(found, *fixes.transports("websocket"))
    return fail("neither polling nor websocket can be used", *fixes.transports("websocket"))


async def check_sticky(examination: Examination) -> Finding:
    """Send requests of one session over fresh connections: all have to reach the server that knows it."""
    if not examination.polls:
        return skip(_NO_POLLING)
    if not (await offered(examination))[0]:
        return skip("not needed: there is no polling")
    polled = await open_polling(examination)
    known, why = await _reached(examination, polled, cookies=True)
    if known < _REQUESTS:
        return _unreached(examination, _REQUESTS - known, why)
    if polled.cookies:
        return await _by_cookie(examination, polled)
    return ok(f"{_REQUESTS} requests of one session on fresh connections, all known")


def _unreached(examination: Examination, count: int, why: str) -> Finding:
    found = f"{count} of {_REQUESTS} requests of one session were refused ({why})"
    if "session" in why.lower():
        return fail(f"{found}: not sticky", *fixes.sticky())
    return fail(f"{found}: a proxy that lets no POST through?", fixes.nginx(examination.exchange.path))


async def _by_cookie(examination: Examination, polled: Polled) -> Finding:
    again = await open_polling(examination)
    known, _ = await _reached(examination, again, cookies=False)
    names = ", ".join(polled.cookies)[:100]
    if known == _REQUESTS:
        return ok(f"{_REQUESTS} requests of one session, all known, with and without its cookie {names}")
    return warn(f"only for clients that send the cookie {names} back", *fixes.sticky(names))


async def _reached(examination: Examination, polled: Polled, cookies: bool) -> tuple[int, str]:
    """Count the heartbeats of a session that were taken, and give the last refusal."""
    carrier = wire(examination, polled, cookies)
    taken, why = 0, ""
    for _ in range(_REQUESTS):
        try:
            await carrier.post(body("3" if polled.generation == 4 else "2", polled.generation), 3.0)
            taken += 1
        except Gone as error:
            why = str(error)[:120]
        except Unanswered as error:  # nor will the next be
            return taken, str(error)
    await carrier.close()
    return taken, why


async def check_polling(examination: Examination) -> Finding:
    """See whether a waiting poll is answered as soon as there is something to say."""
    if not examination.polls:
        return skip(_NO_POLLING)
    if not (await offered(examination))[0]:
        return skip("not offered")
    first, second = await open_polling(examination), await open_polling(examination)
    if first.handshake.sid == second.handshake.sid:
        found = "two handshakes gave the same session: a cache answers in the server's place"
        return fail(found, *fixes.buffering())
    await wire(examination, second).close()
    carrier = wire(examination, first)
    try:
        return await _waiting(carrier, first.generation, examination)
    finally:
        await carrier.close()


async def _waiting(carrier: PollingWire, spoken: int, examination: Examination) -> Finding:
    patience = examination.patience(_HELD)
    if spoken == 3:  # / is connected unasked, with the handshake or right after it
        await asyncio.wait_for(carrier.receive(), 5.0)
    poll = asyncio.create_task(carrier.receive())
    try:
        # The poll has to be there first; a server that it does not wait at makes no difference.
        await asyncio.sleep(0.1)
        asked = time.monotonic()
        try:
            await carrier.post(body("2" if spoken == 3 else f"40{_NOWHERE},", spoken), patience)
        except Unanswered as error:
            found = "a request waits behind the poll that waits: one at a time is handled"
            return fail(found if error.silent else str(error), *fixes.buffering())
        posted = time.monotonic()
        done, _ = await asyncio.wait([poll], timeout=patience + (posted - asked))
        if not done:
            return await _held(examination, patience)
        poll.result()
        return ok(f"a waiting poll is answered {(time.monotonic() - asked) * 1000:.0f} ms after the request")
    finally:
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)


async def _held(examination: Examination, seconds: float) -> Finding:
    direct = isinstance(await websocket_talk(examination), Handshake)
    if direct and not await is_answered(examination):
        return skip("no CONNECT is answered, whose answer a poll could wait for")
    found = f"the answer to a waiting poll is held up for more than {seconds:g} s: a proxy buffers it"
    return fail(found, *fixes.buffering())


async def check_upgrade(examination: Examination) -> Finding:
    """Go from polling to WebSocket as clients do: 101, probe, switch."""
    if not (examination.polls and examination.uses_websocket):
        return skip("not asked for: --transport names one")
    if not all(await offered(examination)):
        return skip("nothing to upgrade: one transport only")
    polled = await open_polling(examination)
    carrier = wire(examination, polled)
    query = {"EIO": str(polled.generation), "transport": "websocket", "sid": polled.handshake.sid}
    try:
        ws = await examination.exchange.websocket(query, cookies=polled.cookies, timeout=4.0)
    except (NotSwitched, Unanswered) as error:
        await carrier.close()
        return not_switched(examination, error)
    socket = WebSocketWire(ws)
    try:
        return await _switch(examination, socket, polled)
    except Gone as error:
        return fail(f"101, but then: {error}", *fixes.websocket(examination))
    finally:
        await socket.close()


async def _switch(examination: Examination, socket: WebSocketWire, polled: Polled) -> Finding:
    await socket.send("2probe")
    try:
        async with asyncio.timeout(3.0):
            answer = await socket.receive()
    except TimeoutError:
        return fail(
            "101, but the probe is not answered: a proxy lets no frames through",
            *fixes.websocket(examination),
        )
    if answer != "3probe":
        return fail(f"101, but the probe is answered with {shown(answer, 60)}")
    await socket.send("5")
    talk = Talk(socket, polled.generation, polled.handshake)
    if not await _carries(talk, examination.patience(_HELD)) and await is_answered(examination):
        return fail("101 and probe, but nothing comes after the switch", *fixes.websocket(examination))
    return ok("101, probe and switch")


async def _carries(talk: Talk, seconds: float) -> bool:
    """Say whether a question over a session is answered."""
    if talk.generation == 4:
        reply = (await talk.ask((_NOWHERE,), None, seconds))[_NOWHERE]
        return reply.outcome in (Outcome.CONNECTED, Outcome.REFUSED)
    await talk.wire.send("2")
    try:
        async with asyncio.timeout(seconds):
            await talk.wire.receive()
    except TimeoutError:
        return False
    return True


def not_switched(examination: Examination, error: Exception) -> Finding:
    """Say why there is no WebSocket."""
    if isinstance(error, NotSwitched):
        found = f"HTTP {error.status} instead of 101: a proxy that drops the Upgrade header?"
        return fail(found, *fixes.websocket(examination))
    return fail(f"no WebSocket: {error}", *fixes.websocket(examination))


async def check_websocket(examination: Examination) -> Finding:
    """Open a session over WebSocket at once."""
    if not examination.uses_websocket:
        return skip(_NO_WEBSOCKET)
    if not (await offered(examination))[1]:
        return skip("not offered")
    found = await websocket_talk(examination)
    if isinstance(found, Handshake):
        return ok("101 and handshake")
    if isinstance(found, (NotSwitched, Unanswered)):
        return not_switched(examination, found)
    return fail(f"101, but no handshake: {found}", *fixes.websocket(examination))
