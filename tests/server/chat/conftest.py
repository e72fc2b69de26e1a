"""The history file of a test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from nsroom_server.chat.history import Stored

ROOMY = 10**9
Open = Callable[[], Awaitable[Stored]]


@pytest.fixture
async def reopen(tmp_path: Path) -> AsyncIterator[Open]:
    """Open the same file, again if need be."""
    async with AsyncExitStack() as stack:

        async def open_it() -> Stored:
            store = Stored(tmp_path / "state" / "history.db")
            stack.push_async_callback(store.close)
            return store

        yield open_it
