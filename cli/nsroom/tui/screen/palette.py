"""The palette: all functions and commands with their keys, searched while typing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nsroom.output.terminal import clip
from nsroom.tui.screen.lines import Fragments, fit, justify

_KEYS_WIDTH = 16
_COMMAND_WIDTH = 30


class Entry(NamedTuple):
    """A function with its pane, or a command of the input."""

    keys: str
    """The keys as shown, or the usage of the command."""
    help: str
    function: str = ""
    pane: str = ""
    """The pane that the function is for, unless that is where the palette was opened."""
    command: str = ""
    """The text that starts the command."""


@dataclass(slots=True)
class Palette:
    """The entries, and the selected one of those that match."""

    entries: Sequence[Entry]
    pattern: str = ""
    at: int = 0
    top: int = 0

    @property
    def matches(self) -> list[Entry]:
        """The entries that contain each word of the pattern, in their order."""
        words = self.pattern.casefold().split()
        return [entry for entry in self.entries if all(word in _text(entry) for word in words)]

    @property
    def selected(self) -> Entry | None:
        """The selected entry, or None if nothing matches."""
        matches = self.matches
        return matches[self.at] if self.at < len(matches) else None

    def search(self, pattern: str) -> None:
        """Show only the entries that match."""
        self.pattern, self.at = pattern, 0

    def move(self, steps: int) -> None:
        """Move the selection."""
        self.at = min(max(self.at + steps, 0), max(len(self.matches) - 1, 0))

    def select(self, line: int) -> bool:
        """Select the entry on a line of the window; return whether there is one."""
        is_entry = self.top + line < len(self.matches)
        if is_entry:
            self.at = self.top + line
        return is_entry

    def lines(self, width: int, height: int) -> list[Fragments]:
        """Return the lines of a window of this size; the last one counts the matches."""
        matches, room = self.matches, max(height - 1, 1)
        self.top = min(max(self.top, self.at - room + 1), self.at)
        shown = matches[self.top : self.top + room]
        lines = [_line(entry, width, self.top + at == self.at) for at, entry in enumerate(shown)]
        lines += [[]] * (room - len(lines))
        count = f" {len(matches)} of {len(self.entries)}, ↑↓ to select "
        return [*lines, fit([("class:badge", count if matches else " nothing matches ")], width)]


def _text(entry: Entry) -> str:
    return f"{entry.keys} {entry.help} {entry.function.replace('_', ' ')} {entry.pane}".casefold()


def _line(entry: Entry, width: int, is_selected: bool) -> Fragments:
    room = _COMMAND_WIDTH if entry.command else _KEYS_WIDTH
    left = [("class:key", f"  {clip(entry.keys, room - 1):{room}}"), ("", entry.help)]
    right = [("class:quiet", f"  {entry.pane} ")] if entry.pane else []
    line = justify(left, right, width)
    return [(f"{style} class:row", text) for style, text in line] if is_selected else line
