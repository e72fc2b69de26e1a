"""A one-line progress display on stderr."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Callable

from nsroom.output.terminal import clip

_CLEAR_LINE = "\r\x1b[K"
_INTERVAL = 0.2


class ProgressLine:
    """One line that each text replaces; it is shown only if stderr is a terminal that can clear a line."""

    def __init__(self) -> None:
        self.enabled = sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")

    def show(self, text: str) -> None:
        """Replace the line by `nsroom: ` and this text, cut to the width of the terminal."""
        if self.enabled:
            width = os.get_terminal_size(sys.stderr.fileno()).columns
            self._write(clip(f"nsroom: {text}", width - 1))

    def clear(self) -> None:
        """Remove the line."""
        if self.enabled:
            self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write(_CLEAR_LINE + text)
        sys.stderr.flush()


class Progress:
    """The progress of a benchmark: the current step, its answers and errors."""

    def __init__(self) -> None:
        self._line = ProgressLine()
        self._started = 0.0
        self._name, self._duration = "", ""

    def begin(self, name: str, seconds: float | None = None) -> None:
        """Start a step, with its duration if that is known."""
        self._started = time.monotonic()
        self._name, self._duration = name, f" of {seconds:g}" if seconds else ""
        self(0, 0)

    def __call__(self, answered: int, errors: int) -> None:
        """Show the numbers of answers and errors so far."""
        elapsed = time.monotonic() - self._started
        text = f"{self._name}  {elapsed:.1f}{self._duration} s  {answered:,} answered"
        if elapsed > 1:
            text += f"  {answered / elapsed:,.0f}/s"
        self._line.show(f"{text}  {errors:,} errors" if errors else text)

    def end(self) -> None:
        """Remove the line."""
        self._line.clear()


@contextlib.asynccontextmanager
async def showing(text: Callable[[], str]) -> AsyncIterator[None]:
    """Show a text as it changes, five times a second, while the block runs; an empty text is not shown."""
    line = ProgressLine()
    if not line.enabled:
        yield
        return
    task = asyncio.create_task(_keep_showing(line, text))
    try:
        yield
    finally:
        task.cancel()
        if text():
            line.clear()


async def _keep_showing(line: ProgressLine, text: Callable[[], str]) -> None:
    while True:
        await asyncio.sleep(_INTERVAL)
        if shown := text():
            line.show(shown)
