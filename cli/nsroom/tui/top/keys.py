"""The keys of the view of a server: one table for the bindings, the key bar and the help."""

from collections.abc import Mapping

from nsroom.tui.screen.keymap import fitting, key_name, pairs
from nsroom.tui.screen.lines import Fragments, fit
from nsroom.tui.top.rows import Level
from nsroom.tui.top.state import TopView

Remapped = Mapping[str, tuple[str, ...]]
KEYS = {
    "up": (("up", "k"), "the row before", "select"),
    "down": (("down", "j"), "the next row", ""),
    "page_up": (("pageup",), "a page up", ""),
    "page_down": (("pagedown", "space"), "a page down", ""),
    "home": (("home", "g"), "the first row, and stay at the top", ""),
    "end": (("end", "G"), "the last row; the newest events", ""),
    "enter": (("enter", "right", "l"), "go into it: rooms, their sockets, what a socket does", "open"),
    "back": (("escape", "left", "h"), "take the filter off, or go back", "back"),
    "filter": (("/", "f3", "f"), "list only what holds a text", "filter"),
    "sort": (("s",), "sort by the next column", "sort"),
    "reverse": (("r",), "sort the other way round", "reverse"),
    "help": (("?", "f1"), "these keys", "keys"),
    "leave": (("q", "c-q"), "quit", "quit"),
}
"""The keys of each function, what it does, and how the key bar calls it."""
_NOTES = (
    "An event, emitted or received, counts for its socket, for the",
    "rooms that the socket is in, and for the namespace. Rates are",
    "of the last whole second; graphs, and the order, of the last 8.",
)


def shown_keys(name: str, remapped: Remapped) -> tuple[str, ...]:
    """Give the keys of a function; those that the settings name for the live view hold here too."""
    return remapped.get(name, KEYS[name][0])


def bar(view: TopView, width: int, remapped: Remapped) -> Fragments:
    """Show the keys that work here and now."""
    if view.asking:
        return fit([("", " "), *pairs([("⏎", "keep it"), ("Esc", "leave it")])], width)
    if view.help:
        return fit([("", " "), *pairs([("↑↓", "scroll"), ("any other key", "closes this")])], width)
    labels = {
        name: ("↑↓" if name == "up" else key_name(shown_keys(name, remapped)[0]), _label(view, name))
        for name in KEYS
        if _label(view, name)
    }
    return fit([("", " "), *pairs(fitting(labels, ("leave", "help", "back"), width + 1))], width)


def _label(view: TopView, name: str) -> str:
    page, label = view.model.page, KEYS[name][2]
    if page.level is Level.EVENTS and name in ("enter", "filter", "sort", "reverse"):
        return ""
    if name == "back":
        return "show all" if page.pattern else label if len(view.model.pages) > 1 else ""
    return "scroll" if name == "up" and page.level is Level.EVENTS else label


def help_lines(remapped: Remapped) -> list[Fragments]:
    """List the keys, and what the numbers mean."""
    made: list[Fragments] = [[], [("bold", "  Keys")], []]
    for name, (_, text, _) in KEYS.items():
        keys = " ".join(map(key_name, shown_keys(name, remapped)))
        made.append([("class:key", f"  {keys:16}"), ("", text)])
    return [*made, [], *([("", f"  {note}")] for note in _NOTES), []]
