"""The keys of the live view: one table, from which the bindings, the key bar and the help are made."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nsroom.output.terminal import cells
from nsroom.record import Kind
from nsroom.tui.screen.lines import Fragments, fit
from nsroom.tui.screen.state import Focus, Mode, View


class Key(NamedTuple):
    """A function of the view and the keys for it."""

    name: str
    keys: tuple[str, ...]
    where: tuple[Focus, ...]
    help: str
    bar: str = ""
    """How the key bar calls it; empty for what is not shown there."""


_INPUT, _STREAM, _DETAIL = (Focus.INPUT,), (Focus.STREAM,), (Focus.DETAIL,)
_READING = (Focus.STREAM, Focus.DETAIL)
_ALL = (Focus.INPUT, Focus.STREAM, Focus.DETAIL)

KEYS = (
    Key("up", ("up", "k"), _STREAM, "select the row before", "select"),
    Key("down", ("down", "j"), _STREAM, "select the next row; after the last, follow"),
    Key("detail_up", ("up", "k"), _DETAIL, "the line before", "move"),
    Key("detail_down", ("down", "j"), _DETAIL, "the next line"),
    Key("page_up", ("pageup",), _ALL, "a page up"),
    Key("page_down", ("pagedown",), _ALL, "a page down"),
    Key("home", ("home", "g"), _READING, "the oldest row"),
    Key("end", ("end", "G"), _READING, "the newest row, and follow"),
    Key("detail", ("enter",), _STREAM, "open or close the detail", "detail"),
    Key("fold", ("enter", "space", "left", "right"), _DETAIL, "fold or unfold", "fold"),
    Key("close_detail", ("escape", "q"), _DETAIL, "close the detail", "close"),
    Key("send", ("enter",), _INPUT, "send, or run the command; goes on while a bracket is open", "send"),
    Key("newline", ("escape enter",), _INPUT, "a new line"),
    Key("editor", ("f4", "c-x c-e"), _INPUT, "write it in $EDITOR", "editor"),
    Key("recall", ("c-r",), _INPUT, "search in what was typed before", "earlier"),
    Key("search", ("/",), _STREAM, "search the stream upwards", "search"),
    Key("search_next", ("n",), _STREAM, "the next match upwards"),
    Key("search_back", ("N",), _STREAM, "the next match downwards"),
    Key("filter", ("f3", "f"), _STREAM, "show only what matches an expression", "filter"),
    Key("input_filter", ("f3",), _INPUT, "show only what matches an expression", "filter"),
    Key("only", ("o",), _READING, "only this event"),
    Key("hide", ("h",), _READING, "hide this event"),
    Key("only_client", ("C",), _READING, "only this client", "client"),
    Key("unfilter", ("x",), _READING, "show everything again", "show all"),
    Key("mode", ("f2", "v"), _STREAM, "switch between events and chat", "chat"),
    Key("input_mode", ("f2",), _INPUT, "switch between events and chat", "chat"),
    Key("pause", ("f5", "p"), _STREAM, "hold the screen, or go on", "pause"),
    Key("input_pause", ("f5",), _INPUT, "hold the screen, or go on"),
    Key("jump", ("a",), _READING, "from an emit to its acknowledgement, and back", "ack"),
    Key("mark", ("m",), _STREAM, "mark the row"),
    Key("next_mark", ("'",), _STREAM, "the next mark upwards"),
    Key("back_mark", ('"',), _STREAM, "the next mark downwards"),
    Key("copy", ("c",), _READING, "copy the record: then j JSON, e emit, s JavaScript, p Python", "copy as…"),
    Key("edit", ("e",), _READING, "edit the event and send it again", "edit and send"),
    Key("resend", ("r",), _READING, "send the event again; or try to connect again", "try again"),
    Key("deltas", ("t",), _STREAM, "times, or what passed since the row before"),
    Key("heartbeats", ("b",), _STREAM, "show or hide heartbeats"),
    Key("sidebar", ("s",), _STREAM, "show or hide the sidebar"),
    Key("save", ("w",), _STREAM, "record what is here and what comes to a file"),
    Key("read", ("escape",), _INPUT, "go to the stream", "stream"),
    Key("write", ("i",), _READING, "go to the input", "write"),
    Key("switch", ("tab",), _READING, "go on: stream, detail, input"),
    Key("help", ("?", "f1"), _READING, "these keys", "keys"),
    Key("input_help", ("f1",), _INPUT, "the keys", "keys"),
    Key("leave", ("q",), _STREAM, "quit"),
    Key("quit", ("c-q",), _ALL, "quit", "quit"),
)
_SHOWN = {
    "up": "↑↓",
    "detail_up": "↑↓",
    "down": "↓",
    "enter": "⏎",
    "escape": "Esc",
    "escape enter": "Esc⏎",
    "c-q": "^Q",
    "c-r": "^R",
    "space": "Space",
    "tab": "Tab",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "c-x c-e": "^X^E",
}
_OF_EVENTS = ("detail", "search", "filter", "input_filter", "copy", "edit", "jump", "unfilter")
_OF_OWN = ("newline", "editor", "input_filter", "mode", "input_mode", "edit", "resend", "write")
"""What there is no use for where others talk."""
_OF_CLIENTS = ("only_client",)
"""… and where they do not."""
_TEXT_GOES = 'Text goes to the room, ["event", …] is emitted, // begins text with a slash.'
_TEXT_FILTERS = "Text is a filter: event=message & sid=… shows only that, an empty line shows everything."
_FIRST = ("quit", "help", "input_help")
"""What the bar shows even where there is little room."""


def bar(view: View, width: int, remapped: Mapping[str, tuple[str, ...]]) -> Fragments:
    """Show the keys that work here and now."""
    if view.copying:
        formats = [
            ("j", "JSON"),
            ("e", "nsroom emit"),
            ("s", "JavaScript"),
            ("p", "Python"),
            ("Esc", "leave"),
        ]
        return fit([("", " copy as  "), *pairs(formats)], width)
    if view.focus is Focus.ASK:
        return fit([("", " "), *pairs([("⏎", "take it"), ("Esc", "leave it")])], width)
    if view.focus is Focus.HISTORY:
        return fit([("", " "), *pairs([("⏎", "take it"), ("^R", "further back"), ("^G", "leave it")])], width)
    if view.help:
        return fit([("", " "), *pairs([("↑↓", "scroll"), ("any other key", "closes this")])], width)
    keys = [key for key in _offered(view) if key.bar and _works(key, view)]
    labels = {key.name: (_shown(key, remapped), _label(key, view)) for key in keys}
    return fit([("", " "), *pairs(fitting(labels, _FIRST, width + 1))], width)


def fitting(labels: Mapping[str, tuple[str, str]], first: Sequence[str], room: int) -> list[tuple[str, str]]:
    """Choose of keys and their labels what there is room for, the most needed first, in their order."""
    chosen = set()
    for name in sorted(labels, key=lambda name: name not in first):
        key, label = labels[name]
        room -= cells(key) + cells(label) + 3
        if room < 0:
            break
        chosen.add(name)
    return [label for name, label in labels.items() if name in chosen]


def _offered(view: View) -> list[Key]:
    """Give the keys of where one stands, without those that there is no use for."""
    useless = _OF_OWN if view.of_others else _OF_CLIENTS
    return [key for key in KEYS if view.focus in key.where and key.name not in useless]


def _works(key: Key, view: View) -> bool:
    cursor = view.model.cursor
    if view.mode is Mode.CHAT and key.name in _OF_EVENTS:
        return False
    if key.name == "copy":
        return cursor is not None
    if key.name == "edit":
        record = view.model.selected()
        return view.sends and record is not None and record.kind is Kind.EVENT
    if key.name == "only_client":
        return cursor is not None
    if key.name == "resend":
        return bool(view.failure)
    if key.name == "jump":
        return cursor is not None and cursor in view.model.acks.partners
    if key.name == "unfilter":
        return view.model.where is not None
    if key.name == "editor" or key.name == "write":
        return not view.recorded_from
    return True


def _label(key: Key, view: View) -> str:
    if key.name in ("mode", "input_mode"):
        return "events" if view.mode is Mode.CHAT else "chat"
    if key.name == "send" and view.of_others:
        return "filter"
    if key.name == "pause":
        return "go on" if view.model.paused else "pause"
    if key.name == "up" and view.mode is Mode.CHAT:
        return "scroll"
    return key.bar


def _shown(key: Key, remapped: Mapping[str, tuple[str, ...]]) -> str:
    if key.name in remapped:
        return key_name(remapped[key.name][0])
    return _SHOWN.get(key.name) or key_name(key.keys[0])


def key_name(keys: str) -> str:
    """Name a key as a key bar does."""
    if keys in _SHOWN and keys != "up":
        return _SHOWN[keys]
    if keys == "up":
        return "↑"
    return keys.upper() if keys.startswith("f") and keys[1:].isdigit() else keys.replace("c-", "^")


def pairs(labels: Sequence[tuple[str, str]]) -> Fragments:
    """Show keys with their labels."""
    parts = [(("class:key", key), ("class:quiet", f" {label}"), ("", "  ")) for key, label in labels]
    return [piece for part in parts for piece in part][:-1]


def help_lines(
    view: View, remapped: Mapping[str, tuple[str, ...]], commands: Sequence[tuple[str, str]]
) -> list[Fragments]:
    """List the keys that work here, and the commands, each with its usage and its help."""
    where = {Focus.DETAIL: "the detail", Focus.INPUT: "the input"}.get(view.focus, f"the {view.mode}")
    made: list[Fragments] = [[], [("bold", f"  Keys in {where}")], []]
    for key in _offered(view):
        keys = " ".join(map(key_name, remapped.get(key.name, key.keys)))
        made.append([("class:key", f"  {keys:16}"), ("", key.help)])
    made += [[], [("bold", "  Commands in the input")], []]
    for usage, text in commands:
        made.append([("class:key", f"  {usage:30}"), ("", text)])
    return [*made, [], [("", f"  {_TEXT_FILTERS if view.of_others else _TEXT_GOES}")], []]
