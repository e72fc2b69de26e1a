"""Who said what in which room: the chat that the records carry."""

from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum

from nsroom.record import Direction, Json, Kind, Record, parse_time

_MAX_LINES = 5000
_PRESENCE = {"join-room": "joined", "leave-room": "left"}


class Mark(StrEnum):
    """What is known of a message of ours."""

    NONE = ""
    WAITING = "…"
    TAKEN = "✓"
    REFUSED = "✗"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chat: a message, or (without `text`) a change of who is there."""

    time: int
    nick: str
    text: str = ""
    change: str = ""
    own: bool = False
    mark: Mark = Mark.NONE
    id: int | None = None
    """The acknowledgement id of a message of ours."""


class Chats:
    """The chats of all rooms; what belongs to no room is in the room of that name, `""`."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], deque[Line]] = {}
        self._sids: dict[str, str | None] = {}
        self.counts: dict[tuple[str, str], int] = {}
        """How many lines each chat ever had."""

    def lines(self, namespace: str, room: str) -> list[Line]:
        """Give the lines of a room, oldest first."""
        return list(self._lines.get((namespace, room), ()))

    def learn(self, record: Record) -> None:
        """Take in what a record says."""
        namespace = record.namespace or "/"
        if record.kind is Kind.EVENT:
            self._event(namespace, record)
        elif record.kind is Kind.ACK and record.direction is Direction.IN:
            self._ack(namespace, record)
        elif record.kind is Kind.CONNECT and record.direction is Direction.IN:
            self._sids[namespace] = record.sid

    def _event(self, namespace: str, record: Record) -> None:
        first = record.args[0] if record.args else None
        if record.event in _PRESENCE and isinstance(first, dict):
            who = str(first.get("nick") or first.get("sid") or "")
            line = Line(record.time, who, change=_PRESENCE[str(record.event)])
            self._append(namespace, str(first.get("room") or ""), line)
        elif record.event == "message" and (message := _message(first)):
            room, nick, text, sender = message
            own = record.direction is Direction.OUT
            line = Line(record.time, "me" if own else nick, text, own=own, id=record.id)
            if own:
                line = replace(line, mark=Mark.NONE if record.id is None else Mark.WAITING)
            if own or sender is None or sender != self._sids.get(namespace):
                self._append(namespace, room, line)

    def _ack(self, namespace: str, record: Record) -> None:
        first = record.args[0] if record.args else None
        if record.event == "message":
            refused = isinstance(first, dict) and "error" in first
            self._mark(namespace, record.id, Mark.REFUSED if refused else Mark.TAKEN)
        elif isinstance(first, dict) and isinstance(first.get("history"), list) and not first.get("error"):
            self._history(namespace, str(first.get("room") or ""), first["history"])

    def _history(self, namespace: str, room: str, messages: list[Json]) -> None:
        """Begin a chat with what the server has kept of it."""
        if self._lines.get((namespace, room)) and any(line.text for line in self._lines[namespace, room]):
            return
        for message in messages:
            if content := _message(message):
                self._append(namespace, room, Line(_time(message), content[1], content[2]))

    def _mark(self, namespace: str, id: int | None, mark: Mark) -> None:
        for (space, _), lines in self._lines.items():
            if space == namespace:
                for index in range(len(lines) - 1, -1, -1):
                    if lines[index].own and lines[index].id == id:
                        lines[index] = replace(lines[index], mark=mark)
                        return

    def _append(self, namespace: str, room: str, line: Line) -> None:
        key = namespace, room
        if key not in self._lines:
            self._lines[key] = deque(maxlen=_MAX_LINES)
        self._lines[key].append(line)
        self.counts[key] = self.counts.get(key, 0) + 1


def _message(first: Json) -> tuple[str, str, str, str | None] | None:
    """Give room, nick, text and sender of what looks like a chat message."""
    if isinstance(first, str):
        return "", "", first, None
    if not isinstance(first, dict) or not isinstance(first.get("text"), str):
        return None
    sender = first.get("from") if isinstance(first.get("from"), str) else None
    nick = first.get("nick") or first.get("name") or sender or ""
    return str(first.get("room") or ""), str(nick), first["text"], sender


def _time(message: Json) -> int:
    try:
        return parse_time(message["time"])
    except (KeyError, TypeError, ValueError):
        return 0
