import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Layout, Window
from prompt_toolkit.output.vt100 import Vt100_Output

from nsroom.output.terminal import Theme
from nsroom.tui.background import QUESTION, AnswerParser, can_ask, theme_of_colour, theme_of_environment
from nsroom.tui.fullscreen import FullScreen
from nsroom.tui.screen.style import style
from tests.cli.tui.user import ScreenOutput

WHITE = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"


@pytest.mark.parametrize(
    ("value", "theme"),
    [
        ("", Theme.DARK),
        ("15;0", Theme.DARK),
        ("0;15", Theme.LIGHT),
        ("0;default;15", Theme.LIGHT),
        ("12;8", Theme.DARK),
        ("0;7", Theme.LIGHT),
        ("0;default", Theme.DARK),
        ("\x1b;²", Theme.DARK),
    ],
)
def test_colorfgbg(value: str, theme: Theme) -> None:
    assert theme_of_environment({"COLORFGBG": value}) is theme


@pytest.mark.parametrize(
    ("colour", "theme"),
    [
        ("rgb:ffff/ffff/ffff", Theme.LIGHT),
        ("rgb:0000/0000/0000", Theme.DARK),
        ("rgb:fd/f6/e3", Theme.LIGHT),
        ("rgb:0000/2b2b/3636", Theme.DARK),
        ("rgb:f/f/f", Theme.LIGHT),
        ("rgba:ffff/ffff/ffff/8000", Theme.LIGHT),
        ("#ffffff", Theme.LIGHT),
        ("#ffffffffffff", Theme.LIGHT),
        ("#282c34", Theme.DARK),
        ("rgb:ffff/ffff", None),
        ("rgb:fffff/0/0", None),
        ("rgb://", None),
        ("#ff", None),
    ],
)
def test_the_theme_for_a_colour(colour: str, theme: Theme | None) -> None:
    assert theme_of_colour(colour) is theme


@pytest.mark.parametrize(
    ("term", "asked"),
    [("xterm-256color", True), ("screen", True), ("tmux-256color", True), ("foot", True)]
    + [(term, False) for term in ("", "dumb", "linux", "vt100", "eterm-color", "cygwin")],
)
def test_terminals_that_may_print_the_question_are_not_asked(term: str, asked: bool) -> None:
    assert can_ask({"TERM": term}) is asked


def pressed(*parts: str, flushed: bool = False) -> tuple[list[str], list[str]]:
    """Return the keys, and the answers, when these parts are read one after another."""
    keys: list[KeyPress] = []
    answers: list[str] = []
    parser = AnswerParser(keys.append, answers.append)
    for part in parts:
        parser.feed(part)
        if flushed:
            parser.flush()
    parser.flush()
    return [str(key.key.value if isinstance(key.key, Keys) else key.key) for key in keys], answers


def pieces(text: str) -> Iterator[list[str]]:
    """Yield every way to read a text in two parts."""
    return ([text[:at], text[at:]] for at in range(len(text)))


@pytest.mark.parametrize("end", ["\x07", "\x1b\\"])
def test_an_answer_is_not_typed_however_it_arrives(end: str) -> None:
    answer = f"\x1b]11;rgb:ffff/ffff/ffff{end}"
    for parts in pieces(answer):
        assert pressed(*parts) == ([], ["rgb:ffff/ffff/ffff"])
    assert pressed(*answer) == ([], ["rgb:ffff/ffff/ffff"])
    assert pressed(f"a{answer}b") == (["a", "b"], ["rgb:ffff/ffff/ffff"])


def test_an_answer_in_slow_pieces_is_not_typed() -> None:
    for parts in pieces(WHITE):
        keys, answers = pressed(*parts, flushed=True)
        if 0 < len(parts[0]) <= 2:  # the start is a key that was pressed
            assert answers == ["rgb:ffff/ffff/ffff"] or keys[:2] == ["escape", "]"]
        else:
            assert (keys, answers) == ([], ["rgb:ffff/ffff/ffff"])


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("\x1b", ["escape"]),
        ("\x1b]", ["escape", "]"]),
        ("\x1b]1x", ["escape", "]", "1", "x"]),
        ("\x1b[A", ["up"]),
        ("\x1b\x1b", ["escape", "escape"]),
        ("]11;rgb", list("]11;rgb")),
        ("\x1b[200~\x1b[201~", ["<bracketed-paste>"]),
    ],
)
def test_keys_that_start_like_an_answer(typed: str, keys: list[str]) -> None:
    assert pressed(typed) == (keys, [])
    assert pressed(*typed) == (keys, [])


@given(st.lists(st.text(st.sampled_from("\x1b]1;rgb:/f#\x07\\[A~ab"), max_size=8), max_size=8))
def test_no_key_is_lost(parts: list[str]) -> None:
    text = "".join(parts) + "z"  # releases what was held
    if "rgb:" not in text and "#" not in text:
        keys, answers = pressed(*parts, "z")
        assert answers == []
        assert keys == pressed(text)[0]


class Screen(FullScreen):
    """An empty full screen with this theme on a terminal that a test writes to and reads."""

    def __init__(self, theme: Theme, keys: object, output: ScreenOutput) -> None:
        self.typed: list[str] = []
        bindings = KeyBindings()
        bindings.add("<any>")(lambda event: self.typed.append(event.data))
        vt100 = Vt100_Output(output, lambda: Size(4, 20), term="xterm-256color")  # type: ignore[arg-type]
        super().__init__(Layout(Window()), bindings, theme, keys, vt100)  # type: ignore[arg-type]

    def colour(self) -> str:
        return self._style.get_attrs_for_style_str("class:failed").color or ""


async def wait_for(happened: object) -> None:
    for _ in range(1000):
        if happened():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


FAILED = {
    theme: style(theme, None).get_attrs_for_style_str("class:failed").color
    for theme in (Theme.DARK, Theme.LIGHT)
}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLORFGBG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.mark.usefixtures("terminal")
async def test_the_theme_follows_the_answer() -> None:
    output = ScreenOutput()
    with create_pipe_input() as keys:
        screen = Screen(Theme.AUTO, keys, output)
        running = asyncio.create_task(screen.run())
        await wait_for(lambda: QUESTION in output.written)
        assert screen.colour() == FAILED[Theme.DARK]
        keys.send_text(f"a{WHITE}b")
        await wait_for(lambda: screen.colour() == FAILED[Theme.LIGHT])
        await wait_for(lambda: screen.typed == ["a", "b"])
        screen.leave()
        await running
    assert output.written.count(QUESTION) == 1


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("cancelled", [False, True])
async def test_an_answer_is_awaited_before_the_shell_could_read_it(cancelled: bool) -> None:
    output = ScreenOutput()
    with create_pipe_input() as keys:
        screen = Screen(Theme.AUTO, keys, output)
        running = asyncio.create_task(screen.run())
        await wait_for(lambda: QUESTION in output.written)
        if cancelled:  # by a signal or by --for
            running.cancel()
        else:
            screen.leave()
        await asyncio.sleep(0)
        keys.send_text(WHITE)
        await asyncio.wait([running], timeout=10)
    assert running.cancelled() is cancelled
    assert screen.colour() == FAILED[Theme.LIGHT]
    assert screen.typed == []


@pytest.mark.usefixtures("terminal")
async def test_a_silent_terminal_keeps_the_theme_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORFGBG", "0;15")
    output = ScreenOutput()
    with create_pipe_input() as keys:
        screen = Screen(Theme.AUTO, keys, output)
        running = asyncio.create_task(screen.run())
        await wait_for(lambda: QUESTION in output.written)
        screen.leave()
        await asyncio.wait_for(running, 10)
    assert screen.colour() == FAILED[Theme.LIGHT]


@pytest.mark.usefixtures("terminal")
async def test_a_chosen_theme_asks_nothing() -> None:
    output = ScreenOutput()
    with create_pipe_input() as keys:
        screen = Screen(Theme.LIGHT, keys, output)
        running = asyncio.create_task(screen.run())
        await wait_for(lambda: output.written)
        screen.leave()
        await running
    assert QUESTION not in output.written
    assert screen.colour() == FAILED[Theme.LIGHT]
