"""The chat of each room, read from the records."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge
from operator import attrgetter

from nsroom.client.messages import Message, MessageEvents, read
from nsroom.output.summary import refused
from nsroom.record import Direction, Json, Kind, Record, parse_time

_MAX_LINES = 20_000
"""Of all chats together."""
_MAX_NAME = 200
_MAX_UNECHOED = 20
_PRESENCE = {"join-room": "joined", "leave-room": "left"}
_OURSELVES = "you"


class Mark(StrEnum):
    """The state of a message of ours; `NONE` for the messages of others."""

    NONE = ""
    SENT = "→"
    """Sent without a request for an acknowledgement."""
    WAITING = "…"
    ACKNOWLEDGED = "✓"
    REFUSED = "✗"
    UNCONFIRMED = "?"


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A message, or (without `text`) a change of membership."""

    time: int
    nick: str
    text: str = ""
    change: str = ""
    own: bool = False
    mark: Mark = Mark.NONE
    id: int | None = None
    """The acknowledgement id of a message of ours."""
    number: int = 0
    """Counts the lines of all chats from 1; 0 for messages from the server's history."""


class Chats:
    """The chats of all rooms. Messages without a room are in the room `""`, which shows in every chat."""

    def __init__(self, message_events: MessageEvents | None = None) -> None:
        self.message_events = message_events or MessageEvents()
        """Which events are messages, and how to answer them."""
        self.number = 0
        """The number of lines added to all chats."""
        self._lines: dict[tuple[str, str], deque[ChatLine]] = {}
        self._order: deque[tuple[str, str]] = deque()
        self._sids: OrderedDict[str, str | None] = OrderedDict()
        self._last_ids: dict[tuple[str, str], int] = {}
        self._unechoed: deque[tuple[str, str]] = deque(maxlen=_MAX_UNECHOED)
        self._waiting: OrderedDict[tuple[str, int], tuple[tuple[str, str], int]] = OrderedDict()

    def newest_first(self, namespace: str, room: str) -> Iterator[ChatLine]:
        """Yield the lines of a room, and those without a room, newest first."""
        in_room = reversed(self._lines.get((namespace, room), ()))
        if not room:
            return iter(in_room)
        everywhere = reversed(self._lines.get((namespace, ""), ()))
        return merge(in_room, everywhere, key=attrgetter("number"), reverse=True)

    def lines(self, namespace: str, room: str) -> list[ChatLine]:
        """Return the lines of a room, oldest first."""
        return list(self.newest_first(namespace, room))[::-1]

    def learn(self, record: Record) -> None:
        """Learn from a record of our own connection."""
        namespace = record.namespace or "/"
        if record.kind is Kind.EVENT:
            if self.message_events.carries(record.event):
                self.message_events.learn(record)
                self._add_message(namespace, record)
            elif record.event in _PRESENCE:
                self._add_change(namespace, record)
        elif record.kind is Kind.CLOSE:
            self._fail_waiting()
        elif record.direction is not Direction.IN:
            return
        elif record.kind is Kind.ACK:
            self._handle_ack(namespace, record)
        elif record.kind is Kind.CONNECT:
            self._sids[namespace] = record.sid
            if len(self._sids) > _MAX_NAME:
                self._sids.popitem(last=False)

    def _add_message(self, namespace: str, record: Record) -> None:
        message = read(record.args)
        if message is None:
            return
        key = namespace, message.room
        if record.direction is Direction.OUT:
            self._add_own(key, message, record)
        elif not self._is_echo(namespace, message):
            self._append(key, ChatLine(record.time, message.nick, message.text))
        if message.id is not None and key in self._lines:
            self._last_ids[key] = max(message.id, self._last_ids.get(key, 0))

    def _add_own(self, key: tuple[str, str], message: Message, record: Record) -> None:
        mark = Mark.SENT if record.id is None else Mark.WAITING
        self._unechoed.append((key[0], message.text))
        self._append(key, ChatLine(record.time, _OURSELVES, message.text, own=True, mark=mark, id=record.id))
        if record.id is not None:
            self._waiting[key[0], record.id] = key, self.number
            if len(self._waiting) > _MAX_LINES:
                self._waiting.popitem(last=False)

    def _is_echo(self, namespace: str, message: Message) -> bool:
        """Return whether a message is ours: by our sid or, if it names no sender, by its text."""
        if message.sender is not None:
            return message.sender == self._sids.get(namespace)
        echo = namespace, message.text
        if message.nick or echo not in self._unechoed:
            return False
        self._unechoed.remove(echo)
        return True

    def _add_change(self, namespace: str, record: Record) -> None:
        first = record.args[0] if record.args else None
        if not isinstance(first, dict) or record.direction is not Direction.IN:
            return
        sid = first.get("sid")
        is_own = sid is not None and sid == self._sids.get(namespace)
        nick = _OURSELVES if is_own else str(first.get("nick") or sid or "")[:_MAX_NAME]
        room = str(first.get("room") or "")[:_MAX_NAME]
        self._append((namespace, room), ChatLine(record.time, nick, change=_PRESENCE[str(record.event)]))

    def _handle_ack(self, namespace: str, record: Record) -> None:
        waiting = self._waiting.pop((namespace, record.id or 0), None)
        first = record.args[0] if record.args else None
        if waiting is not None:
            self._set_mark(*waiting, Mark.REFUSED if refused(record) else Mark.ACKNOWLEDGED)
        elif isinstance(first, dict) and isinstance(first.get("history"), list) and not first.get("error"):
            self._add_history((namespace, str(first.get("room") or "")[:_MAX_NAME]), first["history"])

    def _add_history(self, key: tuple[str, str], history: list[Json]) -> None:
        """Start a chat with the server's history; in a chat that has messages, add only the missing ones."""
        messages = [(message, _time(each)) for each in history if (message := read([each]))]
        if not any(line.text for line in self._lines.get(key, ())):
            for message, time in reversed(messages):
                self._prepend(key, ChatLine(time, message.nick, message.text))
        else:
            last = self._last_ids.get(key, 0)
            for message, time in messages:
                if message.id is not None and message.id > last and not self._is_echo(key[0], message):
                    self._append(key, ChatLine(time, message.nick, message.text))
        ids = [message.id for message, _ in messages if message.id is not None]
        self._last_ids[key] = max([*ids, self._last_ids.get(key, 0)])

    def _set_mark(self, key: tuple[str, str], number: int, mark: Mark) -> None:
        lines = self._lines.get(key, deque())
        for index in range(len(lines) - 1, -1, -1):
            if lines[index].number == number:
                lines[index] = replace(lines[index], mark=mark)
                return

    def _fail_waiting(self) -> None:
        for key, number in self._waiting.values():
            self._set_mark(key, number, Mark.UNCONFIRMED)
        self._waiting.clear()

    def _append(self, key: tuple[str, str], line: ChatLine) -> None:
        self.number += 1
        self._chat(key).append(replace(line, number=self.number))
        self._count_line(key)

    def _prepend(self, key: tuple[str, str], line: ChatLine) -> None:
        self._chat(key).appendleft(line)
        self._count_line(key)

    def _chat(self, key: tuple[str, str]) -> deque[ChatLine]:
        return self._lines.setdefault(key, deque())

    def _count_line(self, key: tuple[str, str]) -> None:
        """Count a new line, and drop the oldest line of all chats if there are too many."""
        self._order.append(key)
        if len(self._order) > _MAX_LINES:
            oldest = self._order.popleft()
            self._lines[oldest].popleft()
            if not self._lines[oldest]:
                del self._lines[oldest]
                self._last_ids.pop(oldest, None)


def _time(message: Json) -> int:
    try:
        return parse_time(message["time"])
    except (KeyError, TypeError, ValueError):
        return 0
