"""The real program on a pseudo-terminal, and golden files of its screen."""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest

from nsroom.tui.screen.lines import rule
from tests.peers.program import Program

KEYS = {
    "Enter": "\r",
    "Escape": "\x1b",
    "Space": " ",
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
# Text that differs between runs, and its replacement, which is padded to the same width.
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d\d\d"), "when"),
    (re.compile(r"(?<= )[+-]\d\d:\d\d$", re.MULTILINE), "zone"),
    (re.compile("[▁▂▃▄▅▆▇█]"), " "),
    (re.compile(r"\d\d:\d\d:\d\d\.\d\d\d"), "hh:mm:ss.mmm"),
    (re.compile(r"\d\d:\d\d:\d\d(?= )"), "hh:mm:ss"),
    (re.compile(r"(?<=^ )\d\d:\d\d(?=  )", re.MULTILINE), "hh:mm"),
    (re.compile(r" *✓ +[\d.]+ m?s"), "✓ took"),
    (re.compile(r" *rtt [\d.]+ m?s"), "rtt took"),
    (re.compile(r"(?<=^   )[\w-]{10,20}", re.MULTILINE), "sid"),
    (re.compile(r"(?<=[ │▌])([\w-]{20}|[\w-]{10,19}…)(?=$| )", re.MULTILINE), "sid"),
    (re.compile(r'(?<=sid: ")[\w-]{6,20}…?'), "sid"),
    (re.compile(r"(?<=^ server )\w{8}", re.MULTILINE), "id"),
    (re.compile(r"127\.0\.0\.1:\d+"), "server:port"),
    (re.compile(r"(?<=in ) *[\d,]+/s +out +[\d,]+/s"), "so many, out so many"),
)
_DAY = re.compile(r"^ +─+  (\w+day \d+ \w+)  ─+$", re.MULTILINE)
_POLL_INTERVAL = 0.02
# The modes that the view switches on, with the sequences for on and off.
_MODES = {
    "the alternate screen": ("\x1b[?1049h", "\x1b[?1049l"),
    "the mouse": ("\x1b[?1000h", "\x1b[?1000l"),
    "drags": ("\x1b[?1002h", "\x1b[?1002l"),
    "the title": ("\x1b[22;2t", "\x1b[23;2t"),
    "bracketed paste": ("\x1b[?2004h", "\x1b[?2004l"),
    "no cursor": ("\x1b[?25l", "\x1b[?25h"),
}
SCREENS = Path(__file__).parent / "screens"
SIZES = [(40, 12), (80, 24), (120, 36)]
sizes = pytest.mark.parametrize(("cols", "rows"), SIZES, ids=[f"{cols}x{rows}" for cols, rows in SIZES])


class Terminal:
    """A terminal with a program."""

    def __init__(self, program: Program, rows: int, cols: int) -> None:
        self.program = program
        self.screen = pyte.Screen(cols, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._consumed = 0

    @property
    def lines(self) -> list[str]:
        """The lines on the screen now."""
        data = bytes(self.program.stdout.data)
        self._stream.feed(data[self._consumed :])
        self._consumed = len(data)
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """The text on the screen now."""
        return "\n".join(self.lines)

    def press(self, *keys: str) -> None:
        """Press keys by name, or type text."""
        for key in keys:
            self.program.type(KEYS.get(key, key))

    async def until(self, wanted: str | Callable[[str], bool], timeout: float = 10) -> str:
        """Wait until the screen shows a text, or a condition on its text is true."""
        is_shown = wanted if callable(wanted) else lambda text: wanted in text
        for _ in range(int(timeout / _POLL_INTERVAL)):
            if is_shown(self.text):
                return self.text
            await asyncio.sleep(_POLL_INTERVAL)
        raise AssertionError(f"no {wanted!r} within {timeout} s on:\n{self.text}")

    async def gone(self, hidden: str) -> str:
        """Wait until the screen no longer shows a text."""
        return await self.until(lambda text: hidden not in text)

    async def settled(self, quiet: float = 0.3) -> None:
        """Wait until the program stops writing."""
        for _ in range(100):
            before = len(self.program.stdout.data)
            await asyncio.sleep(quiet)
            if len(self.program.stdout.data) == before:
                return

    def resize(self, rows: int, cols: int) -> None:
        """Change the size of the terminal."""
        _ = self.lines
        self.screen.resize(rows, cols)
        self.program.resize(rows, cols)


def steady(text: str, cols: int) -> str:
    """Replace the parts of a screen of this width that differ between runs."""
    for pattern, instead in _VOLATILE:
        text = pattern.sub(lambda found, instead=instead: instead.rjust(len(found[0])), text)
    return _DAY.sub(lambda found: _any_day(found, cols), text)


def _any_day(found: re.Match[str], cols: int) -> str:
    """Replace the rule above a day by one that is the same for all days, if it is correct for its own day."""
    return _day_rule("day", cols) if found[0] == _day_rule(found[1], cols) else found[0]


def _day_rule(day: str, cols: int) -> str:
    return "".join(text for _, text in rule(day, cols, 10)).rstrip()


async def looks_like(terminal: Terminal, name: str) -> None:
    """Wait until the screen is equal to the golden file; fail with the difference if it never is."""
    cols = terminal.screen.columns
    file = SCREENS / f"{name}-{cols}x{terminal.screen.lines}.txt"
    if os.environ.get("NSROOM_SCREENS") == "write":
        await terminal.settled()
        file.parent.mkdir(exist_ok=True)
        file.write_text(steady(terminal.text, cols) + "\n", "utf-8")
    wanted = file.read_text("utf-8")
    try:
        await terminal.until(lambda text: steady(text, cols) + "\n" == wanted, timeout=5)
    except AssertionError:
        assert steady(terminal.text, cols) + "\n" == wanted


def left_on(terminal: Terminal) -> list[str]:
    """Return the modes that are still on."""
    text = terminal.program.stdout.text
    return [name for name, (on, off) in _MODES.items() if on in text and text.rfind(on) > text.rfind(off)]


def after_the_screen(terminal: Terminal) -> str:
    """Return the text printed after the screen was closed."""
    text = terminal.program.stdout.text.rpartition("\x1b[?1049l")[2]
    return re.sub(r"\x1b\[[?\d;]*[a-zA-Z]|\x1b[78=>]", "", text).strip()
