"""Who said what in which room: the chat that the records carry."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge
from operator import attrgetter

from nsroom.output.summary import refused
from nsroom.record import Direction, Json, Kind, Record, parse_time

_MAX_LINES = 20_000
"""Of all chats together."""
_MAX_TEXT = 4000
"""Characters of one message that are kept: the detail has the whole of it."""
_MAX_NAME = 200
_ECHOES = 20
_EVENTS = frozenset(["message", "chat message", "chat", "msg", "new message", "new_message"])
_TEXTS = ("text", "message", "msg", "content", "body")
_NICKS = ("nick", "name", "username", "user", "from", "sender")
_PRESENCE = {"join-room": "joined", "leave-room": "left"}


class Mark(StrEnum):
    """What is known of a message of ours."""

    NONE = ""
    WAITING = "…"
    TAKEN = "✓"
    REFUSED = "✗"
    LOST = "?"


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
    number: int = 0
    """How many lines came before it in all chats; 0 for what the server had kept."""


@dataclass(frozen=True, slots=True)
class Message:
    """What looks like a chat message."""

    room: str
    nick: str
    text: str
    sender: str | None
    id: int | None


class Chats:
    """The chats of all rooms; what names no room is in the room `""`, and shows in every one."""

    def __init__(self) -> None:
        self.number = 0
        """How many lines there were."""
        self._lines: dict[tuple[str, str], deque[Line]] = {}
        self._order: deque[tuple[str, str]] = deque()
        self._sids: OrderedDict[str, str | None] = OrderedDict()
        self._last_ids: dict[tuple[str, str], int] = {}
        self._unechoed: deque[tuple[str, str]] = deque(maxlen=_ECHOES)
        self._waiting: OrderedDict[tuple[str, int], tuple[tuple[str, str], int]] = OrderedDict()

    def backwards(self, namespace: str, room: str) -> Iterator[Line]:
        """Give the lines of a room, and those that name none, the latest first."""
        own = reversed(self._lines.get((namespace, room), ()))
        if not room:
            return iter(own)
        everywhere = reversed(self._lines.get((namespace, ""), ()))
        return merge(own, everywhere, key=attrgetter("number"), reverse=True)

    def lines(self, namespace: str, room: str) -> list[Line]:
        """Give the lines of a room, oldest first."""
        return list(self.backwards(namespace, room))[::-1]

    def learn(self, record: Record) -> None:
        """Take in what a record says."""
        if record.kind is Kind.EVENT:
            if record.event in _EVENTS:
                self._said(record.namespace or "/", record)
            elif record.event in _PRESENCE:
                self._change(record.namespace or "/", record)
        elif record.kind is Kind.ACK and record.direction is Direction.IN:
            self._ack(record.namespace or "/", record)
        elif record.kind is Kind.CONNECT and record.direction is Direction.IN:
            self._sids[record.namespace or "/"] = record.sid
            if len(self._sids) > _MAX_NAME:
                self._sids.popitem(last=False)
        elif record.kind is Kind.CLOSE:
            self._lost()

    def _said(self, namespace: str, record: Record) -> None:
        message = _message(record.args)
        if message is None:
            return
        key = namespace, message.room
        if record.direction is Direction.OUT:
            self._own(key, message, record)
        elif not self._is_echo(namespace, message):
            self._append(key, Line(record.time, message.nick, message.text))
        if message.id is not None and key in self._lines:
            self._last_ids[key] = max(message.id, self._last_ids.get(key, 0))

    def _own(self, key: tuple[str, str], message: Message, record: Record) -> None:
        mark = Mark.NONE if record.id is None else Mark.WAITING
        self._unechoed.append((key[0], message.text))
        self._append(key, Line(record.time, "me", message.text, own=True, mark=mark, id=record.id))
        if record.id is not None:
            self._waiting[key[0], record.id] = key, self.number
            if len(self._waiting) > _MAX_LINES:
                self._waiting.popitem(last=False)

    def _is_echo(self, namespace: str, message: Message) -> bool:
        """Tell whether this is what we said: by our sid, or where nobody is named, by the text."""
        known = namespace, message.text
        if message.sender is not None and message.sender == self._sids.get(namespace):
            return True
        if message.sender is None and not message.nick and known in self._unechoed:
            self._unechoed.remove(known)
            return True
        return False

    def _change(self, namespace: str, record: Record) -> None:
        first = record.args[0] if record.args else None
        if isinstance(first, dict) and record.direction is Direction.IN:
            who = str(first.get("nick") or first.get("sid") or "")[:_MAX_NAME]
            room = str(first.get("room") or "")[:_MAX_NAME]
            self._append((namespace, room), Line(record.time, who, change=_PRESENCE[str(record.event)]))

    def _ack(self, namespace: str, record: Record) -> None:
        waiting = self._waiting.pop((namespace, record.id or 0), None)
        first = record.args[0] if record.args else None
        if waiting is not None:
            self._mark(*waiting, Mark.REFUSED if refused(record) else Mark.TAKEN)
        elif isinstance(first, dict) and isinstance(first.get("history"), list) and not first.get("error"):
            self._history((namespace, str(first.get("room") or "")[:_MAX_NAME]), first["history"])

    def _history(self, key: tuple[str, str], told: list[Json]) -> None:
        """Begin a chat with what the server has kept of it; later, add what was missed."""
        messages = [(message, _time(each)) for each in told if (message := _message([each]))]
        lines = self._lines.get(key, ())
        if not any(line.text for line in lines):
            for message, time in reversed(messages):
                self._prepend(key, Line(time, message.nick, message.text))
        else:
            last = self._last_ids.get(key, 0)
            for message, time in messages:
                if message.id is not None and message.id > last and not self._is_echo(key[0], message):
                    self._append(key, Line(time, message.nick, message.text))
        ids = [message.id for message, _ in messages if message.id is not None]
        self._last_ids[key] = max([*ids, self._last_ids.get(key, 0)])

    def _mark(self, key: tuple[str, str], number: int, mark: Mark) -> None:
        lines = self._lines.get(key, deque())
        for index in range(len(lines) - 1, -1, -1):
            if lines[index].number == number:
                lines[index] = replace(lines[index], mark=mark)
                return

    def _lost(self) -> None:
        for key, number in self._waiting.values():
            self._mark(key, number, Mark.LOST)
        self._waiting.clear()

    def _append(self, key: tuple[str, str], line: Line) -> None:
        self.number += 1
        self._chat(key).append(replace(line, number=self.number))
        self._bound(key)

    def _prepend(self, key: tuple[str, str], line: Line) -> None:
        self._chat(key).appendleft(line)
        self._bound(key)

    def _chat(self, key: tuple[str, str]) -> deque[Line]:
        return self._lines.setdefault(key, deque())

    def _bound(self, key: tuple[str, str]) -> None:
        self._order.append(key)
        if len(self._order) > _MAX_LINES:
            oldest = self._order.popleft()
            self._lines[oldest].popleft()
            if not self._lines[oldest]:
                del self._lines[oldest]
                self._last_ids.pop(oldest, None)


def _message(args: list[Json] | None) -> Message | None:
    """Read what looks like a chat message: a text, or an object with one."""
    first = args[0] if args else None
    if isinstance(first, str):
        return Message("", "", first[:_MAX_TEXT], None, None)
    if not isinstance(first, dict):
        return None
    text = next((value for key in _TEXTS if isinstance(value := first.get(key), str)), None)
    if text is None:
        return None
    sender = first.get("from")
    room, id = first.get("room"), first.get("id")
    return Message(
        room[:_MAX_NAME] if isinstance(room, str) else "",
        _nick(first),
        text[:_MAX_TEXT],
        sender if isinstance(sender, str) else None,
        id if type(id) is int else None,
    )


def _nick(message: dict[str, Json]) -> str:
    for key in _NICKS:
        who = message.get(key)
        who = who.get("name") if isinstance(who, dict) else who
        if isinstance(who, str) and who:
            return who[:_MAX_NAME]
    return ""


def _time(message: Json) -> int:
    try:
        return parse_time(message["time"])
    except (KeyError, TypeError, ValueError):
        return 0
