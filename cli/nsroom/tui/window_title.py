"""The title of the terminal's window: set while the view is open, restored at the end."""

import os

from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output

from nsroom.output.terminal import clip, safe

_PUSH, _POP = "\x1b[22;2t", "\x1b[23;2t"
"""Save the title and restore it (XTWINOPS); a terminal that does not know them ignores them."""
_NO_TITLE = ("linux", "eterm-color", "dumb")
_WIDTH = 80


class WindowTitle:
    """The title of the window of an output."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._shown = ""
        self._has_title = isinstance(output, Vt100_Output) and os.environ.get("TERM") not in _NO_TITLE

    def show(self, title: str) -> None:
        """Set the title with the next output."""
        if title == self._shown or not self._has_title:
            return
        if not self._shown:
            self._output.write_raw(_PUSH)
        self._output.set_title(clip(safe(title), _WIDTH))
        self._shown = title

    def restore(self) -> None:
        """Restore the title that the window had before."""
        if self._shown:
            self._output.write_raw(_POP)
            self._output.flush()
            self._shown = ""
