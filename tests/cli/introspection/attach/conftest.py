"""Stock servers on Node that know nothing of nsroom, and observers of them."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom.client.target import Target
from nsroom.introspection.attach.observer import Attach
from tests.cli.introspection.attach.peers import Begin, Stock
from tests.conftest import StartServer
from tests.peers.program import Server


@pytest.fixture
def stock(node_server: StartServer) -> Stock:
    """Start a stock server whose inspector will not use the default port, which tests would share."""
    return lambda script="stock.cjs", *args: node_server("--inspect-port=0", script, *args)


@pytest.fixture
def begin(stack: AsyncExitStack) -> Begin:
    """Attach to a server: `await begin(server)`, or `await begin(server, pid)`."""

    async def attach(server: Server, pid: int | None = None, **options: Any) -> Attach:
        observer = Attach(Target(url=server.url), pid, timeout=10, **options)
        return await stack.enter_async_context(observer)

    return attach
