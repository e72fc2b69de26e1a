"""Error messages of the JavaScript, Python and Java clients, and their likely causes."""

import difflib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORD = re.compile(r"[a-z0-9.]+")
_STOP_WORDS = frozenset(_WORD.findall("a an the is to of in on at for with was it by from and or"))
_MIN_SCORE = 0.55
"""How similar an error must be, from 0 to 1."""
_MAX_MARGIN = 0.25
"""Errors that score this much less than the best are left out: they would mislead."""
_MAX_INPUT = 400
"""Characters of the user's text to compare."""
_MAX_RESULTS = 3


@dataclass(frozen=True, slots=True)
class KnownError:
    """Messages of clients for one error, and its causes with their fixes."""

    messages: tuple[str, ...]
    causes: tuple[str, ...]


@cache
def known_errors() -> tuple[KnownError, ...]:
    """Return all errors of client_errors.toml."""
    text = Path(__file__).with_name("client_errors.toml").read_text("utf-8")
    return tuple(
        KnownError(tuple(each["messages"]), tuple(each["causes"])) for each in tomllib.loads(text)["error"]
    )


def look_up(text: str) -> list[KnownError]:
    """Return the errors most similar to the text, best first."""
    typed = _normalize(text[:_MAX_INPUT])
    if not typed:
        return []
    rated = [
        (max(_similarity(typed, _normalize(message)) for message in error.messages), error)
        for error in known_errors()
    ]
    best = sorted((each for each in rated if each[0] >= _MIN_SCORE), key=lambda each: -each[0])
    return [error for score, error in best[:_MAX_RESULTS] if score > best[0][0] - _MAX_MARGIN]


def _normalize(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _similarity(typed: str, known: str) -> float:
    if typed == known:
        return 1.0
    if f" {known} " in f" {typed} ":
        return 0.9 + min(len(known), 60) / 1000
    letters = difflib.SequenceMatcher(None, typed, known, autojunk=False).ratio()
    return max(letters, _word_overlap(typed, known) * 0.88)


def _word_overlap(typed: str, known: str) -> float:
    """Return the share of common words in the shorter text, from 0 to 1; stop words do not count."""
    left, right = set(typed.split()) - _STOP_WORDS, set(known.split()) - _STOP_WORDS
    if not left or not right:
        return 0.0
    alike = sum(bool(difflib.get_close_matches(word, right, 1, 0.8)) for word in left)
    return min(alike / min(len(left), len(right)), 1.0) if alike > 1 or len(left) == 1 else 0.0
