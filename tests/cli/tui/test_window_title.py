import io

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.output.vt100 import Vt100_Output

from nsroom.tui.window_title import WindowTitle
from tests.cli.tui.records import EVIL
from tests.cli.tui.user import User


class Screen(io.StringIO):
    encoding = "utf-8"


def written(*titles: str, term: str = "xterm") -> str:
    """Return what is written for these titles, and to restore the title."""
    screen = Screen()
    output = Vt100_Output(screen, lambda: Size(24, 80), term=term)
    title = WindowTitle(output)
    for each in titles:
        title.show(each)
    title.restore()
    title.restore()
    output.flush()
    return screen.getvalue()


def test_the_title_is_saved_once_and_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert written("a", "a", "b") == "\x1b[22;2t\x1b]2;a\x07\x1b]2;b\x07\x1b[23;2t"
    assert written() == ""


def test_a_terminal_without_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert written("a", term="linux") == ""
    WindowTitle(DummyOutput()).show("a")


def test_a_hostile_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = written(EVIL * 20).removeprefix("\x1b[22;2t\x1b]2;").removesuffix("\x07\x1b[23;2t")
    assert text.isprintable()
    assert len(text) <= 80


async def test_the_title_of_the_view(user: User) -> None:
    assert "\x1b[22;2t" in user.output.written
    assert user.output.written.rpartition("\x1b]2;")[2].startswith(
        f"nsroom {user.view.server} /chat #lobby\x07"
    )
