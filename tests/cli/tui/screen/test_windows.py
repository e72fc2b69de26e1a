"""Windows that write their lines straight to the screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Screen, WritePosition
from prompt_toolkit.utils import get_cwidth

from nsroom.output.terminal import safe
from nsroom.tui.screen.lines import Fragments
from nsroom.tui.screen.windows import LinesWindow, line_window, rule_window

Row = list[tuple[str, str]]


def drawn(window: LinesWindow, width: int, height: int, z_index: int | None = None) -> list[Row]:
    """Return the characters and styles that a window writes at (2, 1)."""
    screen = Screen()
    place = WritePosition(2, 1, width, height)
    window.write_to_screen(screen, MouseHandlers(), place, "", False, z_index)
    screen.draw_all_floats()
    rows = [screen.data_buffer[1 + y] for y in range(height)]
    return [[(row[2 + x].char, row[2 + x].style) for x in range(width)] for row in rows]


def text(row: Row) -> str:
    return "".join(char for char, _ in row)


def window(*lines: Fragments, style: str = "") -> LinesWindow:
    return LinesWindow(lambda _width, _height: list(lines), style=style)


def test_lines_are_padded_and_missing_ones_are_blank() -> None:
    rows = drawn(window([("class:a", "ab"), ("", "c")]), 5, 2)
    assert [text(row) for row in rows] == ["abc  ", "     "]
    assert rows[0][0] == ("a", "class:a")


@pytest.mark.parametrize("z_index", [None, 1])
def test_surplus_lines_and_cells_are_cut(z_index: int | None) -> None:
    rows = drawn(window([("", "abcdef")], [("", "second")], [("", "third")]), 3, 2, z_index)
    assert [text(row) for row in rows] == ["abc", "sec"]


def test_a_wide_character_is_followed_by_an_empty_cell_and_never_cut_in_half() -> None:
    assert [char for char, _ in drawn(window([("", "漢a")]), 4, 1)[0]] == ["漢", "", "a", " "]
    assert [char for char, _ in drawn(window([("", "a漢")]), 2, 1)[0]] == ["a", " "]


def test_a_combining_mark_joins_the_character_before_it() -> None:
    assert [char for char, _ in drawn(window([("", "e\u0301漢\u0301")]), 4, 1)[0]] == [
        "e\u0301",
        "漢\u0301",
        "",
        " ",
    ]


def test_an_overlay_keeps_its_style_in_the_padding() -> None:
    (row,) = drawn(window([("class:b", "a")], style="class:overlay"), 3, 1)
    assert [style for _, style in row] == ["class:overlay class:b"] * 3


@given(st.text().map(safe), st.integers(1, 30))
def test_a_line_has_exactly_its_width(content: str, width: int) -> None:
    (row,) = drawn(window([("", content)]), width, 1)
    assert sum(max(get_cwidth(char[:1]), 0) for char, _ in row if char) == width


def test_a_line_and_a_rule_are_made_for_their_width() -> None:
    assert text(drawn(line_window(lambda width: [("", f"{width} cells")]), 9, 1)[0]) == "9 cells  "
    assert text(drawn(rule_window(), 4, 1)[0]) == "────"
