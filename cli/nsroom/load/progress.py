"""How far a load run is: one line on stderr, written over again and again, on a terminal only."""

import os
import sys
import time

from nsroom.terminal import clip

_WIPE = "\r\x1b[K"


class Progress:
    """The line."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self._began = 0.0
        self._name, self._of = "", ""

    def begin(self, name: str, seconds: float | None = None) -> None:
        """Start with a step, which takes so long, if that is known."""
        self._began = time.monotonic()
        self._name, self._of = name, f" of {seconds:g}" if seconds else ""
        self(0, 0)

    def __call__(self, answered: int, errors: int) -> None:
        """Show how many answers and errors there were so far."""
        taken = time.monotonic() - self._began
        text = f"nsroom: {self._name}  {taken:.1f}{self._of} s  {answered:,} answered"
        if taken > 1:
            text += f"  {answered / taken:,.0f}/s"
        self._write(f"{text}  {errors:,} errors" if errors else text)

    def end(self) -> None:
        """Take it away."""
        if self._on:
            sys.stderr.write(_WIPE)
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        if self._on:
            sys.stderr.write(_WIPE + clip(text, os.get_terminal_size(sys.stderr.fileno()).columns - 1))
            sys.stderr.flush()
