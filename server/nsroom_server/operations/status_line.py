"""The status line of `serve` on a terminal: clients, rooms and events per second.

The log scrolls below it, in a scrolling region (DECSTBM).
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import TextIO

from nsroom_server.logs import LogOutput
from nsroom_server.socketio.server import Server

_INTERVAL = 1.0
_MIN_ROWS = 5
"""The fewest terminal rows with a status line."""


class StatusLine:
    """Draws the line once a second if it has changed."""

    def __init__(self, output: LogOutput, server: Server, url: str) -> None:
        self._output = output
        self._server = server
        self._url = url
        self._size = os.terminal_size((0, 0))
        self._shown = ""
        self._events = 0
        self._no_color = "NO_COLOR" in os.environ

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show the line until the context is left."""
        self._reserve_line()
        loop = asyncio.get_running_loop()
        if sys.platform != "win32":  # where a new size shows with the next interval
            loop.add_signal_handler(signal.SIGWINCH, self._draw)
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            if sys.platform != "win32":
                loop.remove_signal_handler(signal.SIGWINCH)
            self.end()

    async def _run(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(_INTERVAL)

    def _reserve_line(self) -> None:
        # Move the screen's contents into the scroll-back.
        self._write("\n" * (self._terminal_size().lines - 1) + "\x1b[2;1H")

    def end(self) -> None:
        """Restore the terminal."""
        self._write("\x1b7\x1b[1;1H\x1b[2K\x1b[r\x1b8")

    def _draw(self) -> None:
        size = self._terminal_size()
        if size != self._size:
            self._size, self._shown = size, ""
            self._write(f"\x1b7\x1b[2;{size.lines}r\x1b8" if size.lines >= _MIN_ROWS else "\x1b7\x1b[r\x1b8")
        line = self._line()[: size.columns - 1]
        if line != self._shown and size.lines >= _MIN_ROWS:
            self._shown = line
            shown = line if self._no_color else f"\x1b[1m{line}\x1b[0m"
            self._write(f"\x1b7\x1b[1;1H\x1b[2K{shown}\x1b8")

    def _line(self) -> str:
        table, traffic = self._server.rooms, self._server.engine.traffic
        before, self._events = self._events, traffic.events_in + traffic.events_out
        rooms = sum(len(table.names(name)) for name in table.namespaces)
        return "   ".join(
            (
                self._url,
                _count(len(self._server.engine.sessions), "client"),
                _count(rooms, "room"),
                f"{round((self._events - before) / _INTERVAL)} events/s",
            )
        )

    def _terminal_size(self) -> os.terminal_size:
        try:
            return os.get_terminal_size(self._output.descriptor)
        except OSError:
            return os.terminal_size((0, 0))

    def _write(self, text: str) -> None:
        self._output.write(text)


def is_supported(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can be drawn on."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
