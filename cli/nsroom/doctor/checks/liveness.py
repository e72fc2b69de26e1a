"""Whether a connection lives: heartbeats, idle time, and how much goes through at once."""

import asyncio
import time

from nsroom.doctor.checks.namespaces import talk_to
from nsroom.doctor.checks.transports import offered, open_polling, wire
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, fail, ok, skip, warn
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes.http import Unanswered
from nsroom.doctor.probes.session import Talk
from nsroom.doctor.probes.wires import Gone, PollingWire, body
from nsroom.errors import DecodeError

_WAIT = 6.0
"""Seconds that a heartbeat is waited for."""
_LATE = 2.0
"""Seconds that it may be late."""
_PROXY_IDLE = 55_000
"""Milliseconds: most proxies cut what is idle for 60 s."""
_BODY = 1_000_000
"""Bytes of the body to try: what a server takes that nobody has told otherwise."""


async def check_heartbeat(examination: Examination) -> Finding:
    """See how often there is a heartbeat, and whether it comes."""
    talk = await talk_to(examination)
    try:
        interval, answer = talk.handshake.ping_interval, talk.handshake.ping_timeout
        told = f"every {interval / 1000:g} s, {answer / 1000:g} s for the answer"
        if talk.generation == 3:
            return await _pong(talk, told)
        if interval > _PROXY_IDLE:
            return warn(f"{told}: most proxies cut what is idle for 60 s", *fixes.heartbeat())
        if interval > _WAIT * 1000:
            return ok(f"{told} (to wait for it: --soak {interval / 1000 + 5:.0f})")
        return await _ping(talk, told)
    finally:
        await talk.close()


async def _ping(talk: Talk, told: str) -> Finding:
    seconds = talk.handshake.ping_interval / 1000 + _LATE
    start = time.monotonic()
    await _listen(talk, seconds, until_ping=True)
    if not talk.pings:
        return fail(f"{told}, but none comes within {seconds:g} s", *fixes.heartbeat())
    return ok(f"{told}; one came after {talk.pings[0] - start:.1f} s")


async def _pong(talk: Talk, told: str) -> Finding:
    """Send a heartbeat, as clients do in protocol 3."""
    await talk.wire.send("2")
    await _listen(talk, _WAIT, until_ping=True)
    if not talk.pings:
        return fail(f"{told}, but ours is not answered", *fixes.heartbeat())
    return ok(f"{told}; ours is answered")


async def _listen(talk: Talk, seconds: float, until_ping: bool = False) -> None:
    """Take what comes for so long, or until a heartbeat. Raises: Gone, Unanswered, DecodeError."""
    try:
        async with asyncio.timeout(seconds):
            while await talk.frame() is not None or not (until_ping and talk.pings):
                continue
    except TimeoutError:
        return


async def check_soak(examination: Examination) -> Finding:
    """Hold an idle connection: only heartbeats pass."""
    seconds = examination.wishes.soak
    if not seconds:
        return skip("give --soak SECONDS to look for cuts of idle connections")
    talk = await talk_to(examination)
    start = time.monotonic()
    beats = asyncio.create_task(_beat(talk)) if talk.generation == 3 else None
    try:
        await talk.ask(examination.target.namespaces, examination.target.auth, min(4.0, seconds))
        await _listen(talk, seconds - (time.monotonic() - start))
    except (Gone, Unanswered, DecodeError) as error:
        held = time.monotonic() - start
        return fail(f"cut after {held:.1f} s, {len(talk.pings)} heartbeats: {error}", *fixes.idle(held))
    finally:
        if beats:
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)
        await talk.close()
    expected = int((seconds - _LATE) * 1000 / max(talk.handshake.ping_interval, 1))
    if not talk.pings and expected >= 1:
        return fail(f"held for {seconds:g} s, but no heartbeat came", *fixes.heartbeat())
    return ok(f"held for {seconds:g} s, {len(talk.pings)} heartbeats, over {talk.wire.name}")


async def _beat(talk: Talk) -> None:
    while True:
        await asyncio.sleep(talk.handshake.ping_interval / 1000)
        await talk.wire.send("2")


async def check_payload(examination: Examination) -> Finding:
    """See how much the server takes at once, and whether that reaches it."""
    if not ((await offered(examination))[0] and examination.polls):
        talk = await talk_to(examination)
        await talk.close()
        return ok(_limit(talk.handshake.max_payload))
    polled = await open_polling(examination)
    limit = polled.handshake.max_payload
    carrier = wire(examination, polled)
    if limit is None:
        await carrier.close()
        return ok(_limit(None))
    try:
        return await _post(carrier, polled.generation, limit)
    finally:
        await carrier.close()


async def _post(carrier: PollingWire, generation: int, limit: int) -> Finding:
    """Send a body as large as the server takes, up to what a check may cost."""
    size = min(limit, _BODY)
    try:
        # A heartbeat's answer, whose data no server looks at.
        await carrier.post(body("3" + "x" * (size - 1), generation), 5.0)
    except Unanswered as error:
        if error.silent:
            return ok(f"{_limit(limit)}; a body of that size: {error}")
        return _cut(limit, size, str(error))
    except Gone as error:
        return _cut(limit, size, str(error))
    return ok(f"{_limit(limit)}; a body of {size} bytes gets through")


def _limit(limit: int | None) -> str:
    return "the server does not tell its limit" if limit is None else f"maxPayload is {limit} bytes"


def _cut(limit: int, size: int, why: str) -> Finding:
    found = f"maxPayload is {limit}, but a body of {size} bytes is refused ({why[:100]}): by a proxy?"
    return fail(found, *fixes.body_size(limit))
