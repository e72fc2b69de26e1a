"""The keys of `top`, and the key bar and help made from them."""

from collections.abc import Mapping, Sequence

from nsroom.tui.screen.keymap import HELP_KEYS, Shown, fitting, key_at, key_name, labelled
from nsroom.tui.screen.lines import Fragments, fit
from nsroom.tui.top.rows import Level
from nsroom.tui.top.state import TopView

Remapped = Mapping[str, tuple[str, ...]]
KEYS = {
    "up": (("up", "k"), "select the previous row", "select"),
    "down": (("down", "j"), "select the next row", ""),
    "page_up": (("pageup", "c-b"), "page up", ""),
    "page_down": (("pagedown", "c-f", "space"), "page down", ""),
    "half_page_up": (("c-u",), "half a page up", ""),
    "half_page_down": (("c-d",), "half a page down", ""),
    "home": (("home", "g"), "go to the first row, and stay at the top", ""),
    "end": (("end", "G"), "go to the last row, or the newest events", ""),
    "enter": (("enter", "right", "l"), "open: rooms, their sockets, a socket's events", "open"),
    "back": (("escape", "left", "h"), "remove the filter, or go back", "back"),
    "search": (("/",), "go to the next row that contains a text", "search"),
    "search_next": (("n",), "next match", ""),
    "search_back": (("N",), "previous match", ""),
    "filter": (("f3", "f"), "show only rows that contain a text", "filter"),
    "sort": (("s",), "sort by the next column", "sort"),
    "reverse": (("r",), "reverse the order", "reverse"),
    "follow": (("F",), "follow the selected row's events in the live view", "follow"),
    "kick": (("K",), "disconnect the socket, or the room's members (--write)", "kick"),
    "join": (("J",), "join the socket, or the members, to a room (--write)", "join"),
    "emit": (("e",), "emit to the socket, room or namespace (--write)", "emit"),
    "mouse": (("M",), "mouse on or off: without it the terminal selects text", ""),
    "help": (("?", "f1"), "show the keys", "keys"),
    "leave": (("q", "c-q"), "quit", "quit"),
}
"""The keys of each function, its help, and its label in the key bar."""
_ASK_KEYS = (Shown("enter", "⏎", "apply"), Shown("escape", "Esc", "cancel"))
_FIRST = ("leave", "help", "back")
_NOT_FOR_EVENTS = frozenset(["enter", "search", "filter", "sort", "reverse"])
_CHANGES = frozenset(["kick", "join", "emit"])
_NOTES = (
    "Each event, sent or received, counts for its socket, for the",
    "socket's rooms and for the namespace. Rates cover the last",
    "whole second; graphs and sorting cover the last eight.",
    "A number before a key repeats it: 5j; 12G goes to row 12.",
    "Select text with the terminal by dragging with Shift, or after M.",
)


def shown_keys(name: str, remapped: Remapped) -> tuple[str, ...]:
    """Return the keys of a function; those from the settings of the live view apply here too."""
    return remapped.get(name, KEYS[name][0])


def bar(view: TopView, width: int, remapped: Remapped) -> Fragments:
    """Return the key bar: the keys that work now."""
    return fit([("", _bar_start(view)), *labelled(_shown(view, width, remapped))], width)


def key_in_bar(view: TopView, width: int, remapped: Remapped, x: int) -> str:
    """Return the keys that a click at a column of the key bar presses, or nothing."""
    return key_at(_shown(view, width, remapped), x - len(_bar_start(view)))


def _bar_start(view: TopView) -> str:
    return f" {view.typed_count} " if view.typed_count else " "


def _shown(view: TopView, width: int, remapped: Remapped) -> Sequence[Shown]:
    if view.question:
        return _ASK_KEYS
    if view.help.is_open:
        return HELP_KEYS
    labels = {name: _bar_entry(name, label, remapped) for name in KEYS if (label := _label(view, name))}
    return fitting(labels, _FIRST, width + 1)


def _bar_entry(name: str, label: str, remapped: Remapped) -> Shown:
    keys = shown_keys(name, remapped)[0]
    return Shown(keys, "↑↓" if name == "up" else key_name(keys), label)


def _label(view: TopView, name: str) -> str:
    page, label = view.model.page, KEYS[name][2]
    if page.level is Level.EVENTS and name in _NOT_FOR_EVENTS:
        return ""
    if name == "follow" and view.actions is None:
        return ""
    if name in _CHANGES and (view.actions is None or not view.actions.can_write):
        return ""
    if name == "up":
        return "scroll" if page.level is Level.EVENTS else label
    if name == "back" and page.pattern:
        return "show all"
    if name == "back" and len(view.model.pages) == 1:
        return ""
    return label


def help_lines(remapped: Remapped) -> list[Fragments]:
    """Return the help: the keys, and what the numbers mean."""
    lines: list[Fragments] = [[], [("bold", "  Keys")], []]
    for name, (_, text, _) in KEYS.items():
        keys = " ".join(map(key_name, shown_keys(name, remapped)))
        lines.append([("class:key", f"  {keys:16}"), ("", text)])
    return [*lines, [], *([("", f"  {note}")] for note in _NOTES), []]
