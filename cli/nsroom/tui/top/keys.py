"""The keys of `top`, and the key bar and help made from them."""

from collections.abc import Mapping

from nsroom.tui.screen.keymap import HELP_KEYS, fitting, key_name, labelled
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
    "help": (("?", "f1"), "show the keys", "keys"),
    "leave": (("q", "c-q"), "quit", "quit"),
}
"""The keys of each function, its help, and its label in the key bar."""
_ASK_KEYS = (("⏎", "apply"), ("Esc", "cancel"))
_FIRST = ("leave", "help", "back")
_NOT_FOR_EVENTS = frozenset(["enter", "search", "filter", "sort", "reverse"])
_CHANGES = frozenset(["kick", "join", "emit"])
_NOTES = (
    "Each event, sent or received, counts for its socket, for the",
    "socket's rooms and for the namespace. Rates cover the last",
    "whole second; graphs and sorting cover the last eight.",
)


def shown_keys(name: str, remapped: Remapped) -> tuple[str, ...]:
    """Return the keys of a function; those from the settings of the live view apply here too."""
    return remapped.get(name, KEYS[name][0])


def bar(view: TopView, width: int, remapped: Remapped) -> Fragments:
    """Return the key bar: the keys that work now."""
    if view.question:
        return fit([("", " "), *labelled(_ASK_KEYS)], width)
    if view.help.is_open:
        return fit([("", " "), *labelled(HELP_KEYS)], width)
    labels = {name: (_bar_key(name, remapped), label) for name in KEYS if (label := _label(view, name))}
    return fit([("", " "), *labelled(fitting(labels, _FIRST, width + 1))], width)


def _bar_key(name: str, remapped: Remapped) -> str:
    return "↑↓" if name == "up" else key_name(shown_keys(name, remapped)[0])


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
