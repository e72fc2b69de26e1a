import pytest

from nsroom.tui.input.slash_commands import command_help, offered
from nsroom.tui.model.playback import Playback
from nsroom.tui.screen.keymap import FOR_WAITING, KEYS, bar, help_lines, is_offered, key_in_bar
from nsroom.tui.screen.state import Focus, Mode, View
from tests.cli.intercepted import OUT, Running
from tests.cli.tui.records import event, observed, plain, view


def test_terminals_pass_every_key_on() -> None:
    ordinary = {
        *"abcdefghijklmnopqrstuvwxyz",
        *"ACFGMNRTWYz?/'\":.,[]@",
        *("c-b", "c-d", "c-f", "c-u", "escape x"),
        "c-q",
        "c-r",
        "c-x c-e",
        "escape enter",
        *("c-n", "c-p", "s-tab", "escape up", "escape down", "g g"),
        *(f"escape {number}" for number in range(1, 10)),
    }
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


def test_no_key_has_two_functions_in_one_pane() -> None:
    for functions in (
        [key for key in KEYS if key.name not in FOR_WAITING],
        [key for key in KEYS if key.name in FOR_WAITING],
    ):
        places = [(focus, keys) for key in functions for keys in key.keys for focus in key.where]
        assert len(places) == len(set(places))


def test_the_bar_shows_the_keys_that_work() -> None:
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
def test_the_bar_fits_and_always_shows_quit(width: int) -> None:
    line = "".join(text for _, text in bar(view(event("x")), width, {}))
    assert len(line) == width
    assert ("^Q quit" in line) == (width >= 24)


@pytest.mark.parametrize("focus", [Focus.STREAM, Focus.DETAIL, Focus.INPUT])
def test_the_help_lists_every_key_of_the_pane(focus: Focus) -> None:
    viewed: View = view()
    viewed.focus, viewed.mode = focus, Mode.EVENTS
    text = "\n".join(map(plain, help_lines(viewed, {}, command_help(viewed))))
    here = [key for key in KEYS if focus in key.where and is_offered(key.name, viewed)]
    assert all(key.help in text for key in here)
    assert "/where [EXPR]" in text


def test_an_observer_gets_no_keys_and_commands_that_send() -> None:
    viewed = observed(event("hi", sid="abc"))
    viewed.model.select(0)
    viewed.focus = Focus.STREAM
    shown = plain(bar(viewed, 200, {}))
    assert "C client" in shown
    assert not {"edit and send", "chat", "write"} & set(shown.split("  "))
    text = "\n".join(map(plain, help_lines(viewed, {}, command_help(viewed))))
    assert "Text is a filter" in text
    assert "/emit" not in text
    assert {"where", "save", "copy", "quit"} <= {command.name for command in offered(viewed)}


def test_a_recording_gets_keys_and_commands_that_play() -> None:
    viewed = view(event("hi"))
    names = {command.name for command in offered(viewed)}
    assert "step" not in plain(bar(viewed, 200, {}))
    assert not {"goto", "speed"} & names
    viewed.recording_name, viewed.playback = "r.ndjson", Playback(viewed.model)
    assert "Space play  . step  @ time" in plain(bar(viewed, 200, {}))
    viewed.playback.is_playing = True
    assert "Space pause  . step" in plain(bar(viewed, 200, {}))
    assert {"goto", "speed"} <= {command.name for command in offered(viewed)}


@pytest.mark.parametrize("width", [40, 100, 200])
def test_a_click_in_the_bar_presses_the_key_under_it(width: int) -> None:
    viewed = view(event("x"))
    line = plain(bar(viewed, width, {}))
    assert key_in_bar(viewed, width, {}, line.index("select")) == "up"
    assert key_in_bar(viewed, width, {}, line.index("^Q")) == "c-q"
    assert key_in_bar(viewed, width, {}, 0) == key_in_bar(viewed, width, {}, width + 9) == ""
    viewed.typed_count = "12"
    line = plain(bar(viewed, width, {}))
    assert line.startswith(" 12 ↑↓")
    assert key_in_bar(viewed, width, {}, line.index("^Q")) == "c-q"
    viewed.copying = True
    assert key_in_bar(viewed, width, {}, plain(bar(viewed, width, {})).index("nsroom")) == "e"


def test_the_help_lists_the_keys_of_all_panes_once() -> None:
    viewed = view(event("x"))
    viewed.focus = Focus.DETAIL
    commands = command_help(viewed)
    lines = help_lines(viewed, {"pause": ("f6",)}, commands)
    headings = [plain(line) for line in lines if "eys in" in plain(line)]
    assert headings[:2] == ["  Keys in the detail", "  More keys in the events"]
    listed = [line[1][1] for line in lines if len(line) == 2]
    of_commands = [text for _, text in commands]
    texts = {key.help for key in KEYS if key.help and is_offered(key.name, viewed)}
    assert all(listed.count(text) - of_commands.count(text) == 1 for text in texts)
    text = "\n".join(map(plain, lines))
    assert "  F6 " in text
    assert "12G" in text
    assert "hold Shift" in text


async def test_an_intercepting_proxy_gets_keys_for_packets_that_wait() -> None:
    viewed, proxy = observed(), Running()
    assert not is_offered("forward", viewed)
    viewed.interceptor = proxy.interceptor
    assert "waits" not in plain(bar(viewed, 200, {}))
    for record in proxy.feed(OUT, '42["wait"]'):
        viewed.model.add(record)
    assert "W next that waits" in plain(bar(viewed, 200, {}))
    viewed.model.select(0)
    assert plain(bar(viewed, 200, {})).startswith(" ⏎ edit  f forward  d drop  F forward all")
    viewed.focus = Focus.INPUT
    assert "F4 editor" in plain(bar(viewed, 200, {}))
