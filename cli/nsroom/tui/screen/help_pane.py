"""The help over the screen: whether it is open, and how far it is scrolled."""

from dataclasses import dataclass

from nsroom.tui.screen.lines import Fragments, fit


@dataclass(slots=True)
class HelpPane:
    """The state of the help."""

    is_open: bool = False
    top: int = 0

    def open(self) -> None:
        """Open the help at its first line."""
        self.is_open, self.top = True, 0

    def close(self) -> None:
        """Close the help."""
        self.is_open = False

    def scroll(self, steps: int) -> None:
        """Scroll by lines."""
        self.top += steps

    def visible(self, lines: list[Fragments], width: int, height: int) -> list[Fragments]:
        """Return the lines in a window of this size; the last one says that there are more, if there are."""
        if len(lines) <= height:
            self.top = 0
            return [fit(line, width) for line in lines]
        room = max(height - 1, 1)
        self.top = min(max(self.top, 0), len(lines) - room)
        below = len(lines) - room - self.top
        foot = f" ▼ {below} more lines: ↓ PgDn Space G " if below else " ▲ the end: ↑ PgUp g "
        shown = [fit(line, width) for line in lines[self.top : self.top + room]]
        return [*shown, fit([("class:badge", foot)], width)]
