"""How far a list is scrolled; the sidebar and the groups share this."""

from dataclasses import dataclass


@dataclass(slots=True)
class Scroll:
    """The first line of a window on a list."""

    top: int = 0
    anchor: int = -1
    """The line that was last made visible; until it changes, the wheel scrolls freely."""

    def window(self, count: int, rows: int, anchor: int) -> range:
        """Return the numbers of the lines in a window of this height."""
        if anchor != self.anchor:
            self.anchor = anchor
            # The first and the last line of a window are for the numbers of hidden lines, if it has more.
            lowest, highest = (anchor - rows + 2, anchor - 1) if rows > 2 else (anchor, anchor)
            self.top = min(max(self.top, lowest), max(highest, 0))
        self.top = min(max(self.top, 0), max(count - rows, 0))
        return range(self.top, min(self.top + rows, count))
