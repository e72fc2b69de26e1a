"""The state of the screen of `top`, apart from its lists."""

from dataclasses import dataclass, field

from nsroom.tui.screen.help_pane import HelpPane
from nsroom.tui.screen.notice import Notice
from nsroom.tui.top.actions import Actions
from nsroom.tui.top.model import Model


@dataclass(slots=True)
class TopView:
    """The state that layout and keys share."""

    model: Model
    server: str
    via: str
    """The source of the lists: `via /admin`."""
    connection: str = ""
    """The state of the connection to the admin namespace, if it is lost."""
    notice: Notice = field(default_factory=Notice)
    help: HelpPane = field(default_factory=HelpPane)
    typed_count: str = ""
    """The number typed before the next key."""
    question: str = ""
    """The label of the question that the user is answering, if any."""
    actions: Actions | None = None
    """What changes the server; None if it shows itself only through its events."""
    height: int = 10
    """The rows of the list."""
    head: int = 0
    """The lines above its first row."""

    def tick(self, now: float) -> None:
        """Set the time of the next frame, in seconds."""
        self.model.tick(int(now * 1e6))
        self.notice.tick(now)
