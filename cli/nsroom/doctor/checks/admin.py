"""Whether a server is instrumented, and for whom."""

import asyncio
import ipaddress

from nsroom.doctor.checks.namespaces import PATIENCE, message_of, talk_to
from nsroom.doctor.checks.network import addresses
from nsroom.doctor.checks.versions import generation
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, ok, skip, warn
from nsroom.doctor.fixes import application as fixes
from nsroom.doctor.probes.session import LOST, Outcome, Reply, Talk

_ADMIN = "/admin"
_ADMIN_REFUSALS = ("invalid credentials", "authentication failed")


async def check_admin(examination: Examination) -> Finding:
    """See whether the server is instrumented, and for whom."""
    if await generation(examination) == 3:
        return skip("Socket.IO 2 has no admin namespace")
    talk = await talk_to(examination)
    try:
        reply = (await talk.ask((_ADMIN,), None, examination.patience(PATIENCE)))[_ADMIN]
        if reply.outcome is Outcome.REFUSED and message_of(reply.data).lower() in _ADMIN_REFUSALS:
            return ok(f"{_ADMIN} is there, with a password: nsroom rooms, sockets and tail can use it")
        if reply.outcome in (Outcome.SILENT, Outcome.CLOSED):
            return skip(f"{_ADMIN} is not answered")
        if reply.outcome is not Outcome.CONNECTED or not await _configures(talk, reply):
            return ok("not instrumented, or not at /admin")
    finally:
        await talk.close()
    if await _is_local(examination):
        return ok(f"{_ADMIN} is there, without a password")
    return warn(f"{_ADMIN} lets in everybody who can reach the server", *fixes.admin())


async def _configures(talk: Talk, reply: Reply) -> bool:
    """Say whether the namespace sends what an admin namespace does, before the answer or right after."""
    if "config" in reply.events:
        return True
    try:
        async with asyncio.timeout(1.0):
            while not isinstance(frame := await talk.packet(), str) or '"config"' not in frame[:200]:
                continue
    except (TimeoutError, *LOST):
        return False
    return True


async def _is_local(examination: Examination) -> bool:
    if examination.exchange.proxy:
        return False
    found = await addresses(examination)
    return all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
