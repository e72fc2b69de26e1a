import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.summary import Style
from nsroom.output.terminal import cells, safe
from nsroom.tui.screen.wrapping import MIN_ROOM, fitting, flow, text_rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("one", ["one"]),
        ("one\ntwo\r\n\nthree", ["one", "two", "", "three"]),
        ("hello there everyone", ["hello there ", "everyone"]),
        ("x" * 30, ["x" * 12, "x" * 12, "x" * 6]),
        ("日本語日本語日本語", ["日本語日本語", "日本語"]),
        ("\x1b" * 4, [r"\x1b\x1b\x1b", r"\x1b"]),
        ("a\n", ["a"]),
        ("exactly-12-c\nx", ["exactly-12-c", "x"]),
    ],
)
def test_rows_of_text(text: str, rows: list[str]) -> None:
    assert list(text_rows(text, 12)) == rows


@given(st.text(max_size=200), st.integers(MIN_ROOM, 40))
def test_rows_have_room_and_lose_nothing(text: str, room: int) -> None:
    rows = list(text_rows(text, room))
    assert all(cells(row) <= room for row in rows)
    plain = text.replace("\r\n", "\n")
    if safe(plain.replace("\n", "")) == plain.replace("\n", ""):
        assert "".join(rows) == plain.replace("\n", "")


def test_large_text_is_broken_lazily() -> None:
    rows = text_rows("日" * 10_000_000, 40)
    assert [next(rows) for _ in range(3)] == ["日" * 20] * 3


def lines(*pieces: str, room: int = 12) -> list[str]:
    """Return the lines of these pieces."""
    flowing = flow([(Style.TEXT, piece) for piece in pieces], room)
    return ["".join(text for _, text in row) for row in flowing]


def test_pieces_flow_over_lines() -> None:
    assert lines() == []
    assert lines("a", "  b") == ["a  b"]
    assert lines("12345678", "  (a note)") == ["12345678", "(a note)"]
    assert lines("hello there everyone", "  x") == ["hello there ", "everyone  x"]
    assert lines("日" * 10) == ["日" * 6, "日" * 4]


@given(st.lists(st.text(max_size=40).map(safe), max_size=5), st.integers(MIN_ROOM, 40))
def test_pieces_fit(pieces: list[str], room: int) -> None:
    assert all(cells(line) <= room for line in lines(*pieces, room=room))


def test_fitting() -> None:
    assert fitting("日本語", 4) == 2
    assert fitting("日本語", 1) == 1
    assert fitting("", 4) == 0
