"""What has to be right before a server is loaded: whose it is, the limit of files, and that it answers."""

import asyncio
import ipaddress
import resource
import socket
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from nsroom.bench.plan import Load, port_of
from nsroom.client.target import Target, Transport
from nsroom.errors import ConnectError, UsageError

_OWN_FILES = 64
"""Besides its connections, that a process has open."""


def raise_limit(load: Load) -> None:
    """Let processes have as many files open as they may. Raises: UsageError where that is too few."""
    needed = -(-load.clients // load.workers) + _OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    if not unlimited and needed > hard:
        raise UsageError(
            f"--clients {load.clients} takes {needed} open files in a process, but the limit is {hard}: "
            f"run `ulimit -n {needed}` before, or give more --workers"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed if unlimited else hard, hard))


async def addresses(target: Target) -> list[str]:
    """Look up where the server is. Raises: ConnectError."""
    loop = asyncio.get_running_loop()
    host = urlsplit(target.url).hostname or ""
    try:
        found = await loop.getaddrinfo(host, port_of(target), type=socket.SOCK_STREAM)
    except OSError:
        raise ConnectError(f"cannot connect to {target.place}: no such host: {host}") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def require_consent(target: Target, found: Sequence[str], yes: bool) -> None:
    """Raises: UsageError where the server is on another machine, and nobody said that it may be loaded."""
    if not yes and not all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found):
        raise UsageError(
            f"{target.place} is not this machine: add --yes if it is yours to load; nothing was sent"
        )


async def check(target: Target) -> None:
    """Connect once, as every other command does. Raises: ConnectError, RefusedError that say why not."""
    from nsroom.client.client import Client

    client = Client(replace(target, reconnect=False, transport=Transport.WEBSOCKET))
    try:
        await client.connect()
    finally:
        await client.close()


async def reachable(target: Target, found: Sequence[str]) -> str:
    """Give the first of the addresses where something listens."""
    for address in found[:-1]:
        try:
            async with asyncio.timeout(target.connect_timeout):
                _, writer = await asyncio.open_connection(address, port_of(target))
        except OSError:  # TimeoutError is one
            continue
        writer.close()
        return address
    return found[-1]
