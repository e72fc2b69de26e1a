"""Open the palette, and run what was selected in it."""

from collections.abc import Mapping

from nsroom.tui.input.key_context import Action, KeyContext
from nsroom.tui.screen.palette import Entry, Palette
from nsroom.tui.screen.state import Focus


def open_palette(context: KeyContext, actions: Mapping[str, Action]) -> None:
    """Ask for a function or command."""
    palette = Palette(context.screen.palette_entries())
    context.host.ask("function", "", lambda _text: _run(context, actions, palette.selected))
    context.view.palette = palette


def _run(context: KeyContext, actions: Mapping[str, Action], entry: Entry | None) -> None:
    if entry is None:
        context.view.notice.show("no function matches", failed=True)
    elif entry.command.endswith(" "):
        context.input.text = entry.command
        context.input.cursor_position = len(entry.command)
        context.screen.focus(Focus.INPUT)
    elif entry.command:
        context.host.run_line(entry.command)
    elif not entry.pane or _go_to(context, Focus(entry.pane)):
        actions[entry.function](context)


def _go_to(context: KeyContext, pane: Focus) -> bool:
    """Go to a pane, opening it if needed; return whether that is possible."""
    view = context.view
    if pane is Focus.DETAIL:
        if view.require_selected() is None:
            return False
        view.show_detail()
    elif pane is Focus.SIDEBAR:
        view.sidebar = True
    context.screen.focus(pane)
    return True
