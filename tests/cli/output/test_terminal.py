"""Text from outside reaches a terminal as visible characters only."""

import io
import os
import pty
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.terminal import MAX_MARKS, cells, clip, colours, console, safe

HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\x00\x08\x7f\u202e\u2066\u200b\u200d\ufeff\U000e0041\ud800\x01\x02\r\n\t "
ANY_TEXT = (
    st.text() | st.text(alphabet=HOSTILE + "ab\u0301\u0e47\ufe0f漢👩é") | st.text(alphabet=st.characters())
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain text, 100 %", "plain text, 100 %"),
        ("naïve 漢字 тест नमस्ते ไทย 👩 ❤️", "naïve 漢字 тест नमस्ते ไทย 👩 ❤️"),
        ("ideographic\u3000and no-break\u00a0spaces", "ideographic\u3000and no-break\u00a0spaces"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("\x00\x01\x02\x7f", r"\x00\x01\x02\x7f"),
        ("abc\u202ecba\u2069\u200f", r"abc\u202ecba\u2069\u200f"),
        ("a\u200bb\u200dc\ufeff\u2060\u00ad", r"a\u200bb\u200dc\ufeff\u2060\xad"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\U000e0041\U000e0001", r"\U000e0041\U000e0001"),
        ("\ud800\udfff", r"\ud800\udfff"),
        ("\ue000\ufdd0\uffff\U0010ffff", r"\ue000\ufdd0\uffff\U0010ffff"),
        ("\u3164\u115f\u034f", r"\u3164\u115f\u034f"),
        ("a\ufe0f\ufe01\U000e0100", "a\ufe0f" + r"\ufe01\U000e0100"),
        ("\U0001fae8", "\U0001fae8"),
        ("\\x1b", "\\x1b"),
        ("[link=http://x]y[/link]", "[link=http://x]y[/link]"),
    ],
)
def test_safe(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_marks_pile_up_to_a_bound() -> None:
    few = "z" + "\u0301" * MAX_MARKS
    assert safe(few) == few
    assert safe(few + "\u0e47\u0301!") == few + r"\u0e47\u0301!"
    assert safe(few + "y" + "\u0301") == few + "y\u0301"


@pytest.mark.no_cover
def test_every_character_is_shown_or_escaped() -> None:
    hidden = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        shown = safe(character)
        if unicodedata.category(character) in hidden:
            assert shown.isascii()
            assert shown.isprintable()
        else:
            assert shown in (character, f"\\u{code:04x}", f"\\U{code:08x}")


@given(ANY_TEXT)
def test_what_is_shown_is_harmless(text: str) -> None:
    shown = safe(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") for character in shown)
    marks = 0
    for character in shown:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        assert marks <= MAX_MARKS


@given(ANY_TEXT)
def test_safe_text_stays_as_it_is(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("", 5, ""),
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("abcdef", -3, ""),
        ("漢字", 4, "漢字"),
        ("漢字漢", 5, "漢字…"),
        ("漢字漢", 4, "漢…"),
        ("漢字漢", 0, ""),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("é" * 100_000, 3, "éé…"),
    ],
)
def test_clip(text: str, width: int, shown: str) -> None:
    assert clip(text, width) == shown


@given(ANY_TEXT, st.integers(0, 40))
def test_clipped_text_fits(text: str, width: int) -> None:
    shown = clip(safe(text), width)
    assert cells(shown) <= width
    assert shown == safe(text) or shown.endswith("…") or width == 0


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        yield stream
    os.close(master)


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    terminal: TextIO, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert colours(terminal) is coloured
    assert (console(terminal).color_system is not None) is coloured


def test_a_console_in_a_pipe_writes_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    stream = io.StringIO()
    console(stream).print("[red]:smile: 12 'x'", style="red")
    assert stream.getvalue() == "[red]:smile: 12 'x'\n"


@pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE"])
def test_colours_in_a_pipe_are_asked_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(name, "1")
    stream = io.StringIO()
    console(stream).print("x", style="red")
    assert stream.getvalue() == "\x1b[31mx\x1b[0m\n"


def test_the_module_loads_without_rich() -> None:
    script = "import sys, nsroom.output.sinks; print([m for m in sys.modules if 'rich' in m])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "[]\n"
