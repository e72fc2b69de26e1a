"""Error messages of clients, browsers, servers and proxies, and their likely causes.

A text is known if it contains all words of a message, in order and without gaps; `…` in a message matches
any words. If it contains none, typing errors are accepted. There are no guesses by similarity: the causes of
another error would mislead.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORD = re.compile(r"[a-z0-9]+")
_GAP = "…"
_MAX_GAP = 40
"""Words that a gap may match: a URL has about ten."""
_MAX_INPUT = 2000
"""Characters of the user's text to compare."""
_MAX_TYPOS_INPUT = 200
"""Characters of a text that a person may have typed."""
_MAX_RESULTS = 3
_MIN_RATIO = 0.8
"""How similar a word with a typing error must be, from 0 to 1."""
_MIN_TYPO = 3
"""Letters of a word that may have a typing error."""
_MIN_LONE_TYPO = 8
"""The same for the only word of a message."""
# Words that clients put before a message.
_NOISE = frozenset(
    _WORD.findall(
        "error err uncaught exception exceptions in promise connect connection failed disconnect "
        "disconnected reason due to because socketio socket io client engineio code message"
    )
)

_Equal = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class KnownError:
    """Messages for one error, and its causes with their fixes."""

    messages: tuple[str, ...]
    causes: tuple[str, ...]
    whole: tuple[str, ...] = ()
    """Messages that are too short to be looked for in a longer text."""
    is_general: bool = False
    """Whether other messages in the same text have more to say."""

    @property
    def words(self) -> tuple[str, ...]:
        """All messages."""
        return self.messages + self.whole


@dataclass(frozen=True, slots=True)
class Match:
    """An error whose message is in a text, and the words of the text that the message covers."""

    error: KnownError
    message: str
    start: int
    end: int
    letters: int

    def is_within(self, other: "Match") -> bool:
        """Return whether this is only a part of another match."""
        return other.start <= self.start and self.end <= other.end and self.letters < other.letters


@cache
def known_errors() -> tuple[KnownError, ...]:
    """Return all errors of client_errors.toml."""
    text = Path(__file__).with_name("client_errors.toml").read_text("utf-8")
    return tuple(
        KnownError(
            tuple(each["messages"]),
            tuple(each["causes"]),
            tuple(each.get("whole", ())),
            each.get("general", False),
        )
        for each in tomllib.loads(text)["error"]
    )


def anchor(message: str) -> str:
    """Return the anchor of a message on the documentation's page of error messages."""
    return "-".join(_words(message))


def look_up(text: str) -> list[Match]:
    """Return the errors whose messages the text contains, best first; an empty list if none is known."""
    typed = _words(text[:_MAX_INPUT])
    found = list(_matches(typed, str.__eq__))
    if not found and len(text) <= _MAX_TYPOS_INPUT:
        found = list(_matches(typed, _resembles))
    widest = [each for each in found if not any(each.is_within(other) for other in found)]
    widest.sort(key=lambda each: (each.error.is_general, -each.letters))
    best: dict[KnownError, Match] = {}
    for each in widest:
        best.setdefault(each.error, each)
    return list(best.values())[:_MAX_RESULTS]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _matches(typed: Sequence[str], equal: _Equal) -> Iterator[Match]:
    for error in known_errors():
        for message in error.messages:
            parts = [_words(part) for part in message.split(_GAP)]
            if (found := _find(parts, typed, equal)) is not None:
                yield Match(error, message, *found, sum(len(word) for part in parts for word in part))
        for message in error.whole:
            if _is_whole(_words(message), typed, equal):
                yield Match(error, message, 0, len(typed), sum(map(len, _words(message))))


def _find(parts: Sequence[Sequence[str]], typed: Sequence[str], equal: _Equal) -> tuple[int, int] | None:
    """Return where the parts of a message start and end in the text, or None."""
    for start in range(len(typed)):
        if not _is_at(parts[0], typed, start, equal):
            continue
        end = start + len(parts[0])
        for part in parts[1:]:
            places = range(end, min(end + _MAX_GAP, len(typed) - len(part)) + 1)
            place = next((place for place in places if _is_at(part, typed, place, equal)), None)
            if place is None:
                break
            end = place + len(part)
        else:
            return start, end
    return None


def _is_at(part: Sequence[str], typed: Sequence[str], place: int, equal: _Equal) -> bool:
    there = typed[place : place + len(part)]
    if len(there) < len(part) or not all(map(equal, there, part)):
        return False
    # A typing error in the only word is accepted in a long one only.
    return there == part or len(part) > 1 or len(part[0]) >= _MIN_LONE_TYPO


def _is_whole(message: Sequence[str], typed: Sequence[str], equal: _Equal) -> bool:
    rest = len(typed) - len(message)
    return rest >= 0 and _NOISE.issuperset(typed[:rest]) and _is_at(message, typed, rest, equal)


def _resembles(typed: str, known: str) -> bool:
    if typed == known:
        return True
    if min(len(typed), len(known)) < _MIN_TYPO or typed[0] != known[0] or not (typed + known).isalpha():
        return False
    return difflib.SequenceMatcher(None, typed, known, autojunk=False).ratio() >= _MIN_RATIO
