"""Completion from what was seen live: commands, namespaces, rooms, events, sids, keys of last arguments."""

import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import islice

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from nsroom.output.terminal import safe
from nsroom.record import Direction, Kind
from nsroom.tui.input import copy_formats
from nsroom.tui.input.slash_commands import offered
from nsroom.tui.screen.state import View

_FIELDS = ("kind=", "ns=", "event=", "event~", "dir=", "arg.", "arg~", "rtt>", "id=", "sid=", "reason~")
_OPTIONS = ("--room", "--to", "--except", "-t", "-n")
_MOST = 200
"""Completions that are offered."""
_WORD = re.compile(r"\S*\Z")
_TEST = re.compile(r"[^\s&|()!]*\Z")
_MEMBER = re.compile(r'[{,]\s*"([\w$.-]*)\Z')
_EVENT = re.compile(r'\["([^"\\]*)\Z')
_RAW = re.compile(r'\["([^"\\]*)"')


class LiveCompleter(Completer):
    """Completes the input line out of the view's state."""

    def __init__(self, view: View) -> None:
        self._view = view

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        """Complete the word before the cursor."""
        text = document.text_before_cursor
        if text.startswith("["):
            yield from self._raw(text)
        elif text.startswith("/") and not text.startswith("//"):
            name, blank, rest = text[1:].partition(" ")
            yield from self._arguments(name, rest) if blank else self._commands(name)
        elif self._view.of_others:
            yield from self._filter(_last(_TEST, text))

    def _commands(self, name: str) -> Iterator[Completion]:
        for command in offered(self._view):
            if command.name.startswith(name):
                yield Completion(
                    f"{command.name} " if command.usage else command.name,
                    -len(name),
                    display=command.line,
                    display_meta=command.help,
                )

    def _raw(self, text: str) -> Iterator[Completion]:
        """Complete the name of the event, and keys, in `["event", {"key": …`."""
        if event := _EVENT.fullmatch(text):
            yield from _offer((f'{name}"' for name in self._events()), event[1])
        elif (named := _RAW.match(text)) and (member := _MEMBER.search(text)):
            yield from _offer((f'{key}": ' for key in self._keys(named[1])), member[1])

    def _arguments(self, name: str, rest: str) -> Iterable[Completion]:
        spaces = self._view.model.namespaces
        space, word = spaces[self._view.namespace], _last(_WORD, rest)
        if name == "join":
            return _offer(space.rooms, word, quoted=True)
        if name in ("leave", "who"):
            return _offer(space.rooms, rest)
        if name == "ns":
            return _offer(spaces.by_name, rest)
        if name == "where":
            return self._filter(_last(_TEST, rest))
        if name == "copy":
            return _offer(copy_formats.FORMATS, word)
        if name in ("emit", "call"):
            return self._event(rest, word)
        return _offer(self._answer(rest), word) if name == "reply" else ()

    def _filter(self, word: str) -> Iterable[Completion]:
        spaces, clients = self._view.model.namespaces, self._view.model.clients
        values: dict[str, Iterable[str]] = {
            "ns": spaces.by_name,
            "event": self._events(),
            "kind": Kind,
            "dir": Direction,
            "sid": reversed(clients.by_sid if clients else spaces.sids),
        }
        field = re.match(r"(\w+)(=|!=|~)", word)
        if field is None:
            return _offer(_FIELDS, word)
        return _offer((field[0] + _value(each) for each in values.get(field[1], ())), word)

    def _event(self, rest: str, word: str) -> Iterable[Completion]:
        """Complete an event's name, then the keys of the arguments that it last had."""
        spaces = self._view.model.namespaces
        before = rest.split()[: -1 if word else None]
        if before and before[-1] in ("--room", "--to", "--except"):
            return _offer(spaces[self._view.namespace].rooms, word, quoted=True)
        if before and before[-1] == "-n":
            return _offer(spaces.by_name, word)
        if word.startswith("-"):
            return _offer(_OPTIONS, word)
        named = _named(before)
        if named is None:
            return _offer(self._events(), word, quoted=True)
        if member := _MEMBER.search(rest):
            return _offer((f'{key}": ' for key in self._keys(named)), member[1])
        if "=" in word:
            return _offer(reversed(spaces.sids), word.rpartition("=")[2])
        keys = (f"{key}{'=' if isinstance(value, str) else ':='}" for key, value in self._members(named))
        used = {part.partition("=")[0].removesuffix(":") for part in before}
        fresh = [key for key in keys if key.rstrip(":=") not in used]
        return _offer([*fresh, *(reversed(spaces.sids) if word else ())], word)

    def _answer(self, rest: str) -> Iterable[str]:
        return ("ok:=true", "error=") if not rest.strip() else ()

    def _events(self) -> list[str]:
        return list(self._view.model.namespaces[self._view.namespace].events)[::-1]

    def _keys(self, event: str) -> list[str]:
        return [key for key, _ in self._members(event)]

    def _members(self, event: str) -> list[tuple[str, object]]:
        args = self._view.model.last_arguments(self._view.namespace, event)
        return [pair for arg in args if isinstance(arg, dict) for pair in islice(arg.items(), _MOST)]


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[0] if found else ""


def _named(words: list[str]) -> str | None:
    """Give the event among the words of an `/emit`."""
    rest = iter(words)
    for word in rest:
        if word in ("-t", "--text"):
            continue
        if not word.startswith("-"):
            return word
        next(rest, None)
    return None


def _value(text: str) -> str:
    return text if re.fullmatch(r"[\w/.:#@+-]+", text) else f'"{text}"'


def _offer(candidates: Iterable[str], word: str, quoted: bool = False) -> Iterator[Completion]:
    """Offer what begins with the word and is safe: a server may have named it."""
    fitting = (each for each in candidates if each.startswith(word) and each != word and len(each) <= 200)
    for each in islice(fitting, _MOST):
        if safe(each) == each:
            yield Completion(shlex.quote(each) if quoted else each, -len(word))
