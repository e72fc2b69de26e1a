"""Checks before the load: consent, file limit, reachability."""

import asyncio
import ipaddress
import socket
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from nsroom.bench.plan import Load
from nsroom.client.target import Target
from nsroom.client.transports.http_proxy import proxy_for
from nsroom.errors import ConnectError, UsageError

_OTHER_FILES = 64
"""Open files of a process besides its connections."""


def raise_file_limit(load: Load) -> None:
    """Raise the soft limit of open files for the clients. Raises: UsageError above the hard limit."""
    if sys.platform == "win32":
        return
    import resource

    needed = -(-load.clients // load.workers) + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    if not unlimited and needed > hard:
        raise UsageError(
            f"--clients {load.clients} needs {needed} open files in a process, but the limit is {hard}: "
            f"run `ulimit -n {needed}` first, or use more --workers"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed if unlimited else hard, hard))


async def resolve(target: Target) -> list[str]:
    """Return the addresses of the server, or none if a proxy looks them up. Raises: ConnectError."""
    if proxy_for(target.url) is not None:
        return []
    loop = asyncio.get_running_loop()
    host = urlsplit(target.url).hostname or ""
    try:
        found = await loop.getaddrinfo(host, target.port, type=socket.SOCK_STREAM)
    except OSError:
        raise ConnectError(f"cannot connect to {target.place}: no such host: {host}") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def require_consent(target: Target, found: Sequence[str], yes: bool) -> None:
    """Raise UsageError if the server is on another machine and --yes was not given."""
    is_here = found and all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
    if not yes and not is_here:
        raise UsageError(
            f"{target.place} is not on this machine: add --yes if you may load it; nothing was sent"
        )


async def check_connection(target: Target) -> None:
    """Connect once, as other commands do, to report problems in full. Raises: ConnectError, RefusedError."""
    from nsroom.client.client import Client

    client = Client(target._replace(reconnect=False))
    try:
        await client.connect()
    finally:
        await client.close()


async def first_reachable(target: Target, found: Sequence[str]) -> str:
    """Return the first address that accepts connections, or the last one; the host if a proxy finds it."""
    if not found:
        return urlsplit(target.url).hostname or ""
    for address in found[:-1]:
        try:
            async with asyncio.timeout(target.connect_timeout):
                _, writer = await asyncio.open_connection(address, target.port)
        except OSError:  # includes TimeoutError
            continue
        writer.close()
        return address
    return found[-1]
