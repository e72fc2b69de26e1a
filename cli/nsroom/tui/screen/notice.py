"""The line of text above the key bar: the result of the last command."""

from dataclasses import dataclass

_SECONDS = 6.0
"""How long good news is shown; a failure stays until the next key."""


@dataclass(slots=True)
class Notice:
    """A text for the user, if any."""

    text: str = ""
    failed: bool = False
    _shown_at: float = 0.0
    """The time of the first frame with this text; 0 before that."""

    def show(self, text: str, failed: bool = False) -> None:
        """Show a text instead of the current one."""
        self.text, self.failed, self._shown_at = text, failed, 0.0

    def clear(self) -> None:
        """Show nothing."""
        self.show("")

    def tick(self, now: float) -> None:
        """Clear good news that was shown long enough; `now` is in seconds."""
        if not self.text or self.failed:
            return
        self._shown_at = self._shown_at or now
        if now > self._shown_at + _SECONDS:
            self.clear()
