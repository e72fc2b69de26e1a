"""A command line as a message may repeat it: without the secrets in it."""

import re
import shlex
from collections.abc import Iterator, Sequence

from nsroom.client.target import masked

_SECRET = (
    *("-a", "--auth", "-H", "--header", "--cookie", "--query", "--token"),
    *("--admin-auth", "--admin-session"),
)
"""Options whose values may be secret."""
_SHORTEST = 4
"""Characters of a secret; what is shorter protects nothing, and a line to paste is better whole."""
_KEY = re.compile(r"[\w.-]+(?::=|=|: ?)")


def masked_line(words: Sequence[str]) -> str:
    """Return a command line for a shell, with `…` instead of the values that may be secret."""
    return shlex.join(_masked_words(words))


def _masked_words(words: Sequence[str]) -> Iterator[str]:
    is_secret = False
    for word in words:
        if is_secret:
            yield _masked_value(word)
            is_secret = False
        elif word in _SECRET:
            yield word
            is_secret = True
        elif option := next((each for each in _SECRET if _has_value(word, each)), ""):
            yield option + ("=" if option.startswith("--") else "") + "…"
        else:
            yield masked(word)


def _has_value(word: str, option: str) -> bool:
    return word.startswith(f"{option}=" if option.startswith("--") else option) and word != option


def _masked_value(value: str) -> str:
    """Return a value without its secret: `token=…`, `Authorization: …`; a placeholder such as `x` stays."""
    key = _KEY.match(value)
    if key and len(value) - key.end() < _SHORTEST:
        return value
    return f"{key[0]}…" if key else "…"
