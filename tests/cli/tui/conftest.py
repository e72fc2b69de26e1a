"""Fixtures: the real program on a terminal, and the application in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input

from nsroom.cli.display_options import WatchOptions
from nsroom.client.client import Client
from nsroom.client.joins import convention, join
from nsroom.client.target import Target
from nsroom.tui.app import App
from nsroom.tui.config import Settings
from nsroom.tui.live import Live
from nsroom.tui.model.model import Model
from nsroom.tui.mouse import DragOutput
from nsroom.tui.screen.state import View
from nsroom_server.app import serving
from nsroom_server.settings.config import Config
from tests.cli.tui.screens import Terminal
from tests.cli.tui.user import COLS, ROWS, ScreenOutput, User
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


@pytest.fixture
async def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[User]:
    """A user who has just joined the lobby."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm-256color")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(Config(port=0)))
        keys = stack.enter_context(create_pipe_input())
        screen = ScreenOutput()
        output = DragOutput(screen, lambda: Size(ROWS, COLS), term="xterm-256color")  # type: ignore[arg-type]
        view = View(Model(), server.url.partition("//")[2])
        view.go_to("/chat", "lobby")
        joining = convention(None, None, None, "me")
        app = App(view, Settings(), joining, input=keys, output=output)

        async def begin(client: Client, say: Callable[[str], None]) -> list[str]:
            return await join(client, ["lobby"], joining, say)

        live = Live(app, Target(server.url, ("/chat",)), WatchOptions(), begin)
        running = asyncio.create_task(live.run())
        made = User(app, keys, screen, running)
        await made.sees("✓")
        try:
            yield made
        finally:
            app.leave()
            await running
