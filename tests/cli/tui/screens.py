"""The real program on a pseudo-terminal, seen as a person sees it."""

import asyncio
import re
from collections.abc import Callable

import pyte

from nsroom.tui.screen.lines import rule
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
# What changes from run to run, and what stands there instead, as wide as it was.
_VOLATILE = (
    (re.compile("[▁▂▃▄▅▆▇█]"), " "),
    (re.compile(r"\d\d:\d\d:\d\d\.\d\d\d"), "hh:mm:ss.mmm"),
    (re.compile(r"\d\d:\d\d:\d\d(?= )"), "hh:mm:ss"),
    (re.compile(r"(?<=^ )\d\d:\d\d(?=  )", re.MULTILINE), "hh:mm"),
    (re.compile(r" *✓ +[\d.]+ m?s"), "✓ took"),
    (re.compile(r" *rtt [\d.]+ m?s"), "rtt took"),
    (re.compile(r"(?<=frame  )\d\S*"), "when"),
    (re.compile(r"(?<=^   )[\w-]{10,20}", re.MULTILINE), "sid"),
    (re.compile(r"(?<=[ │▌])([\w-]{20}|[\w-]{10,19}…)(?=$| )", re.MULTILINE), "sid"),
    (re.compile(r'(?<=sid: ")[\w-]{6,20}…?'), "sid"),
    (re.compile(r"(?<=^ server )\w{8}", re.MULTILINE), "id"),
    (re.compile(r"127\.0\.0\.1:\d+"), "server:port"),
    (re.compile(r"(?<=in ) *[\d,]+/s +out +[\d,]+/s"), "so many, out so many"),
)
_DAY = re.compile(r"^ +─+  (\w+day \d+ \w+)  ─+$", re.MULTILINE)
_LOOK = 0.02
"""Seconds between two looks at the screen."""


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
        for _ in range(int(timeout / _LOOK)):
            if there(self.text):
                return self.text
            await asyncio.sleep(_LOOK)
        raise AssertionError(f"no {shown!r} within {timeout} s on:\n{self.text}")

    async def gone(self, hidden: str) -> str:
        """Wait until the screen no longer shows a text."""
        return await self.until(lambda text: hidden not in text)

    async def settled(self, quiet: float = 0.3) -> None:
        """Wait until nothing has been written for a while."""
        for _ in range(100):
            before = len(self.program.stdout.data)
            await asyncio.sleep(quiet)
            if len(self.program.stdout.data) == before:
                return

    def resize(self, rows: int, cols: int) -> None:
        """Change the size."""
        _ = self.lines
        self.screen.resize(rows, cols)
        self.program.resize(rows, cols)


def steady(text: str, cols: int) -> str:
    """Replace what changes from run to run, on a screen of this width."""
    for pattern, instead in _VOLATILE:
        text = pattern.sub(lambda found, instead=instead: instead.rjust(len(found[0])), text)
    return _DAY.sub(lambda found: _any_day(found, cols), text)


def _any_day(found: re.Match[str], cols: int) -> str:
    """Return the same rule for all days, if it is drawn right for the length of this day's name."""
    return _day_rule("day", cols) if found[0] == _day_rule(found[1], cols) else found[0]


def _day_rule(day: str, cols: int) -> str:
    return "".join(text for _, text in rule(day, cols, 10)).rstrip()
