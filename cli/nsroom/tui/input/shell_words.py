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


class _Scan(NamedTuple):
    words: list[str]
    error: str
    """Which quote or bracket is not closed, if any."""


def split(text: str) -> list[str]:
    """Return the words.

    Raises: UsageError for a quote or bracket that is not closed.
    """
    scan = _scan(text)
    if scan.error:
        raise UsageError(f"{scan.error}: quote it as in a shell, or write JSON")
    return scan.words


def is_open(text: str) -> bool:
    """Return whether a bracket or a quote is still open, so that Enter adds a new line."""
    if is_item(text):
        return _is_unclosed(text)
    words = _HAS_WORDS.match(text)
    return bool(words and _scan(text[words.end() :]).error)


def _scan(text: str) -> _Scan:
    words, stream, at = [], io.StringIO(text), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if (start := _JSON.match(text, at)) and (end := _json_end(text, start.end())):
            words.append(text[at:end])
        else:
            if start and _is_unclosed(text[start.end() :]):
                return _Scan(words, "a bracket is not closed")
            stream.seek(at)
            try:
                words.append(_shell_word(stream))
            except ValueError as error:
                return _Scan(words, str(error).lower())
            end = stream.tell()
        at = end
    return _Scan(words, "")


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
