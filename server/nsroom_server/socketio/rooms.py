"""Who is in which room, and how an event reaches them all."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from socketio.async_manager import AsyncManager
from socketio.packet import EVENT

from nsroom_server.engineio.packets import Outgoing
from nsroom_server.socketio.application import Json, Watcher
from nsroom_server.socketio.packet import Packet

Room = str | list[str] | None
Elsewhere = Callable[[Packet, Room, list[str]], None]
"""Tells other servers of a packet, where it goes, and which sids are left out."""


class FanOut(AsyncManager):  # type: ignore[misc]
    """python-socketio's table of rooms, with each socket's rooms beside it. Stock: it searches them all."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: Elsewhere | None = None
        self._rooms_of: dict[str, dict[str, None]] = {}

    @property
    def watcher(self) -> Watcher | None:
        """Who is to be told what happens, if anybody is awake to hear it."""
        watcher: Watcher | None = self.server.watcher
        return watcher if watcher and watcher.awake else None

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        """Put a socket into a room, or into its namespace when `room` is None."""
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        if room is not None and room != sid:
            self._rooms_of.setdefault(sid, {})[room] = None
            if watcher := self.watcher:
                watcher.joined(namespace, room, sid)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        """Take a socket out of a room."""
        super().basic_leave_room(sid, namespace, room)
        if room is not None and room != sid:
            self._rooms_of.get(sid, {}).pop(room, None)
            if watcher := self.watcher:
                watcher.left(namespace, room, sid)

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Forget a socket."""
        if namespace not in self.rooms:
            return
        for room in (*self._rooms_of.pop(sid, ()), sid, None):
            self.basic_leave_room(sid, namespace, room)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            _discard(pending, namespace, sid)

    def get_rooms(self, sid: str, namespace: str) -> list[str]:  # noqa: ARG002 - a sid is of one namespace
        """Give the rooms that a socket has joined."""
        return list(self._rooms_of.get(sid, ()))

    def room_names(self, namespace: str) -> list[str]:
        """Give the rooms that have members; a socket's own is none."""
        rooms = self.rooms.get(namespace, {})
        return [room for room in rooms if room is not None and room not in rooms[None]]

    def members(self, namespace: str, *rooms: str) -> dict[str, str]:
        """Give whoever is in one of the rooms: sid to Engine.IO sid."""
        return {sid: eio_sid for room in rooms for sid, eio_sid in self.get_participants(namespace, room)}

    def size(self, namespace: str, room: str) -> int:
        """Count a room's members."""
        return len(self.rooms.get(namespace, {}).get(room, ()))

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Room = None,
        skip_sid: str | list[str] | None = None,
        callback: None = None,  # noqa: ARG002 - the server asks for no acknowledgements
        to: Room = None,
        **_: Any,
    ) -> None:
        """Send an event to a room, to several, or to the namespace. Stock: a task for each recipient."""
        to = to or room
        skipped = skip_sid if isinstance(skip_sid, list) else [skip_sid] if skip_sid else []
        args = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        arguments = [event, *args]
        packet = Packet(EVENT, arguments, namespace)
        self.fan_out(packet.outgoing(), namespace, to, set(skipped), arguments)
        if self.elsewhere and not (isinstance(to, str) and self.is_sid_room(namespace, to)):
            self.elsewhere(packet, to, skipped)

    def fan_out(
        self,
        packets: Sequence[Outgoing],
        namespace: str,
        to: Room,
        skipped: Collection[str] = (),
        arguments: Sequence[Json] | None = None,
    ) -> int:
        """Send what is encoded to own clients and count them; a watcher is told the arguments."""
        recipients = dict(self.get_participants(namespace, to))
        for sid in skipped:
            recipients.pop(sid, None)
        find = self.server.eio.sessions.get
        for eio_sid in recipients.values():
            if session := find(eio_sid):
                session.send(*packets)
        if arguments and (watcher := self.watcher):
            for sid in recipients:
                watcher.sent(namespace, sid, arguments)
        self.server.eio.traffic.events_out += len(recipients)
        return len(recipients)


def _discard(pending: dict[str, list[str]], namespace: str, sid: str) -> None:
    sids = pending.get(namespace, [])
    if sid in sids:
        sids.remove(sid)
    if not sids:
        pending.pop(namespace, None)
