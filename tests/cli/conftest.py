"""Fixtures: the reference server and clients inside the test's loop, and nothing left behind by them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from nsroom.client.client import Client
from nsroom.output.stdio import Verbosity, set_verbosity
from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Config
from tests.cli.clients import Connect, Reference, make

CLI = Path(__file__).parents[2] / "cli"


@pytest.fixture(autouse=True)
def verbosity() -> Iterator[None]:
    """Forget what a command line that was parsed in this process set."""
    yield
    set_verbosity(Verbosity.NORMAL)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """What has to be closed, last in first out; then no task of ours may run, and nothing be unclosed."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(f"{context}"))
    async with AsyncExitStack() as stack:
        yield stack
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if _is_ours(task)] == []
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


def _is_ours(task: asyncio.Task[Any]) -> bool:
    coroutine = task.get_coro()
    # A task may also run a generator, which has the attribute of another name.
    codes = (getattr(coroutine, name, None) for name in ("cr_code", "gi_code", "ag_code"))
    return any(
        Path(code.co_filename).is_relative_to(CLI) or code.co_qualname.startswith("AsyncClient.")
        for code in codes
        if code
    )


@pytest.fixture
def reference(stack: AsyncExitStack) -> Reference:
    """Start the reference server: `await reference(token="x")`."""

    async def start(**options: Any) -> Running:
        return await stack.enter_async_context(serving(Config(**{"port": 0, "drain": 0.5, **options})))

    return start


@pytest.fixture(params=["websocket", "polling"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport in turn."""
    return str(request.param)


@pytest.fixture
def connect(stack: AsyncExitStack) -> Connect:
    """Connect a client: `await connect(url, "/chat", transport="polling", watch=True)`."""

    async def start(url: str, *namespaces: str, **options: Any) -> Client:
        client = make(url, *namespaces, **options)
        stack.push_async_callback(client.close)
        await client.connect()
        return client

    return start
