"""The mouse: reports of clicks and drags but not of every move, and clicks that press keys."""

import os
import sys

from prompt_toolkit.application import get_app
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import KEY_ALIASES, Keys
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output

_MODES = (1000, 1002, 1015, 1006)
"""Buttons, drags (not 1003, every move: a report per cell, over ssh too), and the encodings."""


class DragOutput(Vt100_Output):
    """A terminal that reports clicks, the wheel and drags."""

    def enable_mouse_support(self) -> None:
        """Ask the terminal for reports of the mouse."""
        self.write_raw("".join(f"\x1b[?{mode}h" for mode in _MODES))

    def disable_mouse_support(self) -> None:
        """Leave the mouse to the terminal."""
        self.write_raw("".join(f"\x1b[?{mode}l" for mode in reversed(_MODES)))


def drag_output() -> Output:
    """Return the terminal of this process."""
    if sys.platform == "win32":
        return create_output()
    depth = ColorDepth.from_env()
    return DragOutput.from_pty(sys.stdout, term=os.environ.get("TERM"), default_color_depth=depth)


def press(keys: str) -> None:
    """Press keys, named as in the keymap, once the current event is handled."""
    processor = get_app().key_processor
    for key in keys.split():
        processor.feed(_key_press(key))


def _key_press(key: str) -> KeyPress:
    if key == "space":
        return KeyPress(" ", " ")
    if len(key) == 1:
        return KeyPress(key, key)
    named = Keys(KEY_ALIASES.get(key, key))
    data = next((sequence for sequence, each in ANSI_SEQUENCES.items() if each is named), "")
    return KeyPress(named, data)
