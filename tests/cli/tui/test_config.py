from pathlib import Path

import pytest
from prompt_toolkit.output import ColorDepth

from nsroom.errors import UsageError
from nsroom.tui.config import Settings, load
from nsroom.tui.input.history import InputHistory
from nsroom.tui.input.key_bindings import key_bindings
from nsroom.tui.input.slash_commands import command_help
from nsroom.tui.screen.keymap import KEYS, bar, help_lines
from nsroom.tui.screen.state import Focus, Mode, View
from nsroom.tui.screen.style import THEMES, color_depth, style
from tests.cli.tui.records import event, plain, view

ACTIONS = {key.name: lambda _event: None for key in KEYS}


def settings(folder: Path, text: str) -> Settings:
    file = folder / "config.toml"
    file.write_text(text)
    return load(file)


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Settings("dark", {})


def test_a_theme_and_keys(tmp_path: Path) -> None:
    read = settings(tmp_path, 'theme = "light"\n[keys]\npause = "f6"\nquit = ["c-q", "f10"]\n')
    assert read == Settings("light", {"pause": ("f6",), "quit": ("c-q", "f10")})
    key_bindings(view(), ACTIONS, read.keys)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme = ", "config.toml: Invalid value"),
        ('colour = "red"', "unknown setting 'colour'; use theme and [keys]"),
        ('theme = "pink"', "unknown theme 'pink'; choose one of dark, light, none"),
        ("keys = 5", "keys must be a table"),
        ("[keys]\npause = 5", "keys.pause must be a key or a list of keys"),
        ("[keys]\npause = []", "keys.pause must be a key or a list of keys"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        settings(tmp_path, text)
    assert said in str(raised.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"fly": ("f6",)}, "keys.fly: unknown function; choose one of up, down"),
        ({"pause": ("f99",)}, "unknown key 'f99'; write keys as f6"),
    ],
)
def test_wrong_keys_are_named(keys: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        key_bindings(view(), ACTIONS, keys)
    assert said in str(raised.value)


def test_every_key_is_one_that_terminals_pass_on() -> None:
    ordinary = {*"abcdefghijklmnopqrstuvwxyz", *"CGN?/'\"", "c-q", "c-r", "c-x c-e", "escape enter"}
    named = {
        "up",
        "down",
        "left",
        "right",
        "home",
        "end",
        "pageup",
        "pagedown",
        "enter",
        "escape",
        "tab",
        "space",
    }
    functions = {f"f{n}" for n in range(1, 6)}
    assert {keys for key in KEYS for keys in key.keys} <= ordinary | named | functions


def test_no_key_has_two_functions_in_one_place() -> None:
    places = [(focus, keys) for key in KEYS for keys in key.keys for focus in key.where]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("depth", [None, *ColorDepth])
def test_every_theme_is_a_style(theme: str, depth: ColorDepth | None) -> None:
    assert style(theme, depth).get_attrs_for_style_str("class:event").bold


def test_no_color_has_no_colours() -> None:
    rules = style("dark", ColorDepth.DEPTH_1_BIT).style_rules
    assert not [rule for _, rule in rules if "#" in rule or "ansi" in rule]


@pytest.mark.parametrize(
    ("variables", "depth"),
    [
        ({"NO_COLOR": "1"}, ColorDepth.DEPTH_1_BIT),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "xterm-16color"}, ColorDepth.DEPTH_4_BIT),
        ({"COLORTERM": "truecolor", "TERM": "xterm"}, None),
    ],
)
def test_the_colours_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], depth: ColorDepth | None
) -> None:
    for name in ("NO_COLOR", "COLORTERM", "TERM", "PROMPT_TOOLKIT_COLOR_DEPTH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert color_depth() is depth


def test_the_bar_shows_what_works_here() -> None:
    viewed = view(event("x"))
    assert "copy as…" not in plain(bar(viewed, 200, {}))
    viewed.model.select(0)
    assert "c copy as…" in plain(bar(viewed, 200, {}))
    viewed.focus = Focus.INPUT
    assert plain(bar(viewed, 200, {})).startswith(" ⏎ send")
    viewed.copying = True
    assert plain(bar(viewed, 200, {})).startswith(" copy as  j JSON")


def test_the_bar_shows_the_keys_of_the_settings() -> None:
    assert "f6 pause".upper()[:2] + " pause" in plain(bar(view(), 200, {"pause": ("f6",)}))


@pytest.mark.parametrize("width", [10, 24, 40, 60, 80])
def test_the_bar_fits_and_leaving_is_always_there(width: int) -> None:
    line = "".join(text for _, text in bar(view(event("x")), width, {}))
    assert len(line) == width
    assert ("^Q quit" in line) == (width >= 24)


@pytest.mark.parametrize("focus", [Focus.STREAM, Focus.DETAIL, Focus.INPUT])
def test_the_help_lists_every_key_of_the_place(focus: Focus) -> None:
    viewed: View = view()
    viewed.focus, viewed.mode = focus, Mode.EVENTS
    text = "\n".join(map(plain, help_lines(viewed, {}, command_help(viewed))))
    of_clients = {"only_client"}
    assert all(key.help in text for key in KEYS if focus in key.where and key.name not in of_clients)
    assert "/where [EXPR]" in text


def test_what_was_typed_is_there_in_the_next_run(tmp_path: Path) -> None:
    file = tmp_path / "typed"
    first = InputHistory(file)
    for text in ("one", "two\nlines", "drei €"):
        first.store_string(text)
    assert list(InputHistory(file).load_history_strings()) == ["drei €", "two\nlines", "one"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_broken_history_is_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "typed"
    file.write_bytes(b'"good"\n{"no"\n5\n\xff')
    assert list(InputHistory(file).load_history_strings()) == []
    file.write_text('"good"\n{"no"\n5\n')
    assert list(InputHistory(file).load_history_strings()) == ["good"]
    unwritable = InputHistory(tmp_path / "no" / "folder")
    unwritable.store_string("x")
    assert list(unwritable.load_history_strings()) == []


def test_the_history_does_not_grow_for_ever(tmp_path: Path) -> None:
    file = tmp_path / "typed"
    file.write_text("".join(f'"{n}"\n' for n in range(3000)))
    assert next(iter(InputHistory(file).load_history_strings())) == "2999"
    assert len(file.read_text().splitlines()) == 1000
