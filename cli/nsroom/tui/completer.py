"""Completion from what was seen live: commands, namespaces, rooms, events, sids, keys of last arguments."""

from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from nsroom.record import Kind
from nsroom.terminal import safe
from nsroom.tui import copies
from nsroom.tui.commands import COMMANDS
from nsroom.tui.view import View

_FIELDS = (
    "kind=",
    "ns=",
    "event=",
    "event~",
    "dir=in",
    "dir=out",
    "arg.",
    "arg~",
    "rtt>",
    "id=",
    "sid=",
    "reason=",
)


class LiveCompleter(Completer):
    """Completes the input line out of the view's state."""

    def __init__(self, view: View) -> None:
        self._view = view

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        """Complete the word before the cursor."""
        text = document.text_before_cursor
        if not text.startswith("/") or text.startswith("//"):
            return
        name, blank, rest = text[1:].partition(" ")
        if not blank:
            yield from self._commands(name)
            return
        word = rest.rpartition(" ")[2]
        yield from (
            Completion(each, -len(word)) for each in self._words(name, rest, word) if _fits(each, word)
        )

    def _commands(self, name: str) -> Iterator[Completion]:
        for command in COMMANDS:
            if command.name.startswith(name):
                yield Completion(
                    f"{command.name} " if command.usage else command.name,
                    -len(name),
                    display=f"/{command.name} {command.usage}".strip(),
                    display_meta=command.help,
                )

    def _words(self, name: str, rest: str, word: str) -> Iterable[str]:
        spaces = self._view.model.spaces
        space = spaces[self._view.namespace]
        if name in ("join", "leave", "who"):
            return space.rooms
        if name == "ns":
            return spaces.by_name
        if name == "where":
            return self._filter(word)
        if name == "copy":
            return copies.FORMATS
        if name in ("emit", "call"):
            return self._arguments(rest, word)
        return ()

    def _filter(self, word: str) -> Iterable[str]:
        spaces = self._view.model.spaces
        if word.startswith("ns="):
            return (f"ns={name}" for name in spaces.by_name)
        if word.startswith("event="):
            return (f"event={name}" for name in reversed(self._events()))
        if word.startswith("kind="):
            return (f"kind={kind}" for kind in Kind)
        return _FIELDS

    def _events(self) -> list[str]:
        return list(self._view.model.spaces[self._view.namespace].events)

    def _arguments(self, rest: str, word: str) -> Iterable[str]:
        """Complete an event's name, then the keys of the arguments that it last had."""
        words = rest.split()
        before = words[: -1 if word else None]
        if before and before[-1] in ("--room", "--to", "--except"):
            return self._view.model.spaces[self._view.namespace].rooms
        if before and before[-1] == "-n":
            return self._view.model.spaces.by_name
        if not before:
            return reversed(self._events())
        if word.startswith("-"):
            return ("--room", "--to", "--except", "-t", "-n")
        last = self._view.model.spaces[self._view.namespace].events.get(before[0], [])
        keys = [
            f"{key}{'=' if isinstance(value, str) else ':='}"
            for arg in last
            if isinstance(arg, dict)
            for key, value in arg.items()
        ]
        return [*keys, *self._view.model.spaces.sids] if word else keys


def _fits(candidate: str, word: str) -> bool:
    """Offer what begins so and is safe: a server may have named it."""
    return (
        candidate.startswith(word)
        and candidate != word
        and safe(candidate) == candidate
        and " " not in candidate
    )
