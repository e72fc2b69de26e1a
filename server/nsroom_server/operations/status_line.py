"""The status line of `serve` on a terminal: clients, rooms and events per second.

It is below the log: removed before lines are logged, and drawn again after them. It needs no
scrolling region, so that every terminal keeps the whole log in its scroll-back.
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


class StatusLine:
    """Draws the line once a second if it has changed."""

    def __init__(self, output: LogOutput, server: Server, url: str) -> None:
        self._output = output
        self._server = server
        self._url = url
        self._shown = ""
        self._line = ""
        self._events = 0
        self._no_color = bool(os.environ.get("NO_COLOR"))

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show the line until the context is left."""
        loop = asyncio.get_running_loop()
        if sys.platform != "win32":  # where a new size shows with the next interval
            loop.add_signal_handler(signal.SIGWINCH, self._redraw)
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            if sys.platform != "win32":
                loop.remove_signal_handler(signal.SIGWINCH)
            self._output.set_footer("")

    async def _run(self) -> None:
        while True:
            self._line = self._describe()
            self._draw()
            await asyncio.sleep(_INTERVAL)

    def _redraw(self) -> None:
        # The terminal may have cut the line off, and be as wide as before again.
        self._shown = ""
        self._draw()

    def _draw(self) -> None:
        # One column less: a line that fills the last one would wrap.
        line = self._line[: max(self._columns() - 1, 0)]
        if line != self._shown:
            self._shown = line
            self._output.set_footer(line if self._no_color else f"\x1b[1m{line}\x1b[0m")

    def _describe(self) -> str:
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

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._output.descriptor).columns
        except OSError:
            return 0


def is_supported(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can be drawn on."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
