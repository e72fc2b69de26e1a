"""Namespaces, rooms and members, learned from the records."""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nsroom.output.room_names import room_order
from nsroom.output.summary import refused
from nsroom.record import Direction, Json, Kind, Record
from nsroom.tui.model.observed_rooms import ObservedRooms
from nsroom.tui.model.rates import Rate

# For every event of a flood: Python 3.11 needs 0.2 µs to look up a member of an enumeration.
_EVENT, _OUT, _LOCAL = Kind.EVENT, Direction.OUT, Direction.LOCAL
JOINS = frozenset(["join", "room", "subscribe", "join_room", "joinRoom"])
LEAVES = frozenset(["leave", "unsubscribe", "leave_room"])
_MAX_NAMES = 1000
"""Namespaces, rooms of a namespace, members of a room, and event names."""
_MAX_NAME = 200
"""Characters. Longer names come only from a server that tries to fill the memory."""


class State(StrEnum):
    """The state of a namespace or of the connection."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    REFUSED = "refused"
    DISCONNECTED = "disconnected"


@dataclass(slots=True)
class Room:
    """A room as the server describes it."""

    joined: bool = False
    """Whether the server confirmed that we are a member."""
    asked: bool = False
    """Whether our request to join is unanswered."""
    refused: bool = False
    count: int | None = None
    """The number of members, if known."""
    unread: int = 0
    members: dict[str, str] = field(default_factory=dict)
    """Nicks (or sids) by sid."""
    rate: Rate = field(default_factory=Rate)


@dataclass(slots=True)
class Namespace:
    """A namespace with its rooms and events."""

    name: str
    state: State = State.CONNECTING
    sid: str | None = None
    reason: str = ""
    unread: int = 0
    rooms: dict[str, Room] = field(default_factory=dict)
    events: "OrderedDict[str, int]" = field(default_factory=OrderedDict)
    """Names of events, each with the index of its last record; the latest event is at the end."""
    rate: Rate = field(default_factory=Rate)

    def room(self, name: Json) -> Room | None:
        """Return the room, creating it if needed, or None if the name is invalid or there are too many."""
        if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
            return None
        room = self.rooms.get(name)
        if room is None and len(self.rooms) < _MAX_NAMES:
            room = self.rooms[name] = Room()
        return room

    def ordered_rooms(self, unread_first: bool = False) -> list[tuple[str, Room]]:
        """Return the rooms: those that were joined before the others, and room-2 before room-10."""

        def order(named: tuple[str, Room]) -> tuple[bool, bool, list[tuple[int, int, str]]]:
            name, room = named
            return unread_first and not room.unread, not room.joined, room_order(name)

        return sorted(self.rooms.items(), key=order)


class Namespaces:
    """All namespaces of the connection, in the order of their first record."""

    def __init__(self, relayed: bool = False) -> None:
        self.by_name: dict[str, Namespace] = {}
        self.relayed = relayed
        """Whether the records are those of other clients: their sids, rooms and ends are then not ours."""
        self.state = State.CONNECTED if relayed else State.CONNECTING
        self.connections = 0
        """How often the connection was made."""
        self.attempt = 0
        """The number of the next attempt to reconnect; 0 while connected."""
        self.retry_at = 0
        """The time of that attempt, in microseconds since the epoch."""
        self.received, self.sent = Rate(), Rate()
        self.sids: OrderedDict[str, None] = OrderedDict()
        self.current = "/"
        self.room = ""
        self.joins = JOINS
        """The events that ask to join a room."""
        self._requests: dict[tuple[str, int], tuple[bool, str]] = {}
        """Unanswered requests by namespace and id: whether it is a join (else a leave), and the room."""
        self.observed = ObservedRooms()
        """What teaches the rooms of other clients."""

    def __getitem__(self, name: str) -> Namespace:
        """Return what is known about a namespace, without adding an unknown one."""
        return self.by_name.get(name) or Namespace(name)

    def add(self, name: str | None) -> Namespace:
        """Return the namespace, adding it if needed."""
        name = name or "/"
        namespace = self.by_name.get(name)
        if namespace is None:
            namespace = Namespace(name)
            if len(self.by_name) < _MAX_NAMES:
                self.by_name[name] = namespace
        return namespace

    def learn(self, record: Record, index: int) -> None:
        """Learn from a record."""
        if record.kind is _EVENT:
            self._handle_event(record, index)
        elif self.relayed and record.sid is not None:
            self._handle_relayed(record)
        elif record.kind is Kind.CLOSE:
            self._handle_close()
        elif record.kind is Kind.RECONNECT and isinstance(record.data, dict):
            self._handle_reconnect(record.time, record.data)
        elif self.relayed:
            if record.kind is Kind.GAP:  # the connection to the admin namespace is back
                self.state, self.attempt = State.CONNECTED, 0
        elif record.direction is Direction.IN:
            self._handle_received(record)

    def _handle_event(self, record: Record, index: int) -> None:
        namespace, second = self.add(record.namespace), record.time // 1_000_000
        event = str(record.event)
        if len(event) <= _MAX_NAME:
            _remember(namespace.events, event, index)
        first = record.args[0] if record.args else None
        if record.direction is _OUT:
            self.sent.add(second)
            self._handle_request(namespace, event, first, record)
            return
        self.received.add(second)
        namespace.rate.add(second)
        if self.relayed:
            if record.direction is _LOCAL:
                self.observed.learn(record, self)
            return
        if namespace.name != self.current:
            namespace.unread += 1
        if isinstance(first, dict) and isinstance(first.get("room"), str):
            self._handle_room_event(namespace, event, first, second)

    def _handle_request(self, namespace: Namespace, event: str, first: Json, record: Record) -> None:
        """Handle an event that was sent, which may ask to join or leave a room."""
        joins, id = event in self.joins, record.id
        if not joins and event not in LEAVES:
            return
        name = next(iter(_room_names(first)), "")
        if self.relayed:
            self.observed.request(record, joins, name)
            return
        room = namespace.room(name) if joins else namespace.rooms.get(name)
        if room is not None:
            room.asked, room.refused = joins, False
            if id is not None and len(self._requests) < _MAX_NAMES:
                self._requests[namespace.name, id] = joins, name

    def _handle_room_event(
        self, namespace: Namespace, event: str, first: dict[str, Json], second: int
    ) -> None:
        room = namespace.room(first["room"])
        if room is None:
            return
        room.rate.add(second)
        if "text" in first and (namespace.name, first["room"]) != (self.current, self.room):
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
            del namespace.rooms[first["room"]]

    def _handle_received(self, record: Record) -> None:
        """Handle an acknowledgement of ours, or a packet that connects or disconnects a namespace."""
        kind = record.kind
        if kind is Kind.ACK:
            self._handle_ack(record)
        elif kind is Kind.CONNECT:
            namespace = self.add(record.namespace)
            namespace.state, namespace.sid = State.CONNECTED, record.sid
            self.connections += self.state is not State.CONNECTED
            self.state, self.attempt = State.CONNECTED, 0
        elif kind is Kind.CONNECT_ERROR:
            namespace = self.add(record.namespace)
            namespace.state, namespace.reason = State.REFUSED, record.message or ""
        elif kind is Kind.DISCONNECT:
            namespace = self.add(record.namespace)
            namespace.state = State.DISCONNECTED if record.data is None else State.REFUSED
            namespace.reason = record.message or ""

    def _handle_ack(self, record: Record) -> None:
        namespace = self.add(record.namespace)
        request = self._requests.pop((namespace.name, record.id or 0), None)
        if request is not None:
            _apply_answer(namespace, *request, refused=refused(record))
        first = record.args[0] if record.args else None
        if isinstance(first, dict) and "error" not in first:
            rooms = first.get("rooms") if record.event == "rooms" else [first]
            for each in rooms if isinstance(rooms, list) else ():
                _update_members(namespace, each)

    def _handle_relayed(self, record: Record) -> None:
        """Learn whether a server accepts clients in a namespace, for which one is enough, and their rooms."""
        self.observed.learn(record, self)
        if record.direction is not Direction.IN or record.kind not in (Kind.CONNECT, Kind.CONNECT_ERROR):
            return
        namespace = self.add(record.namespace)
        if record.kind is Kind.CONNECT:
            namespace.state = State.CONNECTED
        elif namespace.state is not State.CONNECTED:
            namespace.state = State.REFUSED

    def _handle_close(self) -> None:
        self.state = State.CONNECTING
        self._requests.clear()
        for namespace in self.by_name.values():
            if namespace.state is State.CONNECTED:
                namespace.state = State.CONNECTING
            for room in namespace.rooms.values():
                room.joined, room.count = False, None
                room.members.clear()

    def _handle_reconnect(self, time: int, data: dict[str, Any]) -> None:
        attempt, delay = data.get("attempt"), data.get("delay_ms")
        self.attempt = attempt if isinstance(attempt, int) else 1
        self.retry_at = time + int(delay * 1000) if isinstance(delay, (int, float)) else time


def _room_names(first: Json) -> list[str]:
    """Return possible names of the room that the first argument of a join names, the likeliest first."""
    if isinstance(first, str):
        return [first]
    if not isinstance(first, dict):
        return []
    texts = [value for value in first.values() if isinstance(value, str)]
    return [first["room"]] if isinstance(first.get("room"), str) else texts


def _apply_answer(namespace: Namespace, joins: bool, name: str, refused: bool) -> None:
    room = namespace.rooms.get(name)
    if room is None:
        return
    if joins:
        room.asked, room.joined, room.refused = False, not refused, refused
    elif not refused:
        del namespace.rooms[name]


def _remember(names: "OrderedDict[str, Any]", name: str, value: Any) -> None:
    """Put a name at the end; drop the first one if there are too many."""
    names[name] = value
    names.move_to_end(name)
    if len(names) > _MAX_NAMES:
        names.popitem(last=False)


def _update_members(namespace: Namespace, answer: Json) -> None:
    """Read a room and its members as the reference server describes them."""
    if not isinstance(answer, dict) or not isinstance(answer.get("members"), list):
        return
    room = namespace.room(answer.get("room"))
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
