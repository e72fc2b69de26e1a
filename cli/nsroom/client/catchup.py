"""Detect messages missed while disconnected, and fetch them from the history.

Pure. The reference server numbers the messages of a room without gaps, and answers a join with the last id.
Rooms of other servers are not kept here, and their records pass unchanged.

A room is *live* while `held` is None: its messages are shown as they arrive. It is *catching up* while `held`
is a list: live messages wait there until the missed ones have been shown. For each room, in this order:

1. `on_join` with the answer to the first join; the room is live.
2. `interrupt` when the connection is lost; messages that are still held become `unresolved`.
3. `resume` after a reconnection, for the join that asks for messages after `last_id`; it is catching up.
4. `replay` with the answer, and with that of each `next_page`; then `release`: it is live again.

A live message whose id is not the next one shows that messages are missing, or that it is forged: it is held,
and `on_gap` is called so that the missing ones are asked for (`missing`, then 4). Only ids without a hole
advance `last_id`. Each message is shown once, and before those with higher ids. `release_all` shows the
messages that are left at the end.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from nsroom.client.events import Emit
from nsroom.protocol.refusals import refusal
from nsroom.record import Direction, Json, Kind, Record

_OTHER_STORE = "epoch"
"""The `gap` of an answer when the client's ids are from another message store."""

_MAX_UNRESOLVED = 10_000
_MAX_ROOMS = 1000
_MAX_NAME = 1024
"""Characters of a room's name."""


class RoomState:
    """One room of one namespace."""

    def __init__(
        self, namespace: str, room: str, epoch: str, last_id: int, unresolved: list[Record] | None = None
    ) -> None:
        self.namespace = namespace
        self.room = room
        self.epoch = epoch
        """The message store that the ids are from."""
        self.last_id = last_id
        """Messages up to this id were shown, or cannot be fetched any more."""
        self.replayed_id = 0
        """Messages up to this id were shown by a replay, so live ones with these ids are skipped."""
        self.beyond: dict[int, int] = {}
        """Messages after a hole, shown because the missing ones could not be fetched: a hash by id."""
        self.held: list[Record] | None = None
        """Live messages that wait for the missed ones."""
        self.unresolved = [] if unresolved is None else unresolved
        """Messages held when an earlier connection was lost."""
        self.replayed_count = 0
        """Messages replayed since the last reconnection."""
        self.unknown: str | None = None
        """Why more messages may be missing, or None."""

    @property
    def summary(self) -> dict[str, Json]:
        """The room's part of a gap record."""
        return {
            "namespace": self.namespace,
            "room": self.room,
            "replayed": self.replayed_count,
            "unknown": self.unknown,
        }


class CatchUp:
    """The rooms of one client whose messages are numbered."""

    def __init__(
        self,
        sequence: Iterator[int],
        clock: Callable[[], int],
        on_gap: Callable[[RoomState], object] = lambda _: None,
    ) -> None:
        self._sequence = sequence
        self._clock = clock
        self._on_gap = on_gap
        self._rooms: dict[tuple[str, str], RoomState] = {}
        self._early: dict[tuple[str, str], range] = {}
        """Ids, without a hole, of messages that arrived before the answer to the join, which may be older."""

    def on_join(self, answer: Record) -> None:
        """Handle an acknowledgement: start a room if it answers a join, unless the room is catching up."""
        match answer.args:
            case [{"ok": True, "members": list(), "room": str(room), "epoch": str(epoch), "last": int(last)}]:
                key = (answer.namespace or "/", room)
                state = self._rooms.get(key)
                if state is None and (len(self._rooms) >= _MAX_ROOMS or len(room) > _MAX_NAME):
                    return
                if state is None or state.held is None:
                    early = self._early.pop(key, range(0))
                    seen = early.stop - 1 if early.start <= last + 1 else 0
                    if state and state.epoch == epoch:
                        seen = state.last_id
                    unresolved = state.unresolved if state else []
                    self._rooms[key] = RoomState(*key, epoch, max(last, seen), unresolved)

    def should_show(self, record: Record) -> bool:
        """Return whether to show a record now: not a message shown before, nor one that must wait."""
        if record.event != "message":
            return True
        key, number = _room_and_id(record)
        state = self._rooms.get(key) if key else None
        if state is None:
            if key and number is not None and (key in self._early or len(self._early) < _MAX_ROOMS):
                early = self._early.get(key, range(0))
                start = early.start if number == early.stop else number
                self._early[key] = range(start, number + 1)
            return True
        if state.held is not None:
            state.held.append(record)
            return False
        if number is not None and number > state.last_id + 1:
            state.held, state.replayed_count, state.unknown = [record], 0, None
            self._on_gap(state)
            return False
        return _is_new(state, number)

    def missing(self, state: RoomState, after: int | None = None) -> Emit:
        """Return the event that asks for the messages after this one, or after the last that was shown."""
        args = {"room": state.room, "after": state.last_id if after is None else after, "epoch": state.epoch}
        return Emit(state.namespace, "history", [args])

    def resume(self, join: Emit) -> tuple[Emit, RoomState | None]:
        """Return the join to repeat after a reconnection, and the room whose missed messages it asks for."""
        room = join.args[0] if join.args else None
        fields = room if isinstance(room, dict) else {"room": room}
        state = self._rooms.get((join.namespace, str(fields.get("room"))))
        if state is None:
            return join, None
        state.held, state.replayed_count, state.unknown = [], 0, None
        known = {"after": state.last_id, "epoch": state.epoch}
        return join._replace(args=[{**fields, **known}, *join.args[1:]]), state

    def replay(self, state: RoomState, page: Json) -> list[Record]:
        """Return records of the missed messages in an answer to a join or to `history`."""
        match page:
            case {"history": [*bodies], "epoch": str(epoch), "gap": gap}:
                state.unknown = state.unknown or gap
                is_other_store = gap == _OTHER_STORE or epoch != state.epoch
                before = self._start_over(state, epoch) if is_other_store else []
                return [*before, *self._missed(state, bodies)]
        refused = refusal([page])
        state.unknown = str(refused.code) if refused else "no answer"
        return []

    def _start_over(self, state: RoomState, epoch: str) -> list[Record]:
        """Count from the start of another message store; return what is left of the last one."""
        unresolved, state.unresolved = state.unresolved, []
        before = self._new(unresolved)
        state.epoch, state.last_id, state.replayed_id = epoch, 0, 0
        state.beyond.clear()
        return before

    def _missed(self, state: RoomState, bodies: list[Json]) -> Iterator[Record]:
        for body in bodies:
            number = body.get("id") if isinstance(body, dict) else None
            if type(number) is not int:
                continue
            # Compared by its content: a forged message must not hide the real one with its id.
            shown = state.beyond.pop(number, None)
            is_shown = shown is not None and shown == _hash(body)
            if number > state.last_id and not is_shown:
                state.replayed_count += 1
                yield self._replayed(state, body)
            state.last_id = state.replayed_id = max(state.last_id, number)

    def _replayed(self, state: RoomState, body: Json) -> Record:
        return Record(
            self._clock(),
            next(self._sequence),
            Direction.IN,
            Kind.EVENT,
            state.namespace,
            event="message",
            args=[body],
            data={"replayed": True},
        )

    def next_page(self, state: RoomState, page: Json) -> Emit | None:
        """Return the event that asks for the next missed messages, or None if the page was the last."""
        match page:
            case {"history": [*_, {"id": int(number)}], "last": int(last)} if number < last:
                return self.missing(state, number)
        return None

    def release(self, state: RoomState) -> list[Record]:
        """Return the held messages that were not replayed; the room is live again."""
        held, state.unresolved, state.held = [*state.unresolved, *(state.held or [])], [], None
        return self._new(held)

    def interrupt(self) -> None:
        """Keep the held messages for the next connection, up to a limit; the rest is fetched then."""
        self._early.clear()
        for state in self._rooms.values():
            state.unresolved = [*state.unresolved, *(state.held or [])][:_MAX_UNRESOLVED]
            state.held = None

    def release_all(self) -> list[Record]:
        """Return the held messages of all rooms, after the last connection."""
        return [record for state in self._rooms.values() for record in self.release(state)]

    def _new(self, held: list[Record]) -> list[Record]:
        """Return the messages that were not shown yet, numbered as the latest records."""
        found = [(record, *_room_and_id(record)) for record in held]
        new = [record for record, key, number in found if key and self._is_next(key, number, record)]
        return [record._replace(seq=next(self._sequence)) for record in new]

    def _is_next(self, key: tuple[str, str], number: int | None, record: Record) -> bool:
        """Return whether a held message was not shown yet; remember it if it is after a hole."""
        state = self._rooms.get(key)
        is_new = _is_new(state, number)
        if is_new and state and number is not None and number > state.last_id and record.args:
            if len(state.beyond) >= _MAX_UNRESOLVED:  # what is missing before these is given up
                state.last_id = state.replayed_id = max(state.beyond)
                state.beyond.clear()
            state.beyond[number] = _hash(record.args[0])
        return is_new


def _is_new(state: RoomState | None, number: int | None) -> bool:
    if state is None or number is None:
        return True
    if number == state.last_id + 1:
        state.last_id = number
    return number > state.replayed_id


def _hash(body: Json) -> int:
    return hash(repr(body))


def _room_and_id(record: Record) -> tuple[tuple[str, str] | None, int | None]:
    """Return the namespace and room of a message from the server, and its id; None for what is missing."""
    if record.direction is not Direction.IN or record.kind is not Kind.EVENT:
        return None, None
    body = record.args[0] if record.args else None
    if not isinstance(body, dict):
        return None, None
    number, room = body.get("id"), body.get("room")
    if not isinstance(room, str) or len(room) > _MAX_NAME:
        return None, None
    key = (record.namespace or "/", room)
    return key, number if type(number) is int and number > 0 else None


def describe(rooms: Sequence[RoomState]) -> str:
    """Return what is known about the messages of rooms after a gap, or an empty text."""
    count = sum(room.replayed_count for room in rooms)
    shown = (
        f"{count} missed messages of {_names(room for room in rooms if room.replayed_count)} are shown now"
    )
    incomplete = _names(room for room in rooms if room.unknown)
    return "; ".join([shown] * bool(count) + [f"messages in {incomplete} may be missing"] * bool(incomplete))


def _names(rooms: Iterable[RoomState]) -> str:
    return ", ".join(dict.fromkeys(state.room for state in rooms))
