"""The state of the sidebar: its selected and folded lines, their order, and how far it is scrolled."""

from dataclasses import dataclass, field
from typing import NamedTuple

from nsroom.tui.screen.scroll import Scroll


class Place(NamedTuple):
    """What a line of the sidebar selects: a namespace, a room in it, or a client."""

    namespace: str = ""
    room: str = ""
    client: str = ""


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
