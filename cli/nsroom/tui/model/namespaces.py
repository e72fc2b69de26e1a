"""What is known of namespaces, their rooms and members, learned from the records that go by."""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nsroom.output.summary import refused
from nsroom.record import Direction, Json, Kind, Record
from nsroom.tui.model.rates import Rate

# For every event of a flood: Python 3.11 looks a member of an enumeration up in 0.2 µs.
_EVENT, _OUT = Kind.EVENT, Direction.OUT
JOINS = frozenset(["join", "room", "subscribe", "join_room", "joinRoom"])
LEAVES = frozenset(["leave", "unsubscribe", "leave_room"])
_MAX_NAMES = 1000
"""Namespaces, rooms of one, members of a room, and names of events that are remembered."""
_MAX_NAME = 200
"""Characters; nobody calls a room so, but a server may try."""


class State(StrEnum):
    """How a namespace, or the connection, stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(slots=True)
class Room:
    """A room, as far as the server tells of it."""

    joined: bool = False
    """Whether the server said that we are in it."""
    asked: bool = False
    refused: bool = False
    count: int | None = None
    unread: int = 0
    members: dict[str, str] = field(default_factory=dict)
    """Nicks (or sids) by sid."""
    rate: Rate = field(default_factory=Rate)


@dataclass(slots=True)
class Space:
    """A namespace."""

    name: str
    state: State = State.CONNECTING
    sid: str | None = None
    reason: str = ""
    unread: int = 0
    rooms: dict[str, Room] = field(default_factory=dict)
    events: "OrderedDict[str, int]" = field(default_factory=OrderedDict)
    """The names of events with the index of the record last seen, the latest at the end."""
    rate: Rate = field(default_factory=Rate)

    def room(self, name: Json) -> Room | None:
        """Give the room of this name, unless it is no name or there are too many."""
        if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
            return None
        room = self.rooms.get(name)
        if room is None and len(self.rooms) < _MAX_NAMES:
            room = self.rooms[name] = Room()
        return room


class Spaces:
    """All namespaces of the connection, in the order in which they turned up."""

    def __init__(self, relayed: bool = False) -> None:
        self.by_name: dict[str, Space] = {}
        self.relayed = relayed
        """Whether these are connections of others: none has a sid, a room or an end that is ours."""
        self.state = State.CONNECTED if relayed else State.CONNECTING
        self.attempt = 0
        """Which attempt to come back comes next; 0 while connected."""
        self.due = 0
        """When that is, in microseconds since the epoch."""
        self.received, self.sent = Rate(), Rate()
        self.sids: OrderedDict[str, None] = OrderedDict()
        self.current = "/"
        self.room = ""
        self.joins = JOINS
        """The events that ask to join a room."""
        self._asked: dict[tuple[str, int], tuple[bool, str]] = {}

    def __getitem__(self, name: str) -> Space:
        """Give what is known of a namespace, which may be nothing."""
        return self.by_name.get(name) or Space(name)

    def expect(self, name: str | None) -> Space:
        """Give the namespace; from now on it is one of those that are known."""
        name = name or "/"
        space = self.by_name.get(name)
        if space is None:
            space = Space(name)
            if len(self.by_name) < _MAX_NAMES:
                self.by_name[name] = space
        return space

    def learn(self, record: Record, index: int) -> None:
        """Take in what a record says."""
        if record.kind is _EVENT:
            self._event(record, index)
        elif self.relayed:
            self._passing(record)
        elif record.kind is Kind.ACK:
            self._ack(record)
        else:
            self._connection(record)

    def _event(self, record: Record, index: int) -> None:
        space, second = self.expect(record.namespace), record.time // 1_000_000
        event = str(record.event)
        if len(event) <= _MAX_NAME:
            _remember(space.events, event, index)
        first = record.args[0] if record.args else None
        if record.direction is _OUT:
            self.sent.add(second)
            if not self.relayed:
                self._out(space, event, first, record.id)
            return
        self.received.add(second)
        space.rate.add(second)
        if self.relayed:
            return
        if space.name != self.current:
            space.unread += 1
        if isinstance(first, dict) and isinstance(first.get("room"), str):
            self._in_room(space, event, first, second)

    def _out(self, space: Space, event: str, first: Json, id: int | None) -> None:
        joins = event in self.joins
        if not joins and event not in LEAVES:
            return
        name = next(iter(_names(first)), "")
        room = space.room(name) if joins else space.rooms.get(name)
        if room is not None:
            room.asked, room.refused = joins, False
            if id is not None and len(self._asked) < _MAX_NAMES:
                self._asked[space.name, id] = joins, name

    def _in_room(self, space: Space, event: str, first: dict[str, Json], second: int) -> None:
        room = space.room(first["room"])
        if room is None:
            return
        room.rate.add(second)
        if "text" in first and (space.name, first["room"]) != (self.current, self.room):
            room.unread += 1
        sid, nick = first.get("sid", first.get("from")), first.get("nick")
        if isinstance(sid, str) and len(sid) <= _MAX_NAME:
            _remember(self.sids, sid, None)
            if event == "leave-room":
                room.members.pop(sid, None)
            elif event == "join-room" and len(room.members) < _MAX_NAMES:
                room.members[sid] = nick[:_MAX_NAME] if isinstance(nick, str) else sid
        if type(first.get("members")) is int:
            room.count = first["members"]
        if event == "delete-room" and not room.joined:
            del space.rooms[first["room"]]

    def _ack(self, record: Record) -> None:
        if record.direction is not Direction.IN:
            return
        space = self.expect(record.namespace)
        asked = self._asked.pop((space.name, record.id or 0), None)
        if asked is not None:
            _settle(space, *asked, refused=refused(record))
        first = record.args[0] if record.args else None
        if isinstance(first, dict) and "error" not in first:
            rooms = first.get("rooms") if record.event == "rooms" else [first]
            for each in rooms if isinstance(rooms, list) else ():
                _describe(space, each)

    def _connection(self, record: Record) -> None:
        kind = record.kind
        if kind is Kind.CLOSE:
            self._lost()
        elif kind is Kind.RECONNECT and isinstance(record.data, dict):
            self._trying(record.time, record.data)
        elif record.direction is not Direction.IN:
            return
        elif kind is Kind.CONNECT:
            space = self.expect(record.namespace)
            space.state, space.sid = State.CONNECTED, record.sid
            self.state, self.attempt = State.CONNECTED, 0
        elif kind is Kind.CONNECT_ERROR:
            space = self.expect(record.namespace)
            space.state, space.reason = State.REFUSED, record.message or ""
        elif kind is Kind.DISCONNECT:
            self.expect(record.namespace).state = State.GONE

    def _passing(self, record: Record) -> None:
        """Learn from what a server says to some client; one that gets in counts for the namespace."""
        if record.direction is not Direction.IN or record.kind not in (Kind.CONNECT, Kind.CONNECT_ERROR):
            return
        space = self.expect(record.namespace)
        if record.kind is Kind.CONNECT:
            space.state = State.CONNECTED
        elif space.state is not State.CONNECTED:
            space.state = State.REFUSED

    def _lost(self) -> None:
        self.state = State.CONNECTING
        self._asked.clear()
        for space in self.by_name.values():
            if space.state is State.CONNECTED:
                space.state = State.CONNECTING
            for room in space.rooms.values():
                room.joined, room.count = False, None
                room.members.clear()

    def _trying(self, time: int, data: dict[str, Any]) -> None:
        attempt, delay = data.get("attempt"), data.get("delay_ms")
        self.attempt = attempt if isinstance(attempt, int) else 1
        self.due = time + int(delay * 1000) if isinstance(delay, (int, float)) else time


def _names(first: Json) -> list[str]:
    """Give what may be the room in the first argument of a join: itself, or what stands under `room`."""
    if isinstance(first, str):
        return [first]
    if not isinstance(first, dict):
        return []
    texts = [value for value in first.values() if isinstance(value, str)]
    return [first["room"]] if isinstance(first.get("room"), str) else texts


def _settle(space: Space, joins: bool, name: str, refused: bool) -> None:
    room = space.rooms.get(name)
    if room is None:
        return
    if not joins and not refused:
        del space.rooms[name]
    elif joins:
        room.asked, room.joined, room.refused = False, not refused, refused


def _remember(names: "OrderedDict[str, Any]", name: str, value: Any) -> None:
    names[name] = value
    names.move_to_end(name)
    if len(names) > _MAX_NAMES:
        names.popitem(last=False)


def _describe(space: Space, answer: Json) -> None:
    """Take in a room with its members, as the reference server answers."""
    if not isinstance(answer, dict) or not isinstance(answer.get("members"), list):
        return
    room = space.room(answer.get("room"))
    if room is None:
        return
    members = [member for member in answer["members"][:_MAX_NAMES] if isinstance(member, dict)]
    room.members = {
        str(member["sid"])[:_MAX_NAME]: str(member.get("nick") or member["sid"])[:_MAX_NAME]
        for member in members
        if "sid" in member
    }
    count = answer.get("count")
    room.count = count if type(count) is int else len(answer["members"])
