"""The real program on a pseudo-terminal, seen as a person sees it."""

import asyncio
import re
from collections.abc import Callable

import pyte

from tests.peers.program import Program

KEYS = {
    "Enter": "\r",
    "Escape": "\x1b",
    "Tab": "\t",
    "Up": "\x1b[A",
    "Down": "\x1b[B",
    "Right": "\x1b[C",
    "Left": "\x1b[D",
    "Home": "\x1b[H",
    "End": "\x1b[F",
    "PageUp": "\x1b[5~",
    "PageDown": "\x1b[6~",
    "F1": "\x1bOP",
    "F2": "\x1bOQ",
    "F3": "\x1bOR",
    "F4": "\x1bOS",
    "F5": "\x1b[15~",
}
# What changes from run to run; each is replaced by as many characters, so that columns stay.
_VOLATILE = (
    (re.compile(r"\d\d:\d\d:\d\d\.\d\d\d"), "hh:mm:ss.mmm"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "yyyy-mm-ddThh:mm:ss.mmmmmmZ"),
    (re.compile(r"(?<=[✓✗]) +\d+(\.\d)? m?s"), None),
    (re.compile(r"(?<=rtt)( |\d|\.)+m?s"), None),
    (re.compile(r"(?<= )[\w-]{19}A[A-Z][A-Z](?![\w-])|(?<![\w/-])[\w-]{20}(?![\w-])"), "s" * 20),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), "the.server:port"),
    (re.compile(r"(?<=in) +[\d,]+/s[ ▁▂▃▄▅▆▇█]{10}out +[\d,]+/s"), None),
    (re.compile(r"(?<=[ a-z])[▁▂▃▄▅▆▇█][ ▁▂▃▄▅▆▇█]{0,3}(?= )"), None),
)
_TITLES = re.compile(r"\x1b\][012];")


class Terminal:
    """A terminal with a program on it."""

    def __init__(self, program: Program, rows: int, cols: int) -> None:
        self.program = program
        self.screen = pyte.Screen(cols, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._taken = 0

    @property
    def lines(self) -> list[str]:
        """What the screen shows now."""
        data = bytes(self.program.stdout.data)
        self._stream.feed(data[self._taken :])
        self._taken = len(data)
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """What the screen shows, as one text."""
        return "\n".join(self.lines)

    def press(self, *keys: str) -> None:
        """Press keys by their names, or type texts."""
        for key in keys:
            self.program.type(KEYS.get(key, key))

    async def until(self, shown: str | Callable[[str], bool], timeout: float = 10) -> str:
        """Wait until the screen shows a text."""
        there = shown if callable(shown) else lambda text: shown in text
        try:
            async with asyncio.timeout(timeout):
                while not there(self.text):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"no {shown!r} within {timeout} s on:\n{self.text}") from None
        return self.text

    async def gone(self, hidden: str) -> str:
        """Wait until the screen no longer shows a text."""
        return await self.until(lambda text: hidden not in text)

    def resize(self, rows: int, cols: int) -> None:
        """Change the size."""
        _ = self.lines
        self.screen.resize(rows, cols)
        self.program.resize(rows, cols)


def steady(text: str) -> str:
    """Replace what changes from run to run."""
    for pattern, instead in _VOLATILE:
        text = pattern.sub(lambda found: "~" * len(found[0]) if instead is None else instead, text)  # noqa: B023
    return text
