"""Admin check: is the server instrumented, and who can connect to its admin namespace?"""

import asyncio
import ipaddress

from nsroom.doctor.checks.namespaces import CONNECT_TIMEOUT, open_session
from nsroom.doctor.checks.network import resolve
from nsroom.doctor.checks.versions import detect_revision
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, ok, skip, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.probes.session import EVENTS, SESSION_ERRORS, Outcome, ProbeSession, Reply
from nsroom.protocol.refusals import message_of

_ADMIN = "/admin"
_ADMIN_REFUSALS = ("invalid credentials", "authentication failed")


async def check_admin(examination: Examination) -> Finding:
    """Check whether the server is instrumented, and whether that needs a password."""
    if await detect_revision(examination) == 3:
        return skip("Socket.IO 2 does not have an admin namespace")
    session = await open_session(examination)
    try:
        timeout = examination.timeout(CONNECT_TIMEOUT)
        reply = (await session.connect_namespaces((_ADMIN,), None, timeout))[_ADMIN]
        if reply.outcome is Outcome.REFUSED and (message_of(reply.data) or "").lower() in _ADMIN_REFUSALS:
            return ok(f"{_ADMIN} exists, with a password: nsroom rooms, sockets and tail can use it")
        if reply.outcome in (Outcome.SILENT, Outcome.CLOSED):
            return skip(f"no answer from {_ADMIN}")
        if reply.outcome is not Outcome.CONNECTED or not await _sends_config(session, reply):
            return ok("not instrumented, or not at /admin")
    finally:
        await session.close()
    if await _is_local(examination):
        return ok(f"{_ADMIN} exists, without a password")
    return warn(f"{_ADMIN} accepts anyone who can reach the server", *fixes.admin())


async def _sends_config(session: ProbeSession, reply: Reply) -> bool:
    """Return whether the namespace sends a `config` event, as admin namespaces do when a client connects."""
    if "config" in reply.events:
        return True
    try:
        async with asyncio.timeout(1.0):
            while not (
                (packet := await session.receive_packet())
                and packet.type in EVENTS
                and packet.data[0] == "config"
            ):
                continue
    except (TimeoutError, *SESSION_ERRORS):
        return False
    return True


async def _is_local(examination: Examination) -> bool:
    if examination.http.proxy:
        return False
    found = await resolve(examination)
    return all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
