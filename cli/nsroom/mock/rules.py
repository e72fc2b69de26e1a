"""The rules of a scripted server: `on EXPR: ACTION`, a line each.

`EXPR` is a filter on what clients send: an event, or with `kind=connect` and `kind=disconnect` that they come
and go. An action may start with `after TIME` or `every TIME`. Indented lines are further actions of the rule
above them. `#` starts a comment.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nsroom.cli.durations import parse_duration
from nsroom.cli.shell_words import UnclosedError, Word, split_at
from nsroom.client.events import parse_arguments
from nsroom.encoding import read_script
from nsroom.errors import ScriptError, UsageError
from nsroom.filters import FilterError, parse
from nsroom.mock.templates import MARK, mark
from nsroom.record import Json, Kind, Record

VERBS = ("ack", "emit", "join", "leave", "kick", "refuse")
TIMES = ("after", "every")
EVERYONE = "*"
"""After `to`: the whole namespace."""
_MIN_PERIOD, _MAX_TIME = 0.01, 86_400.0
_RULE = re.compile(rf"on\s+(.+?):\s+(?=(?:{'|'.join((*VERBS, *TIMES))})\b)", re.DOTALL)
_KINDS = (Kind.EVENT, Kind.CONNECT, Kind.DISCONNECT)
_ACTION = (
    "write an action: ack ARG…, emit EVENT ARG… [to ROOM], join ROOM, leave ROOM, kick or refuse MESSAGE"
)


@dataclass(frozen=True, slots=True)
class Action:
    """What the server does; the values may contain marks, see `templates`."""

    verb: str
    args: list[Json] = field(default_factory=list)
    """The arguments of `ack`; the event and its arguments; the room; the message of a refusal."""
    room: Json = None
    """Where `emit` sends it; None for the client itself."""
    names: list[str] = field(default_factory=list)
    """The names that the marks replace."""
    delay: float = 0.0
    """Seconds before it."""
    period: float = 0.0
    """Seconds between repetitions; 0 for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """The actions for the records that match."""

    matches: Callable[[Record], bool]
    actions: tuple[Action, ...]


def read(file: Path) -> list[Rule]:
    """Return the rules of a script. Raises: UsageError, ScriptError."""
    rules = list(_rules(file, read_script(file)))
    if not rules:
        raise UsageError(f'{file}: no rules; write them as: on event=order: ack {{"ok":true}}')
    return rules


def _rules(file: Path, text: str) -> Iterator[Rule]:
    rule: Rule | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        reader = _Line(file, number, line)
        if not line[0].isspace():
            if rule:
                yield rule
            rule = reader.rule()
        elif rule is None:
            raise reader.error(0, "an action without a rule; write it as: on EXPR: ACTION")
        else:
            rule = replace(rule, actions=(*rule.actions, reader.action(0)))
    if rule:
        yield rule


class _Line:
    """One line of a script."""

    def __init__(self, file: Path, number: int, text: str) -> None:
        self._file = file
        self._number = number
        self._text = text

    def error(self, start: int, reason: str) -> ScriptError:
        """Return the error at an offset."""
        start += len(self._text[start:]) - len(self._text[start:].lstrip())
        return ScriptError(self._file, self._number, start, reason)

    def rule(self) -> Rule:
        """Return the rule that starts here. Raises: ScriptError."""
        if MARK in self._text:
            raise self.error(self._text.index(MARK), "a character for private use")
        found = _RULE.match(self._text)
        if found is None:
            start = self._text.find(": ") + 1 if self._text.startswith("on ") else 0
            raise self.error(start, _ACTION if start else "write a rule as: on EXPR: ACTION")
        try:
            where = parse(found[1])
        except FilterError as error:
            raise self.error(found.start(1) + error.column - 1, error.reason) from None
        named = "kind" in where.fields

        def matches(record: Record) -> bool:
            return (named or record.kind is Kind.EVENT) and where(record)

        return Rule(matches, (self.action(found.end()),))

    def action(self, start: int) -> Action:
        """Return the action at an offset. Raises: ScriptError."""
        names: list[str] = []
        marked = mark(self._text[start:], names)
        try:
            words = split_at(marked, comments=True)
        except UnclosedError as error:
            raise self.error(start, str(error)) from None
        delay, period, words = self._times(words, start)
        if not words or words[0].text not in VERBS:
            raise self.error(start, _ACTION)
        verb, texts = words[0].text, [word.text for word in words[1:]]
        if period and verb in ("ack", "refuse"):
            raise self.error(start, f"{verb} happens once: use after instead of every")
        room = None
        if verb == "emit" and len(texts) > 2 and texts[-2] == "to":
            *texts, _, room = texts
        self._check(verb, texts, start)
        return Action(verb, self._args(verb, texts, start), room, names, delay, period)

    def _args(self, verb: str, texts: list[str], start: int) -> list[Json]:
        named = {"ack": 0, "emit": 1}.get(verb, len(texts))
        try:
            return [*texts[:named], *parse_arguments(texts[named:])]
        except UsageError as error:
            raise self.error(start, str(error)) from None

    def _check(self, verb: str, texts: Sequence[str], start: int) -> None:
        least, most = {"ack": (0, None), "emit": (1, None), "kick": (0, 0)}.get(verb, (1, 1))
        if len(texts) < least or (most is not None and len(texts) > most):
            raise self.error(
                start, f"{verb} takes {'one word' if most else 'no words' if most == 0 else 'an event'}"
            )

    def _times(self, words: list[Word], start: int) -> tuple[float, float, list[Word]]:
        times = dict.fromkeys(TIMES, 0.0)
        while words and words[0].text in TIMES:
            name = words[0].text
            if len(words) < 2 or times[name]:
                raise self.error(start, f"{name} needs a time, once, such as 200ms or 1s")
            try:
                times[name] = parse_duration(name, words[1].text)
            except UsageError as error:
                raise self.error(start, str(error)) from None
            if times[name] > _MAX_TIME or (name == "every" and times[name] < _MIN_PERIOD):
                raise self.error(start, f"{name} takes a time from 10ms to a day")
            words = words[2:]
        return times["after"], times["every"], words
