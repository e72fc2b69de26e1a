"""The actions of the keys in the detail: search, copy a value or its path, compare with an earlier event."""

from functools import partial

from nsroom.tui.input import copy_formats
from nsroom.tui.input.key_context import KeyContext
from nsroom.tui.screen.json_tree import Place, path_text
from nsroom.tui.screen.state import Mode, View


def ask_search(context: KeyContext) -> None:
    """Ask for the text to search for."""
    context.host.ask("search", "", partial(search, context.view))


def search(view: View, text: str) -> None:
    """Go to the next line with this text, or with the text of the last search, and unfold what hides it."""
    view.model.pattern = text or view.model.pattern
    if view.detail is not None and view.model.pattern:
        row = view.detail.unfold(view.model.pattern, view.detail_row)
        view.detail_row = row - 1  # the line itself may match too
    search_next(view, forward=True)
    view.detail_row = max(view.detail_row, 0)


def search_next(view: View, forward: bool) -> None:
    """Go to the next line with the text of the last search."""
    pattern = view.model.pattern
    if not pattern or view.detail is None:
        view.notice.show("nothing to search for; press / first", failed=True)
        return
    found = view.detail.find(pattern, view.detail_row, forward)
    if found is None:
        view.notice.show(f"not found {'below' if forward else 'above'}: {pattern}", failed=True)
    else:
        view.detail_row = found


def copy_value(context: KeyContext) -> None:
    """Copy the value on the current line."""
    if (place := _place(context.view)) is not None:
        context.host.copy(copy_formats.as_value(place.value))


def copy_path(context: KeyContext) -> None:
    """Copy the path of the value on the current line."""
    place = _place(context.view)
    if place is not None and place.path:
        context.host.copy(path_text(place.path))
    elif place is not None:
        context.view.notice.show("this line is not a part of the arguments", failed=True)


def _place(view: View) -> Place | None:
    place = view.detail.place(view.detail_row) if view.detail is not None else None
    if place is None:
        view.notice.show("this line has no value", failed=True)
    return place


def compare(view: View) -> None:
    """Show what differs from the previous event of this name, or the whole event again."""
    if view.mode is Mode.CHAT:
        return
    if view.model.cursor is None:
        view.model.move(-1)
    view.comparing = not (view.comparing and view.detail is not None)
    view.show_detail()
    if view.comparing and view.detail is not None and view.detail.previous is None:
        view.notice.show("this is the first event of its name", failed=True)
