"""Clients for tests; every wait has a time limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.client.target import Parser, Protocol, Target, Transport
from nsroom.record import Record
from nsroom_server.app import Running

Reference = Callable[..., Awaitable[Running]]
Connect = Callable[..., Awaitable[Client]]
WAIT = 5.0
"""Seconds for anything that should happen immediately."""


def make(
    url: str, *namespaces: str, watch: bool = False, raw: bool = False, say: Any = str, **options: Any
) -> Client:
    """Return a client that is not connected yet; the options are those of a Target."""
    for key, kind in (("transport", Transport), ("protocol", Protocol), ("parser", Parser)):
        options[key] = kind(options.get(key, "auto"))
    return Client(Target(url=url, namespaces=namespaces or ("/",), **options), watch=watch, raw=raw, say=say)


async def until(client: Client, **fields: Any) -> list[Record]:
    """Return the records up to the first with these fields."""
    seen: list[Record] = []
    async with asyncio.timeout(WAIT):
        async for records in client.records():
            for record in records:
                seen.append(record)
                if all(getattr(record, key) == value for key, value in fields.items()):
                    return seen
    raise AssertionError(f"no {fields} among {seen}")


async def answer(client: Client, *emit: Any, namespace: str = "/") -> Any:
    """Emit an event and return the arguments of its acknowledgement."""
    (future,) = await client.ask(Emit(namespace, emit[0], [*emit[1:]]))
    async with asyncio.timeout(WAIT):
        return (await future).args
