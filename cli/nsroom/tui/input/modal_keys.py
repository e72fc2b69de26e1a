"""The keys while something else waits for one: a question, the help, the format of a copy."""

from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from nsroom.tui.input.actions import Actions
from nsroom.tui.screen.state import Focus, View

_FORMATS = {"j": "json", "e": "emit", "s": "js", "p": "python"}
_SCROLLS = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -10, "pagedown": 10, "space": 10}


class Host(Protocol):
    """What the application does with a question."""

    def answer(self) -> None:
        """Take the line that was asked for."""

    def leave_question(self) -> None:
        """Ask no more."""


def modal(view: View, actions: Actions, host: Host) -> KeyBindings:
    """Bind the keys of the help, of a question and of a copy."""
    bound = KeyBindings()
    asking = Condition(lambda: view.focus is Focus.ASK)
    helping, copying = Condition(lambda: view.help), Condition(lambda: view.copying)

    @bound.add("<any>", filter=helping, eager=True)
    def _(_event: KeyPressEvent) -> None:
        view.help = False

    @bound.add("<any>", filter=copying, eager=True)
    def _(event: KeyPressEvent) -> None:
        actions.copy_as(_FORMATS.get(event.data, ""))

    @bound.add("escape", filter=asking)
    def _(_event: KeyPressEvent) -> None:
        host.leave_question()

    @bound.add("enter", filter=asking, eager=True)
    def _(_event: KeyPressEvent) -> None:
        host.answer()

    for key, steps in _SCROLLS.items():
        bound.add(key, filter=helping, eager=True)(_scroller(view, steps))
    return bound


def _scroller(view: View, steps: int) -> Callable[[KeyPressEvent], None]:
    def scroll(_event: KeyPressEvent) -> None:
        view.help_top += steps

    return scroll
