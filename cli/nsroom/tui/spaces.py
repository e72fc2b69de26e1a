"""What is known of namespaces, their rooms and members, learned from the records that go by."""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

from nsroom.record import Direction, Json, Kind, Record
from nsroom.tui.rates import Rate

_JOINS = frozenset(["join", "room", "subscribe", "join_room", "joinRoom"])
_LEAVES = frozenset(["leave", "unsubscribe", "leave_room"])
_MAX_NAMES = 1000
"""Rooms of a namespace, members of a room and names of events that are remembered."""


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
    count: int | None = None
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
    events: "OrderedDict[str, list[Json]]" = field(default_factory=OrderedDict)
    """The names of events with the arguments last seen, the latest at the end."""
    rate: Rate = field(default_factory=Rate)


class Spaces:
    """All namespaces of the connection, in the order in which they turned up."""

    def __init__(self) -> None:
        self.by_name: dict[str, Space] = {}
        self.state = State.CONNECTING
        self.received, self.sent = Rate(), Rate()
        self.sids: OrderedDict[str, None] = OrderedDict()
        self.current = "/"

    def __getitem__(self, name: str | None) -> Space:
        name = name or "/"
        space = self.by_name.get(name)
        if space is None:
            space = self.by_name[name] = Space(name)
        return space

    def learn(self, record: Record) -> None:
        """Take in what a record says."""
        if record.kind is Kind.EVENT:
            self._event(record)
        elif record.kind is Kind.ACK:
            self._ack(record)
        else:
            self._connection(record)

    def _event(self, record: Record) -> None:
        space, second = self[record.namespace], record.time // 1_000_000
        _remember(space.events, str(record.event), record.args or [])
        first = record.args[0] if record.args else None
        if record.direction is Direction.OUT:
            self.sent.add(second)
            _asked(space, record.event, first)
            return
        self.received.add(second)
        space.rate.add(second)
        if space.name != self.current:
            space.unread += 1
        if isinstance(first, dict) and isinstance(first.get("room"), str):
            self._in_room(space, record, first, second)

    def _in_room(self, space: Space, record: Record, first: dict[str, Json], second: int) -> None:
        room = _room(space, first["room"])
        if room is None:
            return
        room.rate.add(second)
        sid, nick, event = first.get("sid", first.get("from")), first.get("nick"), record.event
        if isinstance(sid, str):
            _remember(self.sids, sid, None)
            if event == "leave-room":
                room.members.pop(sid, None)
            elif event == "join-room" and len(room.members) < _MAX_NAMES:
                room.members[sid] = nick if isinstance(nick, str) else sid
        if isinstance(first.get("members"), int):
            room.count = first["members"]
        if event == "delete-room" and not room.joined:
            del space.rooms[first["room"]]

    def _ack(self, record: Record) -> None:
        first = record.args[0] if record.args else None
        if record.direction is not Direction.IN or not isinstance(first, dict):
            return
        space = self[record.namespace]
        if record.event == "rooms" and isinstance(first.get("rooms"), list):
            for each in first["rooms"]:
                _describe(space, each)
        elif record.event in _LEAVES and first.get("ok"):
            space.rooms.pop(str(first.get("room")), None)
        elif room := _describe(space, first):
            room.joined = room.joined or record.event in _JOINS

    def _connection(self, record: Record) -> None:
        kind = record.kind
        if kind is Kind.CLOSE:
            self._lost()
        elif record.direction is not Direction.IN:
            return
        elif kind is Kind.CONNECT:
            space = self[record.namespace]
            space.state, space.sid, self.state = State.CONNECTED, record.sid, State.CONNECTED
        elif kind is Kind.CONNECT_ERROR:
            space = self[record.namespace]
            space.state, space.reason = State.REFUSED, record.message or ""
        elif kind is Kind.DISCONNECT:
            self[record.namespace].state = State.GONE

    def _lost(self) -> None:
        self.state = State.CONNECTING
        for space in self.by_name.values():
            if space.state is State.CONNECTED:
                space.state = State.CONNECTING
            for room in space.rooms.values():
                room.joined = False


def _remember(names: "OrderedDict[str, Json]", name: str, value: Json) -> None:
    names[name] = value
    names.move_to_end(name)
    if len(names) > _MAX_NAMES:
        names.popitem(last=False)


def _room(space: Space, name: str) -> Room | None:
    room = space.rooms.get(name)
    if room is None and len(space.rooms) < _MAX_NAMES:
        room = space.rooms[name] = Room()
    return room


def _asked(space: Space, event: Json, first: Json) -> None:
    name = first.get("room") if isinstance(first, dict) else first
    if event in _JOINS and isinstance(name, str) and (room := _room(space, name)):
        room.asked = True


def _describe(space: Space, answer: Json) -> Room | None:
    """Take in a room with its members, as the reference server answers."""
    if not isinstance(answer, dict) or not isinstance(answer.get("room"), str) or "error" in answer:
        return None
    members = answer.get("members")
    if not isinstance(members, list):
        return None
    room = _room(space, answer["room"])
    if room is not None:
        room.members = {
            str(member["sid"]): str(member.get("nick") or member["sid"])
            for member in members[:_MAX_NAMES]
            if isinstance(member, dict) and "sid" in member
        }
        count = answer.get("count")
        room.count = count if isinstance(count, int) else len(members)
    return room
