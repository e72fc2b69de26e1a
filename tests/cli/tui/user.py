"""A user of the application in this process, who presses keys and looks at the screen."""

import asyncio
import base64
import re
from collections.abc import Callable

import pyte
from prompt_toolkit.application.current import set_app
from prompt_toolkit.input import PipeInput
from prompt_toolkit.key_binding.key_processor import KeyPress, _Flush
from prompt_toolkit.keys import Keys

from nsroom.tui.app import App
from tests.cli.tui.screens import KEYS

ROWS, COLS = 24, 100


class ScreenOutput:
    """A terminal that interprets the output of the application."""

    encoding = "utf-8"

    def __init__(self, cols: int = COLS, rows: int = ROWS) -> None:
        self.screen = pyte.Screen(cols, rows)
        self.written = ""
        self._stream = pyte.Stream(self.screen)

    def write(self, text: str) -> None:
        self.written += text
        self._stream.feed(text)

    def flush(self) -> None:
        """Do nothing: `write` does not buffer."""

    def fileno(self) -> int:
        return 1

    def isatty(self) -> bool:
        return True


class User:
    """Presses keys and looks at the screen."""

    def __init__(
        self, app: App, keys: PipeInput, output: ScreenOutput, running: "asyncio.Task[None]"
    ) -> None:
        self.app = app
        self.running = running
        self.view = app.view
        self.output = output
        self._keys = keys

    async def press(self, *keys: str) -> None:
        """Press keys by name, or type text."""
        for key in keys:
            if key == "Escape":
                self._press_escape()
            else:
                self._keys.send_text(KEYS.get(key, key))
            await asyncio.sleep(0.02)

    def _press_escape(self) -> None:
        # In the input, Escape and the next key could be read as one key, however long the pause between them.
        processor = self.app.application.key_processor
        with set_app(self.app.application):
            processor.feed_multiple([KeyPress(Keys.Escape, "\x1b"), _Flush])
            processor.process_keys()

    @property
    def text(self) -> str:
        """The text on the screen."""
        return "\n".join(line.rstrip() for line in self.output.screen.display)

    async def sees(self, wanted: str | Callable[[str], bool]) -> str:
        """Wait until the screen shows a text, or a condition on its text is true."""
        is_shown = wanted if callable(wanted) else lambda text: wanted in text
        for _ in range(250):
            if is_shown(self.text):
                return self.text
            await asyncio.sleep(0.02)
        raise AssertionError(f"no {wanted!r} on:\n{self.text}")

    async def left(self) -> None:
        """Wait until the application has ended."""
        await asyncio.wait_for(asyncio.shield(self.running), 10)

    @property
    def copied(self) -> str:
        """The text that was last copied to the clipboard."""
        return base64.b64decode(re.findall("\x1b\\]52;c;([^\x07]*)\x07", self.output.written)[-1]).decode()
