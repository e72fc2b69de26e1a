"""Golden screens drawn in this process from a view alone, without a program, a server or a terminal.

`NSROOM_SCREENS=write python -m pytest tests/cli/tui/screen` writes them; read the diff.
"""

import asyncio
import os
from pathlib import Path

import pytest
from prompt_toolkit.application.current import set_app
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import DummyInput
from prompt_toolkit.output.vt100 import Vt100_Output

from nsroom.tui import config
from nsroom.tui.app import App
from nsroom.tui.screen.state import FILTER, Focus, View
from tests.cli.tui.user import ScreenOutput

SCREENS = Path(__file__).parent / "screens"
SIZES = [(40, 12), (80, 24), (120, 36), (200, 50)]
sizes = pytest.mark.parametrize(("cols", "rows"), SIZES, ids=[f"{cols}x{rows}" for cols, rows in SIZES])


async def draw(view: View, cols: int, rows: int, focus: Focus | None = None, filter: str = "") -> str:
    """Return the screen of a view at its own time, while this filter is typed, if any."""
    screen = ScreenOutput(cols, rows)
    output = Vt100_Output(screen, lambda: Size(rows, cols), term="xterm-256color")  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        patch.setattr(config, "history_file", lambda: Path(os.devnull))
        app = App(view, config.Settings(), input=DummyInput(), output=output)
    app.screen.focus(focus or view.focus)
    with set_app(app.application):
        if filter:
            app.ask(FILTER, filter, print)
        app.prepare(view.now)
        async with asyncio.timeout(10):
            while filter and not view.matching:  # a task counts them  # noqa: ASYNC110
                await asyncio.sleep(0)
        app.application.renderer.render(app.application, app.application.layout)
    await app.application.cancel_and_wait_for_background_tasks()
    return "\n".join(line.rstrip() for line in screen.screen.display) + "\n"


async def is_drawn(
    view: View, name: str, cols: int, rows: int, focus: Focus | None = None, filter: str = ""
) -> None:
    """Compare the screen of a view with its golden file."""
    file, text = SCREENS / f"{name}-{cols}x{rows}.txt", await draw(view, cols, rows, focus, filter)
    if os.environ.get("NSROOM_SCREENS") == "write":
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")
