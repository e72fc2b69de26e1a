"""Words and commands that are safe to paste into a shell. Pure.

A paste must have only printable text, whatever a server sends: a control character such as Ctrl-C would end
even a quoted paste. bash, zsh, dash and fish read what is written here alike.
"""

import json
import re
from collections.abc import Iterable

from nsroom.output.terminal import safe
from nsroom.record import Json

_UNQUOTED = re.compile(r"[A-Za-z0-9_./:-]+")
_BACKSLASH = re.compile(r"\\(?!u[0-9a-f]{4})")
_ESCAPED = re.compile(r"\\u....|\\.|'")


def is_plain(word: str) -> bool:
    """Return whether every shell reads a word in single quotes literally; fish does not for backslashes."""
    return "\\" not in word and safe(word) == word


def quote(word: str) -> str:
    """Return a plain word or ASCII JSON, in quotes if it needs them. Raises: ValueError for another word."""
    if safe(word) != word or _BACKSLASH.search(word):
        raise ValueError("a word that is not safe to paste")
    # Not shlex.quote, which leaves `=ls` unquoted: zsh expands it.
    return word if _UNQUOTED.fullmatch(word) else "'" + word.replace("'", "'\"'\"'") + "'"


def join(words: Iterable[str]) -> str:
    """Return the command with these words. Raises: ValueError for a word that `quote` refuses."""
    return " ".join(map(quote, words))


def ascii_json(value: Json) -> str:
    """Return JSON in printable ASCII, without apostrophes, and with backslashes only as in `\\u0003`."""
    return _ESCAPED.sub(_unicode_escape, json.dumps(value))


def _unicode_escape(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith("\\u"):
        return text
    character = text if text == "'" else json.loads(f'"{text}"')
    return f"\\u{ord(character):04x}"
