"""Lists of sockets, and what has changed between them."""

from nsroom.introspection.inventory import Key, Socket
from nsroom.introspection.redis.payloads import Broadcast
from nsroom.introspection.redis.state import Listing, Silence, State
from nsroom.record import Direction, Kind, Record


def socket(sid: str, *rooms: str | int, namespace: str = "/") -> Socket:
    return Socket(namespace, sid, frozenset({sid, *rooms}), address="::1")


def listing(*sockets: Socket, silent: str = "") -> Listing:
    silences = {silent: Silence(1, 2)} if silent else {}
    return Listing(5, {each.key: each for each in sockets}, silences)


def told(records: list[Record]) -> set[tuple[str, str, str | None, str]]:
    return {
        (each.direction, each.kind, each.sid, each.args[0]["room"] if each.args else "") for each in records
    }


def test_the_first_list_is_no_change() -> None:
    state = State("redis://h")
    assert state.take(listing(socket("a", "lobby"))) == []
    assert state.listed
    assert list(state.rooms()) == [("/", "lobby")]


def test_changes_are_what_the_sockets_did() -> None:
    state = State("redis://h")
    state.take(listing(socket("a", "lobby"), socket("b")))
    records = state.take(listing(socket("a", "ops"), socket("c", 7)))
    assert told(records) == {
        (Direction.IN, Kind.DISCONNECT, "b", ""),
        (Direction.LOCAL, Kind.EVENT, "a", "lobby"),
        (Direction.LOCAL, Kind.EVENT, "a", "ops"),
        (Direction.IN, Kind.CONNECT, "c", ""),
        (Direction.LOCAL, Kind.EVENT, "c", 7),
    }
    assert [each.seq for each in records] == [1, 2, 3, 4, 5]
    assert {each.time for each in records} == {5}
    assert state.take(listing(socket("a", "ops"), socket("c", 7))) == []


def test_the_sockets_of_a_silent_server_are_unknown_not_disconnected() -> None:
    state = State("redis://h")
    here, there, other = ("/", "a"), ("/", "b"), ("/chat", "c")
    state.take(listing(socket("a"), socket("b"), socket("c", namespace="/chat")))
    assert state.take(listing(socket("a"), silent="/"))[0].sid == "c"
    assert set(state.sockets) == {here, there}
    assert state.worst == Silence(1, 2)
    assert disconnected(state, here, there, other) == [False, False, True]
    assert [each.sid for each in state.take(listing(socket("a")))] == ["b"]
    assert disconnected(state, here, there, other) == [False, True, True]
    assert state.worst == Silence(0, 0)


def disconnected(state: State, *keys: Key) -> list[bool]:
    return [state.is_disconnected(key) for key in keys]


def test_nothing_is_disconnected_before_the_first_list() -> None:
    assert not State("redis://h").is_disconnected(("/", "a"))


def test_an_event_has_its_rooms_or_the_only_client() -> None:
    state = State("redis://h")
    state.take(listing(socket("a")))
    room = state.broadcast(7, Broadcast("/", "hello", [1], ["lobby"], ["a"]))
    assert (room.time, room.seq, room.direction, room.kind) == (7, 1, Direction.IN, Kind.EVENT)
    assert (room.event, room.args, room.sid) == ("hello", [1], None)
    assert room.data == {"rooms": ["lobby"], "except": ["a"]}
    client = state.broadcast(7, Broadcast("/", "hello", [], ["a"]))
    assert (client.sid, client.data, client.seq) == ("a", None, 2)
    everyone = state.broadcast(7, Broadcast("/", "hello", []))
    assert (everyone.sid, everyone.data) == (None, None)
