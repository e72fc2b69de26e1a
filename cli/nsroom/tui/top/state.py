"""The state of the screen besides what is listed."""

from dataclasses import dataclass

from nsroom.tui.top.model import Model

_NOTICED = 6.0
"""Seconds for which something is said."""


@dataclass(slots=True)
class TopView:
    """What layout and keys share."""

    model: Model
    server: str
    via: str
    """Who tells all this."""
    connection: str = ""
    """How the connection stands, where it is lost."""
    notice: str = ""
    notice_failed: bool = False
    help: bool = False
    help_top: int = 0
    asking: bool = False
    """Whether the text for the filter is being typed."""
    height: int = 10
    """Rows of the list."""
    head: int = 0
    """Lines above the first of them."""
    _said: float = 0.0

    def say(self, text: str, failed: bool = False) -> None:
        """Say something above the keys."""
        self.notice, self.notice_failed, self._said = text, failed, 0.0

    def tick(self, now: float) -> None:
        """Take the time of the next frame, in seconds; what was said is gone after a while."""
        self.model.tick(int(now * 1e6))
        if self.notice:
            self._said = self._said or now
            if now > self._said + _NOTICED:
                self.say("")
