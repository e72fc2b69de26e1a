"""Completion from live data: commands, namespaces, rooms, events, sids, and keys of recent arguments."""

import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import islice

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from nsroom.output.room_names import room_order
from nsroom.output.terminal import safe
from nsroom.tui.input import copy_formats
from nsroom.tui.input.filter_completer import complete_filter
from nsroom.tui.input.slash_commands import offered
from nsroom.tui.screen.state import FILTER, View

_OPTIONS = ("--room", "--to", "--except", "-t", "-n")
_MAX_COMPLETIONS = 200
_MAX_LENGTH = 200
_WORD = re.compile(r"\S*\Z")
_MEMBER = re.compile(r'[{,]\s*"([\w$.-]*)\Z')
_EVENT = re.compile(r'\["([^"\\]*)\Z')
_NDJSON = re.compile(r'\["([^"\\]*)"')


class LiveCompleter(Completer):
    """Completes the input line from the view's state."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._by_command = {
            "join": self._room_word,
            "leave": self._room,
            "who": self._room,
            "ns": self._namespace,
            "where": self._where,
            "copy": self._format,
            "emit": self._event,
            "call": self._event,
            "reply": self._reply,
        }

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        """Complete the word before the cursor."""
        text = document.text_before_cursor
        if text.startswith("["):
            yield from self._ndjson(text)
        elif text.startswith("/") and not text.startswith("//"):
            name, blank, rest = text[1:].partition(" ")
            yield from self._arguments(name, rest) if blank else self._commands(name)
        elif self._view.is_observing:
            yield from complete_filter(self._view, text)

    def _commands(self, name: str) -> Iterator[Completion]:
        for command in offered(self._view):
            if command.name.startswith(name):
                yield Completion(
                    f"{command.name} " if command.usage else command.name,
                    -len(name),
                    display=command.line,
                    display_meta=command.help,
                )

    def _arguments(self, name: str, rest: str) -> Iterable[Completion]:
        complete = self._by_command.get(name)
        return complete(rest, _last(_WORD, rest)) if complete else ()

    def _ndjson(self, text: str) -> Iterator[Completion]:
        """Complete the event's name, and the keys, in `["event", {"key": …`."""
        if event := _EVENT.fullmatch(text):
            yield from _matching((f'{name}"' for name in self._events()), event[1])
        elif (named := _NDJSON.match(text)) and (member := _MEMBER.search(text)):
            yield from _matching((f'{key}": ' for key in self._keys(named[1])), member[1])

    def _room_word(self, _rest: str, word: str) -> Iterable[Completion]:
        return _matching(self._rooms(), word, quoted=True)

    def _room(self, rest: str, _word: str) -> Iterable[Completion]:
        return _matching(self._rooms(), rest)

    def _namespace(self, rest: str, _word: str) -> Iterable[Completion]:
        return _matching(self._view.model.namespaces.by_name, rest)

    def _where(self, rest: str, _word: str) -> Iterable[Completion]:
        return complete_filter(self._view, rest)

    def _format(self, _rest: str, word: str) -> Iterable[Completion]:
        return _matching(copy_formats.FORMATS, word)

    def _reply(self, rest: str, word: str) -> Iterable[Completion]:
        return _matching(("ok:=true", "error=", "--once"), word) if not rest.strip() else ()

    def _event(self, rest: str, word: str) -> Iterable[Completion]:
        """Complete an event's name, then the keys of its most recent arguments."""
        namespaces = self._view.model.namespaces
        before = rest.split()[: -1 if word else None]
        if before and before[-1] in ("--room", "--to", "--except"):
            return _matching(self._rooms(), word, quoted=True)
        if before and before[-1] == "-n":
            return _matching(namespaces.by_name, word)
        if word.startswith("-"):
            return _matching(_OPTIONS, word)
        event = _event_name(before)
        if event is None:
            return _matching(self._events(), word, quoted=True)
        if member := _MEMBER.search(rest):
            return _matching((f'{key}": ' for key in self._keys(event)), member[1])
        if "=" in word:
            return _matching(reversed(namespaces.sids), word.rpartition("=")[2])
        keys = (f"{key}{'=' if isinstance(value, str) else ':='}" for key, value in self._members(event))
        used = {part.partition("=")[0].removesuffix(":") for part in before}
        unused = [key for key in keys if key.rstrip(":=") not in used]
        return _matching([*unused, *(reversed(namespaces.sids) if word else ())], word)

    def _rooms(self) -> Iterable[str]:
        return sorted(self._view.model.namespaces[self._view.namespace].rooms, key=room_order)

    def _events(self) -> list[str]:
        return list(self._view.model.namespaces[self._view.namespace].events)[::-1]

    def _keys(self, event: str) -> list[str]:
        return [key for key, _ in self._members(event)]

    def _members(self, event: str) -> list[tuple[str, object]]:
        args = self._view.model.last_arguments(self._view.namespace, event)
        return [
            pair for arg in args if isinstance(arg, dict) for pair in islice(arg.items(), _MAX_COMPLETIONS)
        ]


class QuestionCompleter(Completer):
    """Completes the answer to a question: a filter, or what may be a command, typed without its slash."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._line = LiveCompleter(view)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Complete the word before the cursor."""
        question, text = self._view.question, document.text_before_cursor
        if question is not None and question.label == FILTER:
            yield from complete_filter(self._view, text)
        elif question is not None and question.is_command and text:
            yield from self._line.get_completions(Document(f"/{text}"), complete_event)


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[0] if found else ""


def _event_name(words: list[str]) -> str | None:
    """Return the event among the words after `/emit`, or None."""
    rest = iter(words)
    for word in rest:
        if word in ("-t", "--text"):
            continue
        if not word.startswith("-"):
            return word
        next(rest, None)
    return None


def _matching(candidates: Iterable[str], word: str, quoted: bool = False) -> Iterator[Completion]:
    """Yield the candidates that start with the word and are safe: a server may have chosen their names."""
    matching = (
        each for each in candidates if each.startswith(word) and each != word and len(each) <= _MAX_LENGTH
    )
    for each in islice(matching, _MAX_COMPLETIONS):
        if safe(each) == each:
            yield Completion(shlex.quote(each) if quoted else each, -len(word))
