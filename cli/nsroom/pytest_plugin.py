"""The pytest plugin: the fixtures `nsroom_server` and `socketio_client`."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nsroom.api import Client

_LISTENING = re.compile(r"listening on (\S+)")
_STOP = 10
"""Seconds for the server to stop."""


@pytest.fixture
def nsroom_server() -> Iterator[str]:
    """Start the reference server on a free port, without a history; return its URL."""
    command = [sys.executable, "-m", "nsroom", "serve", ":0", "--history", "none"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            yield _url(process)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=_STOP)
            except subprocess.TimeoutExpired:
                process.kill()


def _url(process: "subprocess.Popen[str]") -> str:
    lines = []
    for line in process.stderr or ():
        lines.append(line)
        if found := _LISTENING.search(line):
            return found[1]
    pytest.fail(f"nsroom serve did not start: {''.join(lines)}")


async def _socketio_client() -> "AsyncIterator[Callable[..., Awaitable[Client]]]":
    """Connect clients, as `nsroom.connect` does; they are disconnected after the test."""
    from nsroom.api import connect

    async with AsyncExitStack() as stack:

        async def start(url: str, *namespaces: str, **options: Any) -> "Client":
            return await stack.enter_async_context(connect(url, *namespaces, **options))

        yield start


if find_spec("pytest_asyncio"):
    import pytest_asyncio

    socketio_client = pytest_asyncio.fixture(name="socketio_client")(_socketio_client)
else:

    @pytest.fixture(name="socketio_client")
    def socketio_client() -> None:
        """Fail: the fixture needs pytest-asyncio."""
        pytest.fail("socketio_client needs pytest-asyncio: pip install pytest-asyncio")
