import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.terminal import cells, safe
from nsroom.tui.screen.lines import Fragments, fit, highlight, justify, length, rule, wrap

FRAGMENTS = st.lists(st.tuples(st.just(""), st.text().map(safe)))


@given(FRAGMENTS, st.integers(0, 60))
def test_a_line_has_exactly_its_width(fragments: Fragments, width: int) -> None:
    assert length(fit(fragments, width)) == width


@given(FRAGMENTS, FRAGMENTS, st.integers(1, 60))
def test_justified_ends_have_exactly_the_width(left: Fragments, right: Fragments, width: int) -> None:
    assert length(justify(left, right, width)) == width


def test_the_left_end_is_cut_if_there_is_no_room_for_both() -> None:
    assert justify([("", "left")], [("", "right")], 8) == [("", "le…"), ("", "right")]


@given(st.text().map(safe), st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_mark_after_the_last_character_that_does_not_fit() -> None:
    assert wrap("abc\u1dc0", 2) == ["ab", "c\u1dc0"]


def test_words_are_kept_whole() -> None:
    assert wrap("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert wrap("unbreakableword x", 6) == ["unbrea", "kablew", "ord x"]


@pytest.mark.parametrize(
    ("pattern", "marked"), [("AB", ["ab", "Ab"]), ("", []), ("(", ["("]), ("\x1b", ["\\x1b"])]
)
def test_highlight(pattern: str, marked: list[str]) -> None:
    line = highlight([("class:x", r"ab (Abc \x1b")], pattern)
    assert "".join(text for _, text in line) == r"ab (Abc \x1b"
    assert [text for style, text in line if style == "class:x class:match"] == marked


def test_a_rule_has_a_text_in_the_middle() -> None:
    text = "".join(text for _, text in rule("new", 41, 2))
    assert text.rstrip() == f"  {'─' * 15}  new  {'─' * 15}"
    assert len(text) == 41
