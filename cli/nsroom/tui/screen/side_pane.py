"""The state of the sidebar: its selected and folded lines, their order, and how far it is scrolled."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Place(NamedTuple):
    """What a line of the sidebar selects: a namespace, a room in it, or a client."""

    namespace: str = ""
    room: str = ""
    client: str = ""


@dataclass(slots=True)
class Scroll:
    """How far one list of the sidebar is scrolled."""

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


@dataclass(slots=True)
class SidePane:
    """The state of the sidebar."""

    cursor: Place | None = None
    toggled: set[Place] = field(default_factory=set)
    """The lines that are folded or unfolded unlike the others of their kind."""
    unread_first: bool = False
    namespaces: Scroll = field(default_factory=Scroll)
    below: Scroll = field(default_factory=Scroll)
    """The rooms or the clients."""

    def toggle(self, place: Place) -> None:
        """Fold or unfold what is below a line."""
        self.toggled ^= {place}

    def scroll(self, steps: int) -> None:
        """Scroll both lists by lines."""
        self.namespaces.top += steps
        self.below.top += steps
