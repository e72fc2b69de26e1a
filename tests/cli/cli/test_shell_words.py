import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.cli.shell_words import is_open, split
from nsroom.errors import UsageError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("a b  c", ["a", "b", "c"]),
        ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ('x {"a": [1, 2]} y', ["x", '{"a": [1, 2]}', "y"]),
        ("[1,\n 2]", ["[1,\n 2]"]),
        ('k:={"a": 1} k2=x', ['k:={"a": 1}', "k2=x"]),
        ("{not json}", ["{not", "json}"]),
        ('{"a":1}x', ["{a:1}x"]),
        ("# no comment", ["#", "no", "comment"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split(text) == words


@pytest.mark.parametrize("text", ["'open", '"open', '{"a": 1', "x [1, 2", 'k:={"a"'])
def test_an_open_quote_or_bracket(text: str) -> None:
    with pytest.raises(UsageError, match="quote it as in a shell"):
        split(text)


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("it's fine", False),
        ("/join it's", False),
        ('["event", {', True),
        ('["event", {"a": "]"}', True),
        ('["event", "}"]', False),
        ('/emit e {"a": [', True),
        ('/emit e {"a": []}', False),
        ("/emit e 'text", True),
        ("/reply {", True),
        ("/emit e {not json}", False),
        ("{", True),
        ("", False),
    ],
)
def test_whether_enter_adds_a_line(text: str, opened: bool) -> None:
    assert is_open(text) is opened


@given(st.text())
def test_any_text_is_split_or_refused(text: str) -> None:
    is_open(f"/emit {text}")
    with contextlib.suppress(UsageError):
        split(text)
