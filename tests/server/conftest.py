"""Fixtures: a server inside the test's loop, and python-socketio's own client as a member."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
import uvloop

from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Config
from tests.server.member import WAIT, Connect, Json, Member, Serve

LOOPS = {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}
PAUSE = 0.005
"""Seconds between two looks at the loop."""


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests of transports on both loops, the others on asyncio's; or all on $NSROOM_TEST_LOOPS."""
    usual = " ".join(LOOPS) if "engineio" in item.path.parts else "asyncio"
    return {name: LOOPS[name] for name in os.environ.get("NSROOM_TEST_LOOPS", usual).split()}


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """What has to be closed, last in first out."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def serve(stack: AsyncExitStack) -> Serve:
    """Start a server: `await serve(token="x")`."""

    async def start(**options: Any) -> Running:
        return await stack.enter_async_context(serving(Config(port=0, **{"drain": 1, **options})))

    return start


@pytest.fixture(params=["websocket", "polling"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport in turn."""
    return str(request.param)


@pytest.fixture
def connect(stack: AsyncExitStack) -> Connect:
    """Connect a member: `await connect(running, "/chat", transport="polling", auth={…})`."""

    async def start(
        running: Running,
        *namespaces: str,
        transport: str = "websocket",
        auth: Json = None,
        wait: bool = True,
    ) -> Member:
        names = list(namespaces) or ["/"]
        member = Member(names)
        await member.client.connect(
            running.url, auth=auth, namespaces=names, transports=[transport], wait=wait, wait_timeout=WAIT
        )
        stack.push_async_callback(member.client.disconnect)
        return member

    return start


@pytest.fixture
async def http(stack: AsyncExitStack) -> aiohttp.ClientSession:
    """An HTTP client, to speak the protocol by hand."""
    return await stack.enter_async_context(aiohttp.ClientSession())


class Lag:
    """How long the event loop was held up at most, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0
        """By the clock: whatever held it up, other programs of the machine too."""
        self.work = 0.0
        """By the CPU time of this thread: what was done in one go."""

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun, worked = loop.time(), time.thread_time()
            await asyncio.sleep(PAUSE)
            self.longest = max(self.longest, loop.time() - begun - PAUSE)
            self.work = max(self.work, time.thread_time() - worked - PAUSE)


@pytest.fixture
async def lag() -> AsyncIterator[Lag]:
    """Watch the loop: `lag.longest`, `lag.work`."""
    lag = Lag()
    gc.collect()
    gc.freeze()  # what other tests have left, as the server does with what it imports
    task = asyncio.create_task(lag.watch())
    yield lag
    task.cancel()
    gc.unfreeze()
