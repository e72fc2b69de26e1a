"""Ask the terminal whether its background is dark or light, and keep its answer from the keys.

The question is OSC 11, sent with the first frame. Nothing waits for the answer: the theme follows whenever it
comes, and a terminal that never answers keeps the theme that COLORFGBG names, else the dark one. Terminals
that may print the question instead of ignoring it are not asked.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping

from prompt_toolkit.input import Input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.output import Output

from nsroom.output.terminal import Theme

QUESTION = "\x1b]11;?\x1b\\"
_PATIENCE = 0.5
"""Seconds after the question for which a closing view stays, or the shell would read the answer."""
_ANSWER = re.compile(r"\x1b?\]11;(rgba?:[0-9a-fA-F/]{1,24}|#[0-9a-fA-F]{3,12})(?:\x07|\x1b\\)")
# An Escape may be a key: without the rest of an answer it is held no longer than the key's own time-out.
_START = re.compile(r"\x1b(?:\](?:1(?:1(?:;[rgb:#0-9a-fA-F/]{0,30}\x1b?)?)?)?)?\Z")
_CHANNEL = re.compile(r"[0-9a-fA-F]{1,4}")
_NOT_ASKED = re.compile(r"|dumb|unknown|linux|cygwin|cons25|vt\d+|ansi|eterm.*|emacs.*")
_LIGHT_COLOURS = frozenset(["7", *map(str, range(9, 16))])
_LIGHT_LUMINANCE = 0.18
"""From here on, black text has more contrast than white text."""


def theme_of_environment(environment: Mapping[str, str]) -> Theme:
    """Return the theme for the background in COLORFGBG, such as `0;15`; dark without one."""
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return Theme.LIGHT if background in _LIGHT_COLOURS else Theme.DARK


def theme_of_colour(colour: str) -> Theme | None:
    """Return the theme for a background such as `rgb:ffff/ffff/ffff`, or None if it is malformed."""
    channels = _channels(colour)
    if len(channels) < 3 or not all(map(_CHANNEL.fullmatch, channels)):
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in channels[:3])
    return Theme.LIGHT if luminance(red, green, blue) > _LIGHT_LUMINANCE else Theme.DARK


def _channels(colour: str) -> list[str]:
    if colour.startswith("#"):
        digits = len(colour) // 3
        return re.findall(f"[0-9a-fA-F]{{{digits}}}", colour) if digits else []
    return colour.partition(":")[2].split("/")


def luminance(red: float, green: float, blue: float) -> float:
    """Return the relative luminance of a colour, as WCAG defines it; all values are from 0 to 1."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def can_ask(environment: Mapping[str, str]) -> bool:
    """Return whether this kind of terminal ignores the question if it cannot answer it."""
    return not _NOT_ASKED.fullmatch(environment.get("TERM", ""))


class AnswerParser(Vt100Parser):
    """A parser of keys that takes the terminal's answer out of them, even if it arrives late or in pieces."""

    def __init__(self, feed_key: Callable[[KeyPress], None], answered: Callable[[str], None]) -> None:
        super().__init__(feed_key)
        self._answered = answered
        self._held = ""

    def feed(self, data: str) -> None:
        """Parse what was read; the start of a possible answer is held until more is read."""
        text = _ANSWER.sub(self._take, self._held + data)
        start = _START.search(text)
        self._held = text[start.start() :] if start else ""
        super().feed(text[: len(text) - len(self._held)])

    def _take(self, found: re.Match[str]) -> str:
        self._answered(found[1])
        return ""

    def flush(self) -> None:
        """Release what was held if it can be a key: Escape, or Alt with a bracket."""
        if len(self._held) <= 2:
            held, self._held = self._held, ""
            super().feed(held)
        super().flush()


class BackgroundQuestion:
    """The question for the terminal's background, and its answer, if any."""

    def __init__(self, terminal: Input, output: Output, answered: Callable[[Theme], None]) -> None:
        self._output = output
        self._answered = answered
        self._can_ask = can_ask(os.environ) and _keep_from_keys(terminal, self._handle_answer)
        self._asked_at: float | None = None

    def ask(self, now: float) -> None:
        """Ask once, if this kind of terminal can be asked."""
        if self._can_ask:
            self._can_ask, self._asked_at = False, now
            self._output.write_raw(QUESTION)
            self._output.flush()

    def _handle_answer(self, colour: str) -> None:
        self._asked_at = None
        if theme := theme_of_colour(colour):
            self._answered(theme)

    def may_be_answered(self, now: float) -> bool:
        """Return whether an answer may still be under way."""
        return self._asked_at is not None and now < self._asked_at + _PATIENCE


def _keep_from_keys(terminal: Input, answered: Callable[[str], None]) -> bool:
    """Take answers out of the keys; return whether this kind of input can do that."""
    if sys.platform != "win32":
        from prompt_toolkit.input.vt100 import Vt100Input

        if isinstance(terminal, Vt100Input):
            terminal.vt100_parser = AnswerParser(terminal.vt100_parser.feed_key_callback, answered)
            return True
    return False
