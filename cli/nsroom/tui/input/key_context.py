"""The objects that the actions of the keys work on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from prompt_toolkit.buffer import Buffer

from nsroom.tui.screen.layout import Screen
from nsroom.tui.screen.state import View

_MAX_REPEATS = 1000


class Host(Protocol):
    """The application's interface for actions."""

    def run_line(self, text: str, typed: bool = False) -> None:
        """Run a line as if it was typed into the input."""

    def ask(
        self,
        label: str,
        text: str,
        done: Callable[[str], None],
        is_command: Callable[[str], bool] | None = None,
    ) -> None:
        """Ask for a line instead of the input."""

    def copy(self, text: str) -> None:
        """Copy text to the clipboard."""

    def leave(self) -> None:
        """Close the view."""

    def save_and_leave(self, path: str) -> None:
        """Save the records, and close the view if that succeeds."""

    def toggle_mouse(self) -> None:
        """Leave the mouse to the terminal, or take it back."""

    def retry(self) -> None:
        """Try to connect again."""


@dataclass(frozen=True, slots=True)
class KeyContext:
    """The objects that actions work on."""

    view: View
    screen: Screen
    host: Host

    @property
    def input(self) -> Buffer:
        """The input line."""
        return self.screen.input_buffer


Action = Callable[[KeyContext], None]


def repeat(action: Action) -> Action:
    """Return an action that is done as often as the count says."""

    def repeated(context: KeyContext) -> None:
        for _ in range(min(max(context.view.count, 1), _MAX_REPEATS)):
            action(context)

    return repeated
