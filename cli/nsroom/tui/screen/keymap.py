"""The table of keys, and the key bar and help made from it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from nsroom.output.terminal import cells
from nsroom.record import Kind
from nsroom.tui.screen.lines import Fragments, fit
from nsroom.tui.screen.state import Focus, Leaving, Mode, View

Remapped = Mapping[str, tuple[str, ...]]
"""Keys from the settings, by the name of the function."""


class Key(NamedTuple):
    """A function of the view and its keys."""

    name: str
    keys: tuple[str, ...]
    where: tuple[Focus, ...]
    help: str
    """Empty for a function that another one's help includes."""
    bar: str = ""
    """The label in the key bar; a function without one is not shown there."""


_INPUT, _STREAM, _DETAIL = (Focus.INPUT,), (Focus.STREAM,), (Focus.DETAIL,)
_READING = (Focus.STREAM, Focus.DETAIL)
_SIDEBAR = (Focus.SIDEBAR,)
_INPUT_SIDEBAR = (Focus.INPUT, Focus.SIDEBAR)
_LISTS = (Focus.STREAM, Focus.SIDEBAR)
_READING_ALL = (Focus.STREAM, Focus.DETAIL, Focus.SIDEBAR)
_ALL = (Focus.INPUT, *_READING_ALL)

KEYS = (
    Key("up", ("up", "k"), _LISTS, "select the previous row", "select"),
    Key("down", ("down", "j"), _LISTS, "select the next row; after the last one, follow"),
    Key("detail_up", ("up", "k"), _DETAIL, "previous line", "move"),
    Key("detail_down", ("down", "j"), _DETAIL, "next line"),
    Key("page_up", ("pageup",), _ALL, "page up"),
    Key("page_down", ("pagedown",), _ALL, "page down"),
    Key("home", ("home", "g g"), _READING_ALL, "go to the oldest row"),
    Key("end", ("end", "G"), _READING_ALL, "go to the newest row, and follow"),
    Key("talk", ("enter",), _SIDEBAR, "send typed text there from now on", "talk there"),
    Key("side_filter", ("f", "f3"), _SIDEBAR, "show only the rows of it", "only its rows"),
    Key("side_fold", ("space", "left", "right"), _SIDEBAR, "show or hide its rooms or members", "fold"),
    Key("unread_first", ("u",), _SIDEBAR, "unread rooms and namespaces first, or not", "unread first"),
    Key("leave_sidebar", ("escape", "q"), _SIDEBAR, "go to the stream", "stream"),
    Key("detail", ("enter",), _STREAM, "open or close the detail", "detail"),
    Key("fold", ("enter", "space", "left", "right"), _DETAIL, "fold or unfold", "fold"),
    Key("close_detail", ("escape", "q"), _DETAIL, "close the detail", "close"),
    Key("detail_search", ("/",), _DETAIL, "search the detail, also in what is folded", "search"),
    Key("detail_next", ("n",), _DETAIL, "next match downwards"),
    Key("detail_back", ("N",), _DETAIL, "next match upwards"),
    Key("copy_value", ("y",), _DETAIL, "copy the value on this line", "copy value"),
    Key("copy_path", ("Y",), _DETAIL, "copy the path of the value on this line, such as .items[0].sku"),
    Key("send", ("enter",), _INPUT, "send, or run the command; a new line if a bracket is open", "send"),
    Key("newline", ("escape enter",), _INPUT, "insert a new line"),
    Key("editor", ("f4", "c-x c-e"), _INPUT, "edit in $EDITOR", "editor"),
    Key("recall", ("c-r",), _INPUT, "search the input history", "history"),
    Key("search", ("/",), _STREAM, "search the stream upwards, or run a command: /join lobby", "search"),
    Key("input_search", ("c-f",), (Focus.STREAM, Focus.INPUT), "search the stream upwards"),
    Key("search_next", ("n",), _STREAM, "next match upwards"),
    Key("search_back", ("N",), _STREAM, "next match downwards"),
    Key("filter", ("f3", "f"), _STREAM, "show only rows that match an expression", "filter"),
    Key("input_filter", ("f3",), _INPUT, "show only rows that match an expression", "filter"),
    Key("group", ("g",), _STREAM, "group by event: counts, rates, last values and sizes", "group"),
    Key("back", ("escape",), _STREAM, "leave the groups; from the events of a group, back to them", "groups"),
    Key("time_line", ("T",), _STREAM, "show or hide the rate over the session"),
    Key("only", ("o",), _READING, "show only this event"),
    Key("hide", ("h",), _READING, "hide this event"),
    Key("only_client", ("C",), _READING, "show only this client", "client"),
    Key("unfilter", ("x",), _READING, "show everything again", "show all"),
    Key("mode", ("f2", "v"), _STREAM, "switch between events and chat", "chat"),
    Key("input_mode", ("f2",), _INPUT, "switch between events and chat", "chat"),
    Key("pause", ("f5", "p"), _STREAM, "pause or resume", "pause"),
    Key("input_pause", ("f5",), _INPUT, "pause or resume"),
    Key("play", ("space",), _STREAM, "play the recording from the selected row, or pause", "play"),
    Key("step", (".",), _STREAM, "show the next row of the recording", "step"),
    Key("step_back", (",",), _STREAM, "hide the last row of the recording again"),
    Key("faster", ("]",), _STREAM, "play twice as fast"),
    Key("slower", ("[",), _STREAM, "play half as fast"),
    Key("seek", ("@",), _STREAM, "go to a time in the recording: 12:03:04, +1:30, 50%, end", "time"),
    Key("jump", ("a",), _READING, "go from an event to its acknowledgement, or back", "ack"),
    Key("mark", ("m",), _STREAM, "mark or unmark the row"),
    Key("next_mark", ("'",), _STREAM, "next mark upwards"),
    Key("back_mark", ('"',), _STREAM, "next mark downwards"),
    Key("copy", ("c",), _READING, "copy the record; then j JSON, e emit, s JavaScript, p Python", "copy as…"),
    Key("compare", ("d",), _READING, "show what differs from the previous event of this name", "compare"),
    Key("edit", ("e",), _READING, "edit the event and send it again", "edit and send"),
    Key("resend", ("r",), _READING, "send the event again, or try to connect again", "try again"),
    Key("acknowledgements", ("A",), _STREAM, "show acknowledgements in rows of their own, or fold them"),
    Key("collapse", ("z",), _STREAM, "collapse repeats of an event into one row, or show each"),
    Key("row_colour", ("R",), _STREAM, "colour rows by event, by namespace, or not"),
    Key("deltas", ("t",), _STREAM, "show times of day, or times since the previous row"),
    Key("heartbeats", ("b",), _STREAM, "show or hide heartbeats"),
    Key("next_room", ("escape down",), _ALL, "go to the next room"),
    Key("previous_room", ("escape up",), _ALL, "go to the previous room"),
    Key("input_next_room", ("c-n",), _INPUT_SIDEBAR, "go to the next room"),
    Key("input_previous_room", ("c-p",), _INPUT_SIDEBAR, "go to the previous room"),
    Key("room_1", ("escape 1",), _ALL, "go to the first, the second, … room in the sidebar"),
    *(Key(f"room_{number}", (f"escape {number}",), _ALL, "") for number in range(2, 10)),
    Key("sidebar", ("s",), _READING_ALL, "show or hide the sidebar"),
    Key("save", ("w",), _STREAM, "save past and future records to a file"),
    Key("read", ("escape",), _INPUT, "go to the stream", "stream"),
    Key("write", ("i",), _READING_ALL, "go to the input", "write"),
    Key("switch", ("tab",), _ALL, "go to the next pane: stream, detail, sidebar, input; complete typed text"),
    Key("switch_back", ("s-tab",), _ALL, "go to the previous pane"),
    Key("help", ("?", "f1"), _READING_ALL, "show the keys", "keys"),
    Key("input_help", ("f1",), _INPUT, "show the keys", "keys"),
    Key("leave", ("q",), _STREAM, "quit; asks first if records are not saved"),
    Key("quit", ("c-q",), _ALL, "quit at once, whatever is open", "quit"),
)
_KEY_NAMES = {
    "up": "↑",
    "down": "↓",
    "enter": "⏎",
    "escape": "Esc",
    "escape enter": "Esc⏎",
    "space": "Space",
    "tab": "Tab",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "c-x c-e": "^X^E",
    "escape 1": "Alt-1…9",
    "s-tab": "Shift-Tab",
}
_UP_AND_DOWN = ("up", "detail_up")
"""Functions with a label in the key bar that covers both directions."""
_NOT_IN_CHAT = frozenset(
    ["detail", "group", "compare", "search", "filter", "input_filter", "copy", "edit", "jump", "unfilter"]
)
_NOT_WHEN_OBSERVING = frozenset(
    ["newline", "editor", "input_filter", "mode", "input_mode", "edit", "resend", "write"]
)
NOT_IN_GROUPS = frozenset(
    [
        *(
            "search",
            "input_search",
            "search_next",
            "search_back",
            "only",
            "hide",
            "only_client",
            "jump",
            "compare",
        ),
        *("mark", "next_mark", "back_mark", "copy", "edit", "resend", "acknowledgements", "collapse"),
        *("row_colour", "deltas", "heartbeats", "step", "step_back"),
    ]
)
"""Functions for the selected event or the rows of the stream."""
_ONLY_WHEN_OBSERVING = frozenset(["only_client"])
_ONLY_IN_RECORDINGS = frozenset(["play", "step", "step_back", "faster", "slower", "seek"])
_TEXT_IS_SENT = 'Text goes to the room, ["event", …] is emitted, // begins text with a slash.'
_TEXT_FILTERS = "Text is a filter: event=message & sid=… shows only that, an empty line shows everything."
_COPY_KEYS = (
    ("j", "JSON"),
    ("e", "nsroom emit"),
    ("s", "JavaScript"),
    ("p", "Python"),
    ("Esc", "cancel"),
)
_ASK_KEYS = (("⏎", "apply"), ("Esc", "cancel"))
_HISTORY_KEYS = (("⏎", "apply"), ("^R", "older"), ("^G", "cancel"))
HELP_KEYS = (("↑↓", "scroll"), ("any other key", "closes this"))
_FIRST = ("quit", "help", "input_help")
"""Functions that even a narrow key bar shows."""


def _has_selection(view: View) -> bool:
    return view.model.cursor is not None


def _can_edit(view: View) -> bool:
    record = view.model.selected()
    return view.can_send and record is not None and record.kind is Kind.EVENT


def _shows_no_recording(view: View) -> bool:
    return not view.recording_name


def _other_mode(view: View) -> str:
    return "events" if view.mode is Mode.CHAT else "chat"


def _talk_label(view: View) -> str:
    if view.is_observing:
        return "only its rows"
    return "talk there" if view.can_send else "go there"


_AVAILABLE: dict[str, Callable[[View], bool]] = {
    "copy": _has_selection,
    "edit": _can_edit,
    "compare": lambda view: view.detail is not None,
    "only_client": _has_selection,
    "resend": lambda view: bool(view.failure),
    "jump": lambda view: view.model.cursor in view.model.acks.partners,
    "unfilter": lambda view: view.model.where is not None,
    "pause": _shows_no_recording,  # the keys work, but the bar shows those of `play`
    "back": lambda view: view.mode is Mode.EVENTS,
    "side_filter": lambda view: not view.is_observing,
    "side_fold": lambda view: not view.is_observing,
    "editor": _shows_no_recording,
    "write": _shows_no_recording,
}
"""When the key bar shows a function; the others are always shown."""
_LABELS: dict[str, Callable[[View], str]] = {
    "up": lambda view: "scroll" if view.mode is Mode.CHAT else "select",
    "talk": _talk_label,
    "detail": lambda view: "its events" if view.mode is Mode.GROUPS else "detail",
    "group": lambda view: "events" if view.mode is Mode.GROUPS else "group",
    "send": lambda view: "filter" if view.is_observing else "send",
    "pause": lambda view: "resume" if view.model.paused else "pause",
    "play": lambda view: "pause" if view.playback and view.playback.is_playing else "play",
    "compare": lambda view: "whole" if view.comparing else "compare",
    "mode": _other_mode,
    "input_mode": _other_mode,
}
"""Labels in the key bar that depend on the state."""


def bar(view: View, width: int, remapped: Remapped) -> Fragments:
    """Return the key bar: the keys that work now."""
    if view.leaving:
        return _leaving(view, width, remapped)
    if view.copying:
        return fit([("", " copy as  "), *labelled(_COPY_KEYS)], width)
    if view.focus is Focus.ASK:
        return fit([("", " "), *labelled(_ASK_KEYS)], width)
    if view.focus is Focus.HISTORY:
        return fit([("", " "), *labelled(_HISTORY_KEYS)], width)
    if view.help.is_open:
        return fit([("", " "), *labelled(HELP_KEYS)], width)
    keys = [key for key in _keys_here(view) if key.bar and _is_available(key.name, view)]
    labels = {key.name: (_bar_key(key, remapped), _label(key, view)) for key in keys}
    return fit([("", " "), *labelled(fitting(labels, _FIRST, width + 1))], width)


def _leaving(view: View, width: int, remapped: Remapped) -> Fragments:
    key = "^C" if view.leaving is Leaving.INTERRUPT else key_name(first_key("leave", remapped))
    keys = [(key, "again to leave"), *([("w", "save")] if view.unsaved else []), ("Esc", "stay")]
    lost = f"   {view.unsaved:,} records are not saved" if view.unsaved else ""
    return fit([("", " "), *labelled(keys), ("class:waits", lost)], width)


def first_key(name: str, remapped: Remapped) -> str:
    """Return the first key of a function of the view."""
    return remapped.get(name, next(key.keys for key in KEYS if key.name == name))[0]


def fitting(labels: Mapping[str, tuple[str, str]], first: Sequence[str], room: int) -> list[tuple[str, str]]:
    """Return the keys and labels that fit, in order; those named in `first` are chosen first."""
    chosen = set()
    for name in sorted(labels, key=lambda name: name not in first):
        key, label = labels[name]
        room -= cells(key) + cells(label) + 3
        if room < 0:
            break
        chosen.add(name)
    return [label for name, label in labels.items() if name in chosen]


def is_offered(name: str, view: View) -> bool:
    """Return whether a function makes sense for this kind of connection or recording."""
    useless = _NOT_WHEN_OBSERVING if view.is_observing else _ONLY_WHEN_OBSERVING
    return name not in useless and is_bound(name, view)


def is_bound(name: str, view: View) -> bool:
    """Return whether the keys of a function do anything, if only to say why it is impossible."""
    if name == "back":
        return view.mode is Mode.GROUPS or view.is_drilled
    return bool(view.recording_name) or name not in _ONLY_IN_RECORDINGS


def _keys_here(view: View) -> list[Key]:
    """Return the functions of the focused pane that make sense here."""
    return [key for key in KEYS if view.focus in key.where and is_offered(key.name, view)]


def _is_available(name: str, view: View) -> bool:
    if view.mode is Mode.CHAT and name in _NOT_IN_CHAT:
        return False
    if view.mode is Mode.GROUPS and name in NOT_IN_GROUPS:
        return False
    return name not in _AVAILABLE or _AVAILABLE[name](view)


def _label(key: Key, view: View) -> str:
    return _LABELS[key.name](view) if key.name in _LABELS else key.bar


def _bar_key(key: Key, remapped: Remapped) -> str:
    if key.name in remapped:
        return key_name(remapped[key.name][0])
    return "↑↓" if key.name in _UP_AND_DOWN else key_name(key.keys[0])


def key_name(keys: str) -> str:
    """Return the name of a key as shown to the user."""
    if keys in _KEY_NAMES:
        return _KEY_NAMES[keys]
    if keys.startswith("escape "):
        return f"Alt-{key_name(keys.removeprefix('escape '))}"
    if keys.startswith("c-"):
        return " ".join(f"^{key.removeprefix('c-').upper()}" for key in keys.split())
    return keys.upper() if keys.startswith("f") and keys[1:].isdigit() else keys


def labelled(labels: Sequence[tuple[str, str]]) -> Fragments:
    """Return keys and their labels as fragments."""
    parts = [(("class:key", key), ("class:quiet", f" {label}"), ("", "  ")) for key, label in labels]
    return [piece for part in parts for piece in part][:-1]


def help_lines(view: View, remapped: Remapped, commands: Sequence[tuple[str, str]]) -> list[Fragments]:
    """Return the help: the keys of this pane, and the commands, each with its usage and its help."""
    panes = {Focus.DETAIL: "the detail", Focus.INPUT: "the input", Focus.SIDEBAR: "the sidebar"}
    pane = panes.get(view.focus, f"the {view.mode}")
    lines: list[Fragments] = [[], [("bold", f"  Keys in {pane}")], []]
    for key in _keys_here(view):
        keys = " ".join(map(key_name, remapped.get(key.name, key.keys)))
        if key.help:
            lines.append([("class:key", f"  {keys:16}"), ("", key.help)])
    lines += [[], [("bold", "  Commands in the input")], []]
    for usage, text in commands:
        lines.append([("class:key", f"  {usage:30}"), ("", text)])
    return [*lines, [], [("", f"  {_TEXT_FILTERS if view.is_observing else _TEXT_IS_SENT}")], []]
