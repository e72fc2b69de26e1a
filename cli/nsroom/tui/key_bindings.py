"""The keys of the live view: one table, from which the bindings, the key bar and the help are made."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from nsroom.errors import UsageError
from nsroom.terminal import cells
from nsroom.tui.commands import COMMANDS
from nsroom.tui.lines import Fragments, fit
from nsroom.tui.view import Focus, View


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
    Key("page_up", ("pageup",), _ALL, "a page up"),
    Key("page_down", ("pagedown",), _ALL, "a page down"),
    Key("home", ("home", "g"), _STREAM, "the oldest row"),
    Key("end", ("end", "G"), _STREAM, "the newest row, and follow"),
    Key("detail", ("enter",), _STREAM, "open or close the detail", "detail"),
    Key("search", ("/",), _STREAM, "search the stream upwards", "search"),
    Key("search_next", ("n",), _STREAM, "the next match upwards"),
    Key("search_back", ("N",), _STREAM, "the next match downwards"),
    Key("filter", ("f3", "f"), _STREAM, "show only what matches an expression", "filter"),
    Key("only", ("o",), _STREAM, "only this event"),
    Key("hide", ("h",), _STREAM, "hide this event"),
    Key("unfilter", ("x",), _STREAM, "show everything again"),
    Key("mode", ("f2", "v"), _STREAM, "switch between events and chat", "chat"),
    Key("pause", ("f5", "p"), _STREAM, "hold the screen, or go on", "pause"),
    Key("jump", ("a",), _STREAM, "from an emit to its acknowledgement, and back", "ack"),
    Key("mark", ("m",), _STREAM, "mark the row"),
    Key("next_mark", ("'",), _STREAM, "the next mark upwards"),
    Key("back_mark", ('"',), _STREAM, "the next mark downwards"),
    Key("copy", ("c",), _STREAM, "copy the record: then j JSON, e emit, s JavaScript, p Python", "copy as…"),
    Key("edit", ("e",), _STREAM, "edit the event and send it again", "edit and send"),
    Key("resend", ("r",), _STREAM, "send the event again; or try to connect again"),
    Key("deltas", ("t",), _STREAM, "times, or what passed since the row before"),
    Key("sidebar", ("s",), _STREAM, "show or hide the sidebar"),
    Key("save", ("w",), _STREAM, "record what is here and what comes to a file"),
    Key("detail_up", ("up", "k"), _DETAIL, "the line before", "move"),
    Key("detail_down", ("down", "j"), _DETAIL, "the next line"),
    Key("fold", ("enter", "space", "left", "right"), _DETAIL, "fold or unfold", "fold"),
    Key("close_detail", ("escape", "q"), _DETAIL, "close the detail", "close"),
    Key("send", ("enter",), _INPUT, "send, or run the command", "send"),
    Key("newline", ("escape enter",), _INPUT, "a new line"),
    Key("editor", ("f4", "c-x c-e"), _INPUT, "write it in $EDITOR", "editor"),
    Key("input_mode", ("f2",), _INPUT, "switch between events and chat", "chat"),
    Key("input_filter", ("f3",), _INPUT, "show only what matches an expression", "filter"),
    Key("input_pause", ("f5",), _INPUT, "hold the screen, or go on"),
    Key("read", ("escape",), _INPUT, "go to the stream", "stream"),
    Key("write", ("i",), _READING, "go to the input", "write"),
    Key("switch", ("tab",), _READING, "go on: stream, detail, input"),
    Key("help", ("?", "f1"), _READING, "these keys", "keys"),
    Key("input_help", ("f1",), _INPUT, "the keys"),
    Key("leave", ("q",), _STREAM, "quit"),
    Key("quit", ("c-q",), _ALL, "quit", "quit"),
)
_SHOWN = {
    "up": "↑↓",
    "detail_up": "↑↓",
    "enter": "⏎",
    "escape": "Esc",
    "c-q": "^Q",
    "space": "␣",
    "tab": "Tab",
    "c-x c-e": "^X^E",
}


def bindings(
    view: View,
    actions: Mapping[str, Callable[[KeyPressEvent], None]],
    remapped: Mapping[str, tuple[str, ...]],
) -> KeyBindings:
    """Bind every function of the table to its keys, or to those that the settings name.

    Raises: UsageError for a function or a key that there is not.
    """
    unknown = remapped.keys() - {key.name for key in KEYS}
    if unknown:
        raise UsageError(f"keys.{sorted(unknown)[0]}: there is no such function; `?` lists them")
    bound = KeyBindings()
    for key in KEYS:
        for keys in remapped.get(key.name, key.keys):
            _bind(bound, view, key, keys, actions[key.name])
    return bound


def _bind(
    bound: KeyBindings, view: View, key: Key, keys: str, action: Callable[[KeyPressEvent], None]
) -> None:
    here = Condition(lambda: view.focus in key.where and not view.help and not view.copying)
    try:
        bound.add(*keys.split(), filter=here, eager=keys == "enter")(action)
    except ValueError:
        raise UsageError(f"keys.{key.name}: {keys!r} is no key") from None


def bar(view: View, width: int) -> Fragments:
    """Show the keys that work here and now."""
    if view.copying:
        return fit(
            [
                ("", " copy as  "),
                *_pairs([("j", "JSON"), ("e", "emit"), ("s", "JavaScript"), ("p", "Python")]),
            ],
            width,
        )
    if view.focus is Focus.ASK:
        return fit([("", " "), *_pairs([("⏎", "take it"), ("Esc", "leave it")])], width)
    pairs = [
        (_shown(key), _label(key, view))
        for key in KEYS
        if key.bar and view.focus in key.where and _works(key, view)
    ]
    shown: Fragments = [("", " ")]
    room = width - 1
    for pair in pairs:
        room -= cells(pair[0]) + cells(pair[1]) + 3
        if room >= 0:
            shown += _pairs([pair])
    return fit(shown, width)


def _works(key: Key, view: View) -> bool:
    selected = view.model.cursor is not None
    if key.name in ("copy", "edit"):
        return selected
    if key.name == "jump":
        return selected and view.model.cursor in view.model.answers
    return True


def _label(key: Key, view: View) -> str:
    if key.name in ("mode", "input_mode"):
        return "events" if view.mode == "chat" else "chat"
    if key.name == "pause":
        return "go on" if view.model.paused else "pause"
    return key.bar


def _shown(key: Key) -> str:
    if key.name in _SHOWN:
        return _SHOWN[key.name]
    first = key.keys[0]
    return _SHOWN.get(first, first.upper() if first.startswith("f") and len(first) > 1 else first)


def _pairs(pairs: list[tuple[str, str]]) -> Fragments:
    return [part for key, label in pairs for part in (("class:key", key), ("class:quiet", f" {label}  "))]


def help_lines(view: View) -> list[Fragments]:
    """List the keys of where one stands, and the commands."""
    made: list[Fragments] = [
        [],
        [("bold", f"  Keys in the {view.focus}"), ("class:quiet", "   any key closes this")],
        [],
    ]
    for key in KEYS:
        if view.focus in key.where:
            keys = " ".join(_SHOWN.get(each, each) for each in key.keys)
            made.append([("class:key", f"  {keys:14}"), ("", key.help)])
    made += [[], [("bold", "  Commands in the input")], []]
    for command in COMMANDS:
        made.append([("class:key", f"  {f'/{command.name} {command.usage}':28}"), ("", command.help)])
    return made
