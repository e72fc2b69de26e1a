"""Words that are safe to paste into a shell."""

import json
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.shell import ascii_json, is_plain, join, quote
from nsroom.output.terminal import safe

UNSAFE = ["\x03", "a\ntouch PWNED\n", "\x1b[201~", "\x7f", "\u202e", "\u200b", "\\", "\ud800"]


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/chat", "/chat"),
        ("a b", "'a b'"),
        ("", "''"),
        ("=ls", "'=ls'"),
        ("it's", "'it'\"'\"'s'"),
        ("$(id)`id`!x", "'$(id)`id`!x'"),
        ("zwölf", "'zwölf'"),
        (r'"/a\u0003"', r"""'"/a\u0003"'"""),
    ],
)
def test_plain_words(word: str, quoted: str) -> None:
    assert quote(word) == quoted


@pytest.mark.parametrize("word", UNSAFE)
def test_other_words_are_refused(word: str) -> None:
    assert not is_plain(word)
    with pytest.raises(ValueError, match="not safe to paste"):
        join(["nsroom", word])


@pytest.mark.parametrize("word", [*UNSAFE, "a'b", 'a"b'])
def test_json_is_safe_for_every_word(word: str) -> None:
    text = ascii_json(word)
    assert json.loads(text) == word
    assert "'" not in text
    assert shlex.split(quote(text)) == [text]


@given(st.text())
def test_a_quoted_word_is_printable_and_one_word(text: str) -> None:
    if is_plain(text):
        assert safe(quote(text)) == quote(text)
        assert shlex.split(quote(text)) == [text]


def test_a_shell_reads_what_was_quoted() -> None:
    words = ["a b", "it's", "$HOME", "`id`", "!!", "zwölf", "*", "~", "#x", r'"\u0003"']
    line = f"printf '%s\\n' {join(words)}"
    assert (
        subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout.splitlines()
        == words
    )
