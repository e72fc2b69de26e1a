"""Change the server from `top`: disconnect sockets, join them to rooms, emit."""

import json
from collections.abc import Iterable
from typing import Any

from nsroom.cli.shell_words import split
from nsroom.client.events import parse_arguments
from nsroom.errors import UsageError, WaitError
from nsroom.filters import MAX_LENGTH
from nsroom.introspection.inventory import Feature, Key, Socket
from nsroom.introspection.observer import Observer
from nsroom.output.room_names import Room, is_named, room_text
from nsroom.tui.top.activity import Scope

_MAX_FOLLOWED = 100
"""Members of a room that a filter names; of larger rooms it shows the whole namespace."""


class Actions:
    """The actions on a socket, or on the members of a room; each returns what happened."""

    def __init__(self, observer: Observer[Any], write: bool, timeout: float) -> None:
        self.can_write = write
        self._observer = observer
        self._timeout = timeout

    def require(self, feature: Feature) -> None:
        """Check that the user and the server allow a change. Raises: UsageError, RefusedError."""
        if not self.can_write:
            raise UsageError("this changes the server: start top with --write to allow it")
        self._observer.require(feature)

    def members(self, scope: Scope) -> list[Socket]:
        """Return the sockets of a scope."""
        sockets = self._observer.state.select([scope.namespace])
        if scope.sid is not None:
            return [each for each in sockets if each.sid == scope.sid]
        if scope.room is not None:
            return [each for each in sockets if scope.room in map(room_text, each.rooms)]
        return sockets

    def _filter(self, scope: Scope) -> Room | None:
        """Return the sid or the room as the server knows it, or None for the whole namespace."""
        if scope.sid is not None or scope.room is None:
            return scope.sid
        return self._observer.state.find_room(scope.room, [scope.namespace])

    async def kick(self, scope: Scope) -> str:
        """Disconnect the sockets. Raises: NsroomError."""
        keys = [each.key for each in self.members(scope)]
        where = self._filter(scope)
        await self._observer.disconnect(scope.namespace, where)

        def left() -> list[Key]:
            return [key for key in keys if not self._observer.state.is_disconnected(key)]

        if not await self._observer.read_until(lambda: not left(), self._timeout):
            raise WaitError(f"{len(left())} of {len(keys)} still connected after {self._timeout:g} s")
        return f"disconnected {counted(keys)} from {scope.namespace}"

    async def join(self, scope: Scope, name: str) -> str:
        """Join the sockets to a room. Raises: NsroomError."""
        if not name:
            raise UsageError("name the room to join")
        state, sockets = self._observer.state, self.members(scope)
        room = state.find_room(name, [scope.namespace])
        await self._observer.join(scope.namespace, room, self._filter(scope))

        def inside() -> bool:
            known = (state.sockets.get(each.key) for each in sockets)
            return all(each is None or any(is_named(name, room) for room in each.rooms) for each in known)

        if not await self._observer.read_until(inside, self._timeout):
            raise WaitError(f"not confirmed within {self._timeout:g} s that all are in {name}")
        return f"joined {counted(sockets)} to {name}"

    async def emit(self, scope: Scope, line: str) -> str:
        """Emit an event, typed as for `/emit`, to the sockets. Raises: NsroomError."""
        event, *args = split(line) or [""]
        if not event:
            raise UsageError("name the event to emit")
        values = parse_arguments(args)
        await self._observer.emit(scope.namespace, self._filter(scope), event, values)
        return f"emitted {event} to {label(scope)}"

    def where(self, scope: Scope) -> str:
        """Return the filter that shows the records of a scope, or "" if its names are too long for one."""
        sids = [scope.sid] if scope.sid is not None else [each.sid for each in self.members(scope)]
        is_whole = scope.sid is None and scope.room is None
        by_sid = " | ".join(f"sid={json.dumps(sid)}" for sid in sids[:_MAX_FOLLOWED])
        if is_whole or not 0 < len(sids) <= _MAX_FOLLOWED or len(by_sid) > MAX_LENGTH:
            by_namespace = f"ns={json.dumps(scope.namespace)}"
            return by_namespace if len(by_namespace) <= MAX_LENGTH else ""
        return by_sid


def counted(sockets: Iterable[object]) -> str:
    """Return the number of sockets in words."""
    number = sum(1 for _ in sockets)
    return f"{number:,} socket{'' if number == 1 else 's'}"


def label(scope: Scope) -> str:
    """Return the name of a scope for the user."""
    return scope.sid or scope.room or scope.namespace
