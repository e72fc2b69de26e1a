"""What stock servers know of themselves, and what an observer reports of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from nsroom.introspection.attach.observer import Attach
from nsroom.introspection.attach.processes import listeners_of
from tests.peers.program import Server

Stock = Callable[..., Awaitable[Server]]
Begin = Callable[..., Awaitable[Attach]]
Place = tuple[str, str, tuple[str, ...]]


async def truth(server: Server) -> dict[str, Any]:
    """Return what a server knows of itself: its sockets, its listeners, what is global."""
    server.proc.send("{}")
    while "truth" not in (record := await server.proc.record()):
        pass
    return record


async def places(server: Server) -> list[Place]:
    """Return the sockets with their rooms as the server knows them."""
    found = (await truth(server))["truth"]
    return sorted((each["namespace"], each["sid"], tuple(sorted(each["rooms"]))) for each in found)


def seen(observer: Attach) -> list[Place]:
    """Return the sockets with their rooms as the observer knows them."""
    return [
        (each.namespace, each.sid, tuple(sorted(map(str, each.rooms)))) for each in observer.state.select()
    ]


def ports(server: Server) -> set[int]:
    """Return the ports at which a server listens."""
    return {port for _, port in listeners_of(server.proc.pid)}


async def wait_for_ports(server: Server, expected: set[int]) -> None:
    """Wait until a server listens at these ports only."""
    async with asyncio.timeout(20):
        while True:
            if ports(server) == expected:
                return
            await asyncio.sleep(0.05)
