"""The rooms of observed clients: from their joins and the answers to them, and from what a server reports."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from nsroom.output.summary import refused
from nsroom.record import Direction, Json, Kind, Record

_MAX_REQUESTS = 10_000
_MAX_MEMBERS = 1000
"""Members of a room that are kept; their number is known in any case if a server lists them."""


class Namespaces(Protocol):
    """The namespaces, as this module uses them."""

    by_name: dict[str, Any]

    def add(self, name: str | None) -> Any:
        """Return the namespace, adding it if needed."""


class ObservedRooms:
    """Learns the members of rooms; a member is known by the sid of its client."""

    def __init__(self) -> None:
        self._requests: OrderedDict[tuple[str, str, int], tuple[bool, str]] = OrderedDict()
        """Unanswered requests by sid, namespace and id: whether it is a join (else a leave), and the room."""

    def request(self, record: Record, joins: bool, room: str) -> None:
        """Handle a client's request to join or leave a room; only one with an id can be answered."""
        if record.sid is not None and record.id is not None and room:
            self._requests[record.sid, record.namespace or "/", record.id] = joins, room
            if len(self._requests) > _MAX_REQUESTS:
                self._requests.popitem(last=False)

    def learn(self, record: Record, namespaces: Namespaces) -> None:
        """Learn from a record with a sid that is not a client's request."""
        sid, name = record.sid or "", record.namespace or "/"
        if record.kind is Kind.ACK and record.direction is Direction.IN:
            request = self._requests.pop((sid, name, record.id or 0), None)
            if request is not None and not refused(record):
                _change(namespaces, name, request[1], sid, joins=request[0])
        elif record.kind is Kind.EVENT and record.event in ("join-room", "leave-room"):
            room = _room(record.args)
            _change(namespaces, name, room, sid, joins=record.event == "join-room")
        elif record.kind is Kind.DISCONNECT:
            _remove(namespaces, [name] if name in namespaces.by_name else [], sid)
        elif record.kind is Kind.CLOSE:
            _remove(namespaces, list(namespaces.by_name), sid)


def replace_members(namespaces: Namespaces, rooms: Mapping[tuple[str, str], Collection[str]]) -> None:
    """Take over the members of all rooms from a server that lists them, by namespace and room."""
    for known in namespaces.by_name.values():
        for name in [name for name in known.rooms if (known.name, name) not in rooms]:
            del known.rooms[name]
    for (namespace, name), sids in rooms.items():
        room = namespaces.add(namespace).room(name)
        if room is not None:
            room.count = len(sids)
            room.members = {sid: sid for sid, _ in zip(sids, range(_MAX_MEMBERS), strict=False)}


def _room(args: list[Json] | None) -> str:
    first = args[0] if args else None
    room = first.get("room") if isinstance(first, dict) else None
    return str(room) if isinstance(room, str | int | float) else ""


def _change(namespaces: Namespaces, namespace: str, name: str, sid: str, joins: bool) -> None:
    known = namespaces.add(namespace)
    room = known.room(name) if joins else known.rooms.get(name)
    if room is None:
        return
    was_member = sid in room.members
    if joins and (was_member or len(room.members) < _MAX_MEMBERS):
        room.members[sid] = sid
    elif not joins:
        room.members.pop(sid, None)
    if room.count is not None and was_member != joins:
        room.count += 1 if joins else -1
    if not joins and not room.members:
        del known.rooms[name]


def _remove(namespaces: Namespaces, names: list[str], sid: str) -> None:
    for name in names:
        for room in [room for room, known in namespaces.by_name[name].rooms.items() if sid in known.members]:
            _change(namespaces, name, room, sid, joins=False)
