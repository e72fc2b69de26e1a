"""What the hooks report, as sockets and records: values in, values out."""

from typing import Any

import pytest

from nsroom.introspection.attach.state import ENDED, Change, State
from nsroom.record import Direction, Kind, Record

AT = 1_795_895_983_000_000


def change(kind: str, server: str = "node (pid 1)", **item: Any) -> Change:
    return Change(server, {"kind": kind, "nsp": "/", "id": "a", "at": AT, **item}, AT + 1)


def described(sid: str = "a", server: str = "node (pid 1)", kind: str = "socket", **item: Any) -> Change:
    shake = {"address": "127.0.0.1", "issued": AT // 1000}
    return change(kind, server, id=sid, rooms=[sid, "lobby"], transport="polling", handshake=shake, **item)


@pytest.fixture
def state() -> State:
    """The state of one process with one socket."""
    state = State("attach")
    state.unlisted = {"node (pid 1)"}
    for each in (change("listing"), described(data={"user": {"$binary": "AAE="}}), change("listed")):
        state.feed(each)
    return state


def feed(state: State, *changes: Change) -> list[Record]:
    return [record for each in changes for record in state.feed(each)]


def test_a_list_of_sockets(state: State) -> None:
    assert state.listed
    [socket] = state.select()
    assert (socket.rooms, socket.transport, socket.address) == ({"a", "lobby"}, "polling", "127.0.0.1")
    assert (socket.connected, socket.data, socket.server) == (AT, {"user": b"\x00\x01"}, None)
    [server] = state.servers(AT)
    assert (server.id, server.namespaces, server.clients) == ("node (pid 1)", {"/": 1}, 1)


def test_a_new_list_replaces_the_sockets_of_its_process(state: State) -> None:
    feed(state, described("other", "node (pid 2)"))
    feed(state, change("listing"), described("b"), change("listed"))
    assert [socket.sid for socket in state.select()] == ["b", "other"]
    assert state.is_disconnected(("/", "a"))


def test_it_is_listed_when_all_processes_are() -> None:
    state = State("attach")
    state.unlisted = {"1", "2"}
    feed(state, change("listing", "1"), change("listed", "1"))
    assert not state.listed
    feed(state, Change("2", ENDED, AT))
    assert state.listed


def test_sockets_come_move_and_go(state: State) -> None:
    records = feed(
        state,
        described("b", kind="connect"),
        change("upgrade", id="b", transport="websocket"),
        change("join", id="b", room=7),
        change("leave", id="b", room="lobby"),
        change("join", id="b", room="b"),
    )
    assert [(each.kind, each.direction, each.event, each.args) for each in records] == [
        (Kind.CONNECT, Direction.IN, None, None),
        (Kind.EVENT, Direction.LOCAL, "join-room", [{"room": 7, "sid": "b"}]),
        (Kind.EVENT, Direction.LOCAL, "leave-room", [{"room": "lobby", "sid": "b"}]),
    ]
    assert records[0].data == {"transport": "polling", "address": "127.0.0.1"}
    socket = state.sockets["/", "b"]
    assert (socket.rooms, socket.transport) == ({"b", 7}, "websocket")
    [record] = feed(state, change("disconnect", id="b", reason="transport close"))
    assert (record.kind, record.reason, record.sid) == (Kind.DISCONNECT, "transport close", "b")
    assert ("/", "b") not in state.sockets


def test_events_and_their_acknowledgements(state: State) -> None:
    event, ack = feed(
        state,
        change("event", direction="out", ack=3, data=["join", {"$binary": "AAE="}, {"$$binary": "x"}]),
        change("ack", direction="in", ack=3, data=[{"ok": True}], at=AT + 2500),
    )
    assert (event.direction, event.event, event.args) == ("out", "join", [b"\x00\x01", {"$binary": "x"}])
    assert (event.id, event.time, event.sid) == (3, AT, "a")
    assert (ack.kind, ack.direction, ack.id, ack.event, ack.rtt_ms) == ("ack", "in", 3, "join", 2.5)


def test_the_server_s_question_is_another_than_the_client_s_of_the_same_id(state: State) -> None:
    records = feed(
        state,
        change("event", direction="out", ack=0, data=["mine"]),
        change("event", direction="in", ack=0, data=["yours"]),
        change("ack", direction="out", ack=0, data=[]),
        change("ack", direction="out", ack=9, data=[]),
    )
    assert [each.event for each in records] == ["mine", "yours", "yours", None]


def test_the_end_of_a_process_ends_its_sockets(state: State) -> None:
    feed(state, described("other", "node (pid 2)"))
    [record] = feed(state, Change("node (pid 1)", ENDED, AT))
    assert (record.kind, record.sid, record.reason) == (Kind.DISCONNECT, "a", "process ended")
    assert [socket.sid for socket in state.select()] == ["other"]


def test_missing_packets_are_a_gap(state: State) -> None:
    [record] = feed(state, change("gap", dropped=12))
    assert (record.kind, record.data) == (Kind.GAP, {"missing": 12})
    assert record.message == "12 packets of node (pid 1) came faster than they were read, and are missing"


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"kind": "unknown"},
        {"kind": ["socket"]},
        {"kind": "socket", "id": 1},
        {"kind": "socket", "id": "a", "nsp": "/", "rooms": None},
        {"kind": "join", "id": "a", "nsp": "/", "room": {}},
        {"kind": "join", "id": "a", "nsp": "/", "room": True},
        {"kind": "join", "id": "unknown", "nsp": "/", "room": "x"},
        {"kind": "disconnect", "id": "unknown", "nsp": "/"},
        {"kind": "upgrade", "id": "a", "nsp": "/", "transport": 7},
        {"kind": "event", "data": None},
        {"kind": "event", "data": [None]},
        {"kind": "event", "data": []},
        {"kind": "gap", "dropped": "many"},
        {"kind": "gap", "dropped": -1},
    ],
)
def test_anything_else_is_passed_over(state: State, item: Any) -> None:
    before = state.select()
    assert state.feed(Change("node (pid 1)", item, AT)) == []
    assert state.select() == before


def test_values_of_the_wrong_type_do_no_harm(state: State) -> None:
    [ack] = feed(state, change("ack", direction=7, ack=True, data="x", at="now"))
    assert (ack.direction, ack.id, ack.args, ack.time) == ("in", None, [], AT + 1)
    [event] = feed(state, change("event", data=["x", {"$binary": "not base64"}], at=-1))
    assert (event.args, event.time) == ([{"$binary": "not base64"}], AT + 1)
