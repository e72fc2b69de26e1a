"""Keys while the help, a question or the choice of a copy format is open, and text typed in the stream."""

from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from nsroom.tui.input.actions import copy_as, save_and_leave
from nsroom.tui.input.key_context import KeyContext
from nsroom.tui.screen.help_pane import HelpPane
from nsroom.tui.screen.state import Focus, Leaving, View

_FORMATS = {"j": "json", "e": "emit", "s": "js", "p": "python"}
_COUNTING = (Focus.STREAM, Focus.DETAIL, Focus.SIDEBAR)
_ENDS = 1_000_000
_MOVES = {"up": -1, "down": 1, "c-p": -1, "c-n": 1, "s-tab": -1, "tab": 1, "pageup": -10, "pagedown": 10}
"""The keys of the palette."""
_SCROLLS = {
    "up": -1,
    "k": -1,
    "down": 1,
    "j": 1,
    "pageup": -10,
    "c-b": -10,
    "pagedown": 10,
    "c-f": 10,
    "space": 10,
    "c-u": -5,
    "c-d": 5,
    "home": -_ENDS,
    "g": -_ENDS,
    "end": _ENDS,
    "G": _ENDS,
}
"""The keys of the help."""


class Host(Protocol):
    """The application's interface for questions."""

    def answer(self) -> None:
        """Accept the line that was asked for."""

    def cancel_answer(self) -> None:
        """Close the menu of completions or, without one, the question."""


def modal_bindings(context: KeyContext, host: Host) -> KeyBindings:
    """Return the keys of the help, of a question and of a copy."""
    view, bindings = context.view, KeyBindings()
    asking, copying = Condition(lambda: view.focus is Focus.ASK), Condition(lambda: view.copying)
    bind_help(bindings, view.help)
    choosing = Condition(lambda: view.palette is not None and view.focus is Focus.ASK)
    for key, steps in _MOVES.items():
        bindings.add(key, filter=choosing, eager=True)(_palette_mover(view, steps))

    @bindings.add("<any>", filter=copying, eager=True)
    def _(event: KeyPressEvent) -> None:
        copy_as(context, _FORMATS.get(event.data, ""))

    @bindings.add("<any>", filter=Condition(lambda: view.leaving is not None), eager=True)
    def _(event: KeyPressEvent) -> None:
        _stay(context, event)

    @bindings.add("escape", filter=asking)
    def _(_event: KeyPressEvent) -> None:
        host.cancel_answer()

    @bindings.add("enter", filter=asking, eager=True)
    def _(_event: KeyPressEvent) -> None:
        host.answer()

    return bindings


def _stay(context: KeyContext, event: KeyPressEvent) -> None:
    """Handle a key that does not confirm leaving: `w` saves first, others do what they always do."""
    view = context.view
    asked, view.leaving = view.leaving, None
    if event.data == "w" and view.unsaved:
        save_and_leave(context)
        return
    typed = context.screen.leave_key
    if asked is Leaving.QUIT and view.can_send and f"{typed}{event.data}".isalnum() and len(typed) == 1:
        # Text that starts with the key, such as "quick question".
        context.screen.focus(Focus.INPUT)
        context.input.insert_text(typed)
    if event.data != "\x1b":
        event.app.key_processor.feed(event.key_sequence[0], first=True)


def _palette_mover(view: View, steps: int) -> Callable[[KeyPressEvent], None]:
    def move(_event: KeyPressEvent) -> None:
        if view.palette is not None:
            view.palette.move(steps)

    return move


def count_bindings(context: KeyContext) -> KeyBindings:
    """Return the bindings of digits, which are the number of times that the next key acts."""
    view, bindings = context.view, KeyBindings()
    reading = Condition(lambda: view.focus in _COUNTING and not view.is_modal)
    counting = Condition(lambda: bool(view.typed_count))

    for digit in "123456789":
        bindings.add(digit, filter=reading)(_count)
    bindings.add("0", filter=reading & counting)(_count)
    return bindings


def _count(event: KeyPressEvent) -> None:
    event.append_to_arg_count(event.data)


def typing_bindings(context: KeyContext) -> KeyBindings:
    """Return the bindings that open the input for text typed in the stream; the stream's keys come first."""
    view, bindings = context.view, KeyBindings()
    reading = Condition(lambda: view.focus is Focus.STREAM and view.can_send and not view.is_modal)

    @bindings.add("<any>", filter=reading)
    @bindings.add(Keys.BracketedPaste, filter=reading)
    def _(event: KeyPressEvent) -> None:
        count = str(event.arg) if event.arg_present else ""
        text = count + event.data.replace("\r\n", "\n").replace("\r", "\n")
        if text.strip() and (event.key_sequence[0].key is Keys.BracketedPaste or text.isprintable()):
            context.screen.focus(Focus.INPUT)
            context.input.insert_text(text)

    return bindings


def bind_help(bindings: KeyBindings, pane: HelpPane) -> None:
    """Bind the keys that scroll the help; every other key closes it."""
    is_open = Condition(lambda: pane.is_open)

    @bindings.add("<any>", filter=is_open, eager=True)
    def _(_event: KeyPressEvent) -> None:
        pane.close()

    for key, steps in _SCROLLS.items():
        bindings.add(key, filter=is_open, eager=True)(_scroller(pane, steps))


def _scroller(pane: HelpPane, steps: int) -> Callable[[KeyPressEvent], None]:
    def scroll(_event: KeyPressEvent) -> None:
        pane.scroll(steps)

    return scroll
