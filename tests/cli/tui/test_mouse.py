import io

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.keys import Keys

from nsroom.tui.mouse import DragOutput, _key_press
from nsroom.tui.screen.keymap import KEYS


class Screen(io.StringIO):
    encoding = "utf-8"


def test_every_move_is_not_reported() -> None:
    screen = Screen()
    output = DragOutput(screen, lambda: Size(24, 80))
    output.enable_mouse_support()
    output.disable_mouse_support()
    output.flush()
    written = screen.getvalue()
    assert "1003" not in written
    for mode in (1000, 1002, 1006):
        assert written.index(f"?{mode}h") < written.index(f"?{mode}l")


@pytest.mark.parametrize(
    ("name", "key", "data"),
    [("j", "j", "j"), ("space", " ", " "), ("enter", Keys.ControlM, "\r"), ("escape", Keys.Escape, "\x1b")],
)
def test_keys_of_clicks(name: str, key: str, data: str) -> None:
    assert (_key_press(name).key, _key_press(name).data) == (key, data)


def test_every_key_can_be_pressed_by_a_click() -> None:
    for key in {part for each in KEYS for keys in each.keys for part in keys.split()}:
        _key_press(key)
