"""What a check found, and the text that cures it."""

import json
from dataclasses import dataclass
from enum import StrEnum

from nsroom.record import Json


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Fix:
    """A text to paste, and the place that it belongs to."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check, on one line."""

    state: State
    found: str
    fixes: tuple[Fix, ...] = ()
    needs: str | None = None
    """The check whose failure kept this one from being made."""

    @property
    def stops(self) -> bool:
        """Whether what builds on it makes no sense."""
        return self.state is State.FAILED or self.needs is not None


@dataclass(frozen=True, slots=True)
class Report:
    """A finding, the name of its check and the milliseconds that it took."""

    check: str
    finding: Finding
    ms: float

    def to_json(self) -> Json:
        """Give it as one JSON object."""
        fixes = [{"place": fix.place, "text": fix.text} for fix in self.finding.fixes]
        return {
            "check": self.check,
            "state": self.finding.state.value,
            "found": self.finding.found,
            "ms": round(self.ms, 1),
            "fixes": fixes,
        }


def ok(found: str) -> Finding:
    """Say that all is well, and what there is."""
    return Finding(State.OK, found)


def warn(found: str, *fixes: Fix) -> Finding:
    """Say what will trouble some clients."""
    return Finding(State.WARNING, found, fixes)


def fail(found: str, *fixes: Fix) -> Finding:
    """Say what is wrong."""
    return Finding(State.FAILED, found, fixes)


def skip(why: str) -> Finding:
    """Say why there was nothing to check."""
    return Finding(State.SKIPPED, why)


def blocked(check: str) -> Finding:
    """Say which failed check comes first."""
    return Finding(State.SKIPPED, f"needs {check}", needs=check)


def quoted(value: Json) -> str:
    """Write what a server sent as a JSON text, which can end no string of the code around it."""
    return json.dumps(value, ensure_ascii=False, default=lambda data: f"<{len(data)} bytes>")


def shown(value: Json, length: int = 120) -> str:
    """Write what a server sent for a line, cut to `length` characters."""
    text = quoted(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


Fixes = tuple[Fix, ...]


def node(text: str) -> Fix:
    """Paste into a server on Node."""
    return Fix("server, Node", text)


def python(text: str) -> Fix:
    """Paste into a server on python-socketio."""
    return Fix("server, Python", text)


def client(text: str) -> Fix:
    """Paste into a client in JavaScript."""
    return Fix("client, JavaScript", text)


def client_python(text: str) -> Fix:
    """Paste into a client on python-socketio."""
    return Fix("client, Python", text)


def shell(text: str) -> Fix:
    """Paste into a terminal."""
    return Fix("shell", text)
