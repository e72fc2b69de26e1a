"""Look up the error messages of client libraries (JavaScript, Python, Java) and their likely causes."""

import difflib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORD = re.compile(r"[a-z0-9.]+")
_STOP_WORDS = frozenset(_WORD.findall("a an the is to of in on at for with was it by from and or"))
_MIN_SCORE = 0.55
"""The similarity, from 0 to 1, from which a message matches."""
_MAX_BEHIND = 0.25
"""The score by which a match may be below the best one: next to an exact match, a vague one misleads."""
_MAX_TEXT = 400
"""Characters of the text to compare."""
_MAX_MATCHES = 3


@dataclass(frozen=True, slots=True)
class KnownError:
    """The messages of one kind of error, and its likely causes with their fixes."""

    messages: tuple[str, ...]
    causes: tuple[str, ...]


@cache
def known_errors() -> tuple[KnownError, ...]:
    """Return all known errors, in the order of client_errors.toml."""
    text = Path(__file__).with_name("client_errors.toml").read_text("utf-8")
    return tuple(
        KnownError(tuple(each["messages"]), tuple(each["causes"])) for each in tomllib.loads(text)["error"]
    )


def look_up(text: str) -> list[KnownError]:
    """Return the known errors most similar to the text, best first."""
    typed = _normalise(text[:_MAX_TEXT])
    if not typed:
        return []
    scored = [(_score(typed, known), known) for known in known_errors()]
    matches = sorted((each for each in scored if each[0] >= _MIN_SCORE), key=lambda each: -each[0])
    return [known for score, known in matches[:_MAX_MATCHES] if score > matches[0][0] - _MAX_BEHIND]


def _normalise(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _score(typed: str, known: KnownError) -> float:
    return max(_similarity(typed, _normalise(message)) for message in known.messages)


def _similarity(typed: str, message: str) -> float:
    if typed == message:
        return 1.0
    if f" {message} " in f" {typed} ":
        return 0.9 + min(len(message), 60) / 1000
    letters = difflib.SequenceMatcher(None, typed, message, autojunk=False).ratio()
    return max(letters, _shared_words(typed, message) * 0.88)


def _shared_words(typed: str, message: str) -> float:
    """Return the share of similar words, stop words aside, in the shorter of the two texts."""
    left, right = set(typed.split()) - _STOP_WORDS, set(message.split()) - _STOP_WORDS
    if not left or not right:
        return 0.0
    alike = sum(bool(difflib.get_close_matches(word, right, 1, 0.8)) for word in left)
    return min(alike / min(len(left), len(right)), 1.0) if alike > 1 or len(left) == 1 else 0.0
