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


class Shown(NamedTuple):
    """An entry of the key bar."""

    keys: str
    """What a click presses."""
    text: str
    """The keys as shown."""
    label: str


_INPUT, _STREAM, _DETAIL = (Focus.INPUT,), (Focus.STREAM,), (Focus.DETAIL,)
_READING = (Focus.STREAM, Focus.DETAIL)
_SIDEBAR = (Focus.SIDEBAR,)
_INPUT_SIDEBAR = (Focus.INPUT, Focus.SIDEBAR)
_LISTS = (Focus.STREAM, Focus.SIDEBAR)
_READING_ALL = (Focus.STREAM, Focus.DETAIL, Focus.SIDEBAR)
_ALL = (Focus.INPUT, *_READING_ALL)

KEYS = (
    Key("edit_waiting", ("enter",), _STREAM, "edit the selected packet that waits, and pass it on", "edit"),
    Key("forward", ("f",), _STREAM, "pass the selected packet that waits on", "forward"),
    Key("drop", ("d",), _STREAM, "drop the selected packet that waits", "drop"),
    Key("next_waiting", ("W",), _STREAM, "select the next packet that waits", "next that waits"),
    Key("forward_all", ("F",), _STREAM, "pass every packet that waits on", "forward all"),
    Key("up", ("up", "k"), _LISTS, "select the previous row", "select"),
    Key("down", ("down", "j"), _LISTS, "select the next row; after the last one, follow"),
    Key("detail_up", ("up", "k"), _DETAIL, "previous line", "move"),
    Key("detail_down", ("down", "j"), _DETAIL, "next line"),
    Key("page_up", ("pageup",), _ALL, "page up"),
    Key("page_down", ("pagedown",), _ALL, "page down"),
    Key("reading_page_up", ("c-b",), _READING_ALL, "page up"),
    Key("reading_page_down", ("c-f",), _READING_ALL, "page down"),
    Key("half_page_up", ("c-u",), _READING_ALL, "half a page up"),
    Key("half_page_down", ("c-d",), _READING_ALL, "half a page down"),
    Key("home", ("home", "g g"), _READING_ALL, "go to the oldest row; to row 12 with 12 before it"),
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
    Key("input_search", ("c-f",), _INPUT, "search the stream upwards"),
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
    Key("palette", (":", "c-p", "escape x"), _READING, "find any function or command by name"),
    Key("side_palette", (":", "escape x"), _SIDEBAR, "find any function or command by name"),
    Key("input_palette", ("escape x",), _INPUT, "find any function or command by name"),
    Key("mouse", ("M",), _READING_ALL, "leave the mouse to the terminal, to select text, or take it back"),
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
FOR_WAITING = frozenset(["edit_waiting", "forward", "drop"])
"""Functions for a selected packet that waits: their keys mean something else for other rows."""
_ONLY_WHEN_INTERCEPTING = FOR_WAITING | {"next_waiting", "forward_all"}
_FOR_EDITING = frozenset(["newline", "editor", "write"])
"""Functions of the input, with which packets that wait can be edited."""
_ONLY_WHEN_OBSERVING = frozenset(["only_client"])
_ONLY_IN_RECORDINGS = frozenset(["play", "step", "step_back", "faster", "slower", "seek"])
_TEXT_IS_SENT = 'Text goes to the room, ["event", …] is emitted, // begins text with a slash.'
_TEXT_FILTERS = "Text is a filter: event=message & sid=… shows only that, an empty line shows everything."
_COPY_KEYS = (
    Shown("j", "j", "JSON"),
    Shown("e", "e", "nsroom emit"),
    Shown("s", "s", "JavaScript"),
    Shown("p", "p", "Python"),
    Shown("escape", "Esc", "cancel"),
)
_ASK_KEYS = (Shown("enter", "⏎", "apply"), Shown("escape", "Esc", "cancel"))
_HISTORY_KEYS = (
    Shown("enter", "⏎", "apply"),
    Shown("c-r", "^R", "older"),
    Shown("c-g", "^G", "cancel"),
)
HELP_KEYS = (Shown("pagedown", "↑↓", "scroll"), Shown("escape", "any other key", "closes this"))
_PANES = {
    Focus.STREAM: "the events",
    Focus.DETAIL: "the detail",
    Focus.SIDEBAR: "the sidebar",
    Focus.INPUT: "the input",
}
_NOTES = (
    "A number before a key repeats it: 5j, 3n; 12G goes to row 12.",
    "To select text with the terminal, hold Shift while dragging, or press M first.",
)
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


def _waits(view: View) -> bool:
    return view.mode is Mode.EVENTS and view.waiting is not None


def _something_waits(view: View) -> bool:
    return view.interceptor is not None and view.interceptor.interception.undecided > 0


_AVAILABLE: dict[str, Callable[[View], bool]] = {
    **dict.fromkeys(FOR_WAITING, _waits),
    "next_waiting": lambda view: _something_waits(view) and not _waits(view),
    "forward_all": _something_waits,
    "detail": lambda view: not _waits(view),
    "copy": _has_selection,
    "edit": _can_edit,
    "compare": lambda view: view.detail is not None and not _waits(view),
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
    "send": lambda view: "apply" if view.interceptor else "filter" if view.is_observing else "send",
    "pause": lambda view: "resume" if view.model.paused else "pause",
    "play": lambda view: "pause" if view.playback and view.playback.is_playing else "play",
    "compare": lambda view: "whole" if view.comparing else "compare",
    "mode": _other_mode,
    "input_mode": _other_mode,
}
"""Labels in the key bar that depend on the state."""


def bar(view: View, width: int, remapped: Remapped) -> Fragments:
    """Return the key bar: the keys that work now."""
    start: Fragments = [("", _bar_start(view)), *labelled(_shown(view, width, remapped))]
    if view.leaving and view.unsaved:
        start.append(("class:waits", f"   {view.unsaved:,} records are not saved"))
    return fit(start, width)


def key_in_bar(view: View, width: int, remapped: Remapped, x: int) -> str:
    """Return the keys that a click at a column of the key bar presses, or nothing."""
    return key_at(_shown(view, width, remapped), x - cells(_bar_start(view)))


def _bar_start(view: View) -> str:
    if view.copying:
        return " copy as  "
    return f" {view.typed_count} " if view.typed_count else " "


def _shown(view: View, width: int, remapped: Remapped) -> Sequence[Shown]:
    if view.leaving:
        return _leaving(view, remapped)
    if view.copying:
        return _COPY_KEYS
    if view.focus is Focus.ASK:
        return _ASK_KEYS
    if view.focus is Focus.HISTORY:
        return _HISTORY_KEYS
    if view.help.is_open:
        return HELP_KEYS
    keys = [key for key in _keys_here(view) if key.bar and _is_available(key.name, view)]
    labels = {key.name: _bar_entry(key, view, remapped) for key in keys}
    return fitting(labels, _FIRST, width + 1)


def _leaving(view: View, remapped: Remapped) -> Sequence[Shown]:
    key = "c-c" if view.leaving is Leaving.INTERRUPT else first_key("leave", remapped)
    again, stay = Shown(key, key_name(key), "again to leave"), Shown("escape", "Esc", "stay")
    return [again, *([Shown("w", "w", "save")] if view.unsaved else []), stay]


def first_key(name: str, remapped: Remapped) -> str:
    """Return the first key of a function of the view."""
    return remapped.get(name, next(key.keys for key in KEYS if key.name == name))[0]


def fitting(labels: Mapping[str, Shown], first: Sequence[str], room: int) -> list[Shown]:
    """Return the keys and labels that fit, in order; those named in `first` are chosen first."""
    chosen = set()
    for name in sorted(labels, key=lambda name: name not in first):
        room -= _width(labels[name])
        if room < 0:
            break
        chosen.add(name)
    return [label for name, label in labels.items() if name in chosen]


def _width(shown: Shown) -> int:
    return cells(shown.text) + cells(shown.label) + 3


def key_at(labels: Sequence[Shown], x: int) -> str:
    """Return the keys of the label at a column, counted from the first label, or nothing."""
    for shown in labels:
        if 0 <= x < _width(shown) - 2:
            return shown.keys
        x -= _width(shown)
    return ""


def is_offered(name: str, view: View) -> bool:
    """Return whether a function makes sense for this kind of connection or recording."""
    if name in _ONLY_WHEN_INTERCEPTING:
        return view.interceptor is not None
    if name in _FOR_EDITING and view.interceptor is not None:
        return True
    useless = _NOT_WHEN_OBSERVING if view.is_observing else _ONLY_WHEN_OBSERVING
    return name not in useless and is_bound(name, view)


def is_bound(name: str, view: View) -> bool:
    """Return whether the keys of a function do anything, if only to say why it is impossible."""
    if name in FOR_WAITING:
        return _waits(view)
    if name in _ONLY_WHEN_INTERCEPTING:
        return view.interceptor is not None
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


def _bar_entry(key: Key, view: View, remapped: Remapped) -> Shown:
    keys = remapped.get(key.name, key.keys)[0]
    is_pair = key.name in _UP_AND_DOWN and key.name not in remapped
    return Shown(keys, "↑↓" if is_pair else key_name(keys), _label(key, view))


def key_name(keys: str) -> str:
    """Return the name of a key as shown to the user."""
    if keys in _KEY_NAMES:
        return _KEY_NAMES[keys]
    if keys.startswith("escape "):
        return f"Alt-{key_name(keys.removeprefix('escape '))}"
    if keys.startswith("c-"):
        return " ".join(f"^{key.removeprefix('c-').upper()}" for key in keys.split())
    return keys.upper() if keys.startswith("f") and keys[1:].isdigit() else keys


def labelled(labels: Sequence[Shown]) -> Fragments:
    """Return keys and their labels as fragments."""
    parts = [(("class:key", each.text), ("class:quiet", f" {each.label}"), ("", "  ")) for each in labels]
    return [piece for part in parts for piece in part][:-1]


def merged(keys: Sequence[Key], remapped: Remapped) -> list[Key]:
    """Return the functions with help, those with the same help as one, with the keys of the settings."""
    found: dict[str, Key] = {}
    for key in keys:
        if key.help:
            first = found.setdefault(key.help, key._replace(keys=()))
            found[key.help] = first._replace(keys=first.keys + tuple(remapped.get(key.name, key.keys)))
    return list(found.values())


def help_lines(view: View, remapped: Remapped, commands: Sequence[tuple[str, str]]) -> list[Fragments]:
    """Return the help: the keys of this pane, the other keys, and the commands with their usage and help."""
    listed: set[str] = set()
    lines: list[Fragments] = []
    for pane in (view.focus, *(pane for pane in _PANES if pane is not view.focus)):
        keys = [key for key in KEYS if pane in key.where and is_offered(key.name, view)]
        new = [key for key in merged(keys, remapped) if key.help not in listed]
        listed |= {key.help for key in new}
        name = f"the {view.mode}" if pane is Focus.STREAM else _PANES.get(pane, f"the {view.mode}")
        lines += [[], [("bold", f"  {'Keys in' if pane is view.focus else 'More keys in'} {name}")], []]
        for key in new:
            shown = " ".join(map(key_name, key.keys))
            lines.append([("class:key", f"  {shown:16} "), ("", key.help)])
    lines += [[], [("bold", "  Commands in the input")], []]
    for usage, text in commands:
        lines.append([("class:key", f"  {usage:30}"), ("", text)])
    notes = (_TEXT_FILTERS if view.is_observing else _TEXT_IS_SENT, *_NOTES)
    return [*lines, [], *([("", f"  {note}")] for note in notes), []]
