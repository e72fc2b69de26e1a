"""The words of a typed command: as in a shell, but JSON may stand there unquoted, over several lines."""

import io
import json
import re
import shlex
from typing import NamedTuple

from nsroom.errors import UsageError

_JSON = re.compile(r"(?:[A-Za-z_][\w.-]*:=)?(?=[\[{])")
_TAKES_WORDS = re.compile(r"/(?:emit|call|reply)\s")
_decoder = json.JSONDecoder()


class _Scanned(NamedTuple):
    words: list[str]
    open: str
    """What is not closed; nothing when all is."""


def split(text: str) -> list[str]:
    """Give the words.

    Raises: UsageError for a quote that does not end.
    """
    scanned = _scan(text)
    if scanned.open:
        raise UsageError(f"{scanned.open}: quote it as in a shell, or write JSON")
    return scanned.words


def is_open(text: str) -> bool:
    """Tell whether a bracket or a quote is still open, so that Enter goes on with a new line."""
    if text[:1] in ("[", "{"):
        return _is_unclosed(text)
    words = _TAKES_WORDS.match(text)
    return bool(words and _scan(text[words.end() :]).open)


def _scan(text: str) -> _Scanned:
    words, stream, at = [], io.StringIO(text), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if (start := _JSON.match(text, at)) and (end := _json_end(text, start.end())):
            words.append(text[at:end])
        else:
            if start and _is_unclosed(text[start.end() :]):
                return _Scanned(words, "a bracket is not closed")
            stream.seek(at)
            try:
                words.append(_shell_word(stream))
            except ValueError as error:
                return _Scanned(words, str(error).lower())
            end = stream.tell()
        at = end
    return _Scanned(words, "")


def _json_end(text: str, at: int) -> int:
    """Give where the JSON value ends that begins here and stands alone, else 0."""
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
