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
        """Return the lines in a window of this size."""
        self.top = min(max(self.top, 0), max(len(lines) - height, 0))
        return [fit(line, width) for line in lines[self.top : self.top + height]]
