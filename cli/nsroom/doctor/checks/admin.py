"""Check whether the server has an admin namespace, and who can use it."""

import asyncio

from nsroom.doctor.checks.namespaces import CONNECT_TIMEOUT, message_of, open_session
from nsroom.doctor.checks.network import addresses, is_loopback
from nsroom.doctor.checks.versions import generation
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, ok, skip, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.probes.session import CONNECTION_ERRORS, Outcome, ProbeSession, Reply

_ADMIN = "/admin"
_WRONG_CREDENTIALS = ("invalid credentials", "authentication failed")


async def check_admin(examination: Examination) -> Finding:
    """Check that an admin namespace without a password is reachable only from this machine."""
    if await generation(examination) == 3:
        return skip("Socket.IO 2 has no admin namespace")
    session = await open_session(examination)
    try:
        timeout = examination.timeout(CONNECT_TIMEOUT)
        reply = (await session.connect((_ADMIN,), None, timeout))[_ADMIN]
        if reply.outcome is Outcome.REFUSED and message_of(reply.data).lower() in _WRONG_CREDENTIALS:
            return ok(f"{_ADMIN} exists, with a password: nsroom rooms, sockets and tail can use it")
        if reply.outcome in (Outcome.SILENT, Outcome.CLOSED):
            return skip(f"{_ADMIN} is not answered")
        if reply.outcome is not Outcome.CONNECTED or not await _sends_config(session, reply):
            return ok("not instrumented, or not at /admin")
    finally:
        await session.close()
    if await _is_local(examination):
        return ok(f"{_ADMIN} exists, without a password")
    return warn(f"{_ADMIN} accepts anyone who can reach the server", *fixes.admin())


async def _sends_config(session: ProbeSession, reply: Reply) -> bool:
    """Return whether the namespace sends the event `config`, before or right after its reply."""
    if "config" in reply.events:
        return True
    try:
        async with asyncio.timeout(1.0):
            while not is_config(await session.receive_packet()):
                continue
    except (TimeoutError, *CONNECTION_ERRORS):
        return False
    return True


def is_config(frame: str | bytes) -> bool:
    """Return whether a packet is an admin namespace's event `config`."""
    return isinstance(frame, str) and '"config"' in frame[:200]


async def _is_local(examination: Examination) -> bool:
    if examination.http.proxy:
        return False
    return all(map(is_loopback, await addresses(examination)))
