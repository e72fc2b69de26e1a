"""Fixtures: the program on a terminal that a test can look at."""

from collections.abc import Awaitable, Callable

import pytest

from tests.cli.tui.screens import Terminal
from tests.peers.program import Spawner

Show = Callable[..., Awaitable[Terminal]]


@pytest.fixture
def show(spawn: Spawner) -> Show:
    """Start the real program on a terminal: `terminal = await show("join", "lobby")`."""

    async def start(
        *args: str, rows: int = 24, cols: int = 100, env: dict[str, str] | None = None
    ) -> Terminal:
        program = await spawn(*args, tty=True, rows=rows, cols=cols, env=env)
        return Terminal(program, rows, cols)

    return start
