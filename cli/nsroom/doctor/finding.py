"""Findings of checks, and the texts that fix them."""

import json
from dataclasses import dataclass
from enum import StrEnum

from nsroom.output.shell import ascii_json, is_plain, quote
from nsroom.output.terminal import safe
from nsroom.record import Json


class State(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Fix:
    """A text to paste, and where to paste it."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check, in one line, with fixes."""

    state: State
    found: str
    fixes: tuple[Fix, ...] = ()
    needs: str | None = None
    """The failed check that prevented this one from running."""

    @property
    def blocks(self) -> bool:
        """Whether to skip the checks that depend on this one."""
        return self.state is State.FAILED or self.needs is not None


@dataclass(frozen=True, slots=True)
class Report:
    """A finding with the name of its check and its duration in milliseconds."""

    check: str
    finding: Finding
    ms: float

    def to_json(self) -> Json:
        """Return the report as a JSON object."""
        fixes = [{"place": fix.place, "text": fix.text} for fix in self.finding.fixes]
        return {
            "check": self.check,
            "state": self.finding.state.value,
            "found": self.finding.found,
            "ms": round(self.ms, 1),
            "fixes": fixes,
        }


def ok(found: str) -> Finding:
    """Return the finding of a check that passed."""
    return Finding(State.OK, found)


def warn(found: str, *fixes: Fix) -> Finding:
    """Return the finding of a check that found trouble for some clients."""
    return Finding(State.WARNING, found, fixes)


def fail(found: str, *fixes: Fix) -> Finding:
    """Return the finding of a check that failed."""
    return Finding(State.FAILED, found, fixes)


def skip(reason: str) -> Finding:
    """Return the finding of a check that did not apply."""
    return Finding(State.SKIPPED, reason)


def blocked(check: str) -> Finding:
    """Return the finding of a check that depends on the failed `check`."""
    return Finding(State.SKIPPED, f"needs {check}", needs=check)


def quoted(value: Json) -> str:
    """Format a value from the server as JSON, so that it cannot end a string in the code around it.

    Characters that a terminal would obey or hide are escaped.
    """
    text = json.dumps(value, ensure_ascii=False, default=lambda data: f"<{len(data)} bytes>")
    if safe(text) == text:
        return text
    text = "".join(each if safe(each) == each else json.dumps(each)[1:-1] for each in text)
    return text if safe(text) == text else json.dumps(json.loads(text))


def quoted_python(text: str) -> str:
    """Format a text from the server as a string of Python."""
    literal = quoted(text)
    # The escapes of JSON are pairs beyond U+FFFF, those of Python are not.
    return literal if json.dumps(text, ensure_ascii=False) == literal else ascii(text)


def shown(value: Json, length: int = 120) -> str:
    """Format a value from the server as JSON of at most `length` characters."""
    text = quoted(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


Fixes = tuple[Fix, ...]


def node(text: str) -> Fix:
    """Return a fix for a server on Node."""
    return Fix("server, Node", text)


def python(text: str) -> Fix:
    """Return a fix for a server on python-socketio."""
    return Fix("server, Python", text)


def client(text: str) -> Fix:
    """Return a fix for a JavaScript client."""
    return Fix("client, JavaScript", text)


def client_python(text: str) -> Fix:
    """Return a fix for a python-socketio client."""
    return Fix("client, Python", text)


def shell(text: str, *words: str) -> Fix:
    """Return a fix to run in a shell; each `{}` in the text is replaced with a word, in quotes if needed."""
    try:
        return Fix("shell", text.format(*map(quote, words)) if words else text)
    except ValueError:
        return Fix("shell", "# not shown: a name in this command is not safe to paste")


def namespace_word(name: str) -> str:
    """Return a namespace as an argument of nsroom: in JSON if it is not safe to paste otherwise."""
    return name if is_plain(name) else ascii_json(name)
