"""What the clients of JavaScript, Python and Java say when something fails, and what is behind it."""

import difflib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORD = re.compile(r"[a-z0-9.]+")
_EMPTY_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "is",
        "to",
        "of",
        "in",
        "on",
        "at",
        "for",
        "with",
        "was",
        "it",
        "by",
        "from",
        "and",
        "or",
    ]
)
_CLOSE = 0.55
"""How alike a saying has to be, from 0 to 1."""
_TYPED = 400
"""Characters of what was typed that are looked at."""
_MOST = 3


@dataclass(frozen=True, slots=True)
class KnownError:
    """Words of clients, and the causes behind them with what to do."""

    words: tuple[str, ...]
    causes: tuple[str, ...]


@cache
def known_errors() -> tuple[KnownError, ...]:
    """Read them all."""
    text = Path(__file__).with_name("client_errors.toml").read_text("utf-8")
    return tuple(
        KnownError(tuple(each["words"]), tuple(each["causes"])) for each in tomllib.loads(text)["saying"]
    )


def look_up(text: str) -> list[KnownError]:
    """Give the sayings that are most like the text, best first; none where none is."""
    typed = _normal(text[:_TYPED])
    if not typed:
        return []
    rated = [
        (max(_likeness(typed, _normal(words)) for words in saying.words), saying) for saying in known_errors()
    ]
    best = sorted((each for each in rated if each[0] >= _CLOSE), key=lambda each: -each[0])
    # Where one is named, what is merely like it would mislead.
    return [saying for score, saying in best[:_MOST] if score > best[0][0] - 0.25]


def _normal(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _likeness(typed: str, known: str) -> float:
    if typed == known:
        return 1.0
    if f" {known} " in f" {typed} ":
        return 0.9 + min(len(known), 60) / 1000
    letters = difflib.SequenceMatcher(None, typed, known, autojunk=False).ratio()
    return max(letters, _shared(typed, known) * 0.88)


def _shared(typed: str, known: str) -> float:
    """Give the share of telling words that both have, counted for the shorter of the two."""
    left, right = set(typed.split()) - _EMPTY_WORDS, set(known.split()) - _EMPTY_WORDS
    if not left or not right:
        return 0.0
    alike = sum(bool(difflib.get_close_matches(word, right, 1, 0.8)) for word in left)
    return min(alike / min(len(left), len(right)), 1.0) if alike > 1 or len(left) == 1 else 0.0
