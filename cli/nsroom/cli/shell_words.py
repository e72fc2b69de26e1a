"""Split a command line into words as a shell does; JSON needs no quotes and may span several lines."""

import io
import json
import re
import shlex
from typing import NamedTuple

from nsroom.client.events import is_item
from nsroom.errors import UsageError

_JSON = re.compile(r"(?:[A-Za-z_][\w.-]*:=)?(?=[\[{])")
_HAS_WORDS = re.compile(r"/(?:emit|call|reply)\s")
_decoder = json.JSONDecoder()


class Word(NamedTuple):
    """A word, and where it starts in the text."""

    text: str
    start: int


class _Scan(NamedTuple):
    words: list[Word]
    error: str
    """Which quote or bracket is not closed, if any."""
    at: int
    """Where the scan ended, or the word that is not closed starts."""


class UnclosedError(UsageError):
    """A quote or bracket of the word at `start` is not closed."""

    def __init__(self, reason: str, start: int) -> None:
        super().__init__(f"{reason}: quote it as in a shell, or write JSON")
        self.start = start


def split(text: str) -> list[str]:
    """Return the words.

    Raises: UsageError for a quote or bracket that is not closed.
    """
    return [word.text for word in split_at(text)]


def split_at(text: str, comments: bool = False) -> list[Word]:
    """Return the words with their places; with `comments`, up to a word that starts with `#`.

    Raises: UnclosedError.
    """
    scan = _scan(text, comments)
    if scan.error:
        raise UnclosedError(scan.error, scan.at)
    return scan.words


def is_open(text: str) -> bool:
    """Return whether a bracket or a quote is still open, so that Enter adds a new line."""
    if is_item(text):
        return _is_unclosed(text)
    words = _HAS_WORDS.match(text)
    return bool(words and _scan(text[words.end() :]).error)


def _scan(text: str, comments: bool = False) -> _Scan:
    words: list[Word] = []
    stream, at = io.StringIO(text), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if comments and text[at] == "#":
            break
        if (start := _JSON.match(text, at)) and (end := _json_end(text, start.end())):
            words.append(Word(text[at:end], at))
        else:
            if start and _is_unclosed(text[start.end() :]):
                return _Scan(words, "a bracket is not closed", at)
            stream.seek(at)
            try:
                words.append(Word(_shell_word(stream), at))
            except ValueError as error:
                return _Scan(words, str(error).lower(), at)
            end = stream.tell()
        at = end
    return _Scan(words, "", at)


def _json_end(text: str, at: int) -> int:
    """Return the end of the JSON value at this position, or 0 if it is not a word by itself."""
    try:
        _, end = _decoder.raw_decode(text, at)
    except (ValueError, RecursionError):
        return 0
    return end if end == len(text) or text[end].isspace() else 0


def _shell_word(stream: io.StringIO) -> str:
    lexer = shlex.shlex(stream, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    return lexer.get_token() or ""


def _is_unclosed(text: str) -> bool:
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            quoted = True
        else:
            depth += (character in "[{") - (character in "]}")
    return depth > 0 or quoted
