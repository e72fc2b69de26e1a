"""The admin namespace's events, as real servers sent them, and what is known after them."""

import json
from typing import Any

import pytest

from nsroom.introspection.admin.offsets import without_offset
from nsroom.introspection.admin.state import State
from nsroom.introspection.listing import rooms_view, sockets_view
from nsroom.output.tables import changes
from nsroom.record import Direction, Kind, Record, parse_time

AT = parse_time("2026-11-24T07:25:07.167Z")
JS = "2026-11-24T07:25:07.167Z"
PY = "2026-11-24T07:25:07.342853+00:00"
ANN, BEN, ADMIN = "Z_f_6lFdurF0Yv3kAAAC", "xy3O9l6WuZf9R3pbAAAD", "SYtngH3Wl73H9N4bAAAB"
ACTIONS = ["EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"]
NODE = [*ACTIONS, "AGGREGATED_EVENTS", "ALL_EVENTS"]
PYTHON = ["AGGREGATED_EVENTS", *ACTIONS, "ALL_EVENTS"]


def told(event: str, *args: Any, offset: str | None = None) -> Record:
    """Make the record of an event of the admin namespace."""
    data = {"offset": offset} if offset else None
    return Record(AT, 1, Direction.IN, Kind.EVENT, "/admin", event=event, args=list(args), data=data)


def connecting() -> Record:
    return Record(AT, 1, Direction.OUT, Kind.CONNECT, "/admin")


def described(sid: str, *rooms: str, namespace: str = "/chat", time: str = JS) -> dict[str, Any]:
    """Describe a socket as both servers do."""
    return {
        "id": sid,
        "clientId": "bUughicy1PjS",
        "transport": "websocket",
        "nsp": namespace,
        "data": {},
        "handshake": {
            "address": "127.0.0.1",
            "headers": {"cookie": "secret"},
            "query": {"EIO": "4", "transport": "websocket"},
            "issued": AT / 1000,
            "time": time,
        },
        "rooms": [sid, *rooms],
    }


def after(*records: Record) -> State:
    """Give what is known after these."""
    state = State()
    for record in records:
        state.feed(record)
    return state


def rooms_of(state: State) -> dict[tuple[str, str], list[str]]:
    return {key: [socket.sid for socket in members] for key, members in state.rooms().items()}


def test_the_list_of_sockets() -> None:
    state = after(told("all_sockets", [described(ANN, "lobby"), described(BEN, "lobby", "ops")]))
    assert state.listed
    assert rooms_of(state) == {("/chat", "lobby"): [ANN, BEN], ("/chat", "ops"): [BEN]}


def test_rooms_that_are_a_socket_s_own_are_hidden_unless_all_are_asked_for() -> None:
    state = after(told("all_sockets", [described(ANN), described(ADMIN, namespace="/admin")]))
    assert state.rooms() == {}
    assert list(state.rooms(all=True)) == [("/admin", ADMIN), ("/chat", ANN)]
    assert [each.sid for each in state.select()] == [ANN]
    assert [each.sid for each in state.select(["/admin"])] == [ADMIN]


def test_secrets_of_the_handshake_are_not_kept() -> None:
    rows = sockets_view((), True)(after(told("all_sockets", [described(ANN, "lobby")])))
    assert "secret" not in json.dumps(rows)
    assert rows[0]["connected"] == "2026-11-24T07:25:07.167000Z"


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([told("room_joined", "/chat", "lobby", ANN, JS)], {("/chat", "lobby"): [ANN]}),
        (
            [told("room_joined", "/chat", "lobby", ANN, JS), told("room_left", "/chat", "lobby", ANN, JS)],
            {},
        ),
        ([told("socket_disconnected", "/chat", ANN, "transport close", JS)], {}),
        # Two seconds late, and the socket has gone meanwhile.
        (
            [
                told("socket_disconnected", "/chat", ANN, "client disconnect", PY),
                told("room_joined", "/chat", "lobby", ANN, PY),
            ],
            {},
        ),
        # A list that was made before it left.
        (
            [
                told("socket_disconnected", "/chat", ANN, "client disconnect", JS),
                told("all_sockets", [described(ANN, "lobby")]),
            ],
            {},
        ),
        # Recovered: the same sid comes back.
        (
            [
                told("socket_disconnected", "/chat", ANN, "transport close", JS),
                told("socket_connected", described(ANN, "lobby"), JS),
            ],
            {("/chat", "lobby"): [ANN]},
        ),
        # The list went astray: what is heard of is known all the same.
        ([told("room_joined", "/chat", "lobby", BEN, PY)], {("/chat", "lobby"): [BEN]}),
        # A new connection begins with nothing.
        ([told("room_joined", "/chat", "lobby", ANN, JS), connecting()], {}),
    ],
)
def test_rooms_follow_the_events(records: list[Record], expected: dict[Any, Any]) -> None:
    assert rooms_of(after(connecting(), told("all_sockets", [described(ANN)]), *records)) == expected


def test_python_does_not_tell_that_a_refused_socket_has_gone() -> None:
    left = [told("room_left", "/chat", room, ANN, PY) for room in (ANN, "lobby")]
    state = after(told("socket_connected", described(ANN, "lobby", time=PY), PY), *left)
    assert state.select() == []


def test_a_node_socket_may_leave_its_own_room() -> None:
    state = after(told("all_sockets", [described(ANN)]), told("room_left", "/chat", ANN, ANN, JS))
    assert [each.sid for each in state.select()] == [ANN]


def test_what_is_emitted_before_the_connect_reply_counts() -> None:
    reply = Record(AT, 1, Direction.IN, Kind.CONNECT, "/admin", sid=ADMIN)
    state = after(connecting(), told("config", {"supportedFeatures": NODE}), reply)
    assert state.is_open


def event(record: Record) -> tuple[Any, ...]:
    return record.direction, record.kind, record.namespace, record.sid, record.event, record.args


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            told("event_received", "/chat", ANN, ["say", "hi", 7], JS),
            ("out", "event", "/chat", ANN, "say", ["hi", 7]),
        ),
        (told("event_sent", "/chat", ANN, ["echo", "x"], JS), ("in", "event", "/chat", ANN, "echo", ["x"])),
        (
            told("event_sent", "/chat", ANN, ["echo", "x", "Q8CSR3V.0"], JS, offset="Q8CSR3V.1"),
            ("in", "event", "/chat", ANN, "echo", ["x"]),
        ),
        # Volatile, or with an acknowledgement: nothing was added.
        (
            told("event_sent", "/chat", ANN, ["echo", "goodbye"], JS, offset="Q8CSR3V.1"),
            ("in", "event", "/chat", ANN, "echo", ["goodbye"]),
        ),
        (
            told("event_sent", "/chat", ANN, ["echo", "Q8CSR3V"], JS),
            ("in", "event", "/chat", ANN, "echo", ["Q8CSR3V"]),
        ),
        (told("event_sent", "/chat", BEN, ["bare", None], PY), ("in", "event", "/chat", BEN, "bare", [])),
        (told("event_sent", "/chat", BEN, ["bare", None], JS), ("in", "event", "/chat", BEN, "bare", [None])),
        (
            told("room_joined", "/chat", "lobby", ANN, JS),
            ("local", "event", "/chat", ANN, "join-room", [{"room": "lobby", "sid": ANN}]),
        ),
        (
            told("room_left", "/chat", "lobby", ANN, JS),
            ("local", "event", "/chat", ANN, "leave-room", [{"room": "lobby", "sid": ANN}]),
        ),
        (told("socket_connected", described(ANN), JS), ("in", "connect", "/chat", ANN, None, None)),
        (
            told("socket_disconnected", "/chat", ANN, "why", JS),
            ("in", "disconnect", "/chat", ANN, None, None),
        ),
    ],
)
def test_what_sockets_do_becomes_records(record: Record, expected: tuple[Any, ...]) -> None:
    [made] = State().feed(record)
    assert event(made) == expected
    assert made.time in (parse_time(JS), parse_time(PY))


@pytest.mark.parametrize(
    "record",
    [
        told("session", "85213e60428fafb3"),
        told("room_joined", "/chat", ANN, ANN, JS),
        told("config"),
        told("config", {"supportedFeatures": 7}),
        told("all_sockets", [1, {"id": 7}, {}]),
        told("socket_connected"),
        told("socket_updated", {"id": "unknown", "nsp": "/"}),
        told("event_sent", "/chat", ANN, [], JS),
        told("event_received", 7),
        told("server_stats", {"serverId": "a", "clientsCount": "b"}),
        told("unknown", 1),
    ],
)
def test_other_events_are_no_records(record: Record) -> None:
    assert State().feed(record) == []


def test_heartbeats_of_python_are_no_connects() -> None:
    first, later = "2026-11-24T07:12:20.469700+00:00", "2026-11-24T07:12:23.471497+00:00"
    arrived = told("socket_connected", described(BEN, time=first), first)
    heartbeat = told("socket_connected", described(BEN, "lobby", time=first), later)
    assert [made.kind for made in State().feed(arrived)] == ["connect"]
    state = State()
    assert state.feed(heartbeat) == []
    assert rooms_of(state) == {("/chat", "lobby"): [BEN]}


def test_a_socket_is_updated() -> None:
    state = after(
        told("all_sockets", [described(ANN)]),
        told("socket_updated", {"id": ANN, "nsp": "/chat", "transport": "polling"}),
        told("socket_updated", {"id": ANN, "nsp": "/chat", "data": {"name": "ann"}}),
    )
    [socket] = state.select()
    assert (socket.transport, socket.data) == ("polling", {"name": "ann"})


@pytest.mark.parametrize(
    ("features", "is_open", "acknowledges"),
    [
        (NODE, True, False),
        (PYTHON, True, True),
        (NODE[:-1], False, False),
        (PYTHON[:-1], False, True),
        (["AGGREGATED_EVENTS"], False, True),
    ],
)
def test_features(features: list[str], is_open: bool, acknowledges: bool) -> None:
    state = after(told("config", {"supportedFeatures": features}))
    assert (state.is_open, state.acknowledges) == (is_open, acknowledges)


def test_servers_and_their_counts() -> None:
    def stats(id: str, **counts: int) -> Record:
        namespaces = [{"name": f"/{name}", "socketsCount": number} for name, number in counts.items()]
        return told("server_stats", {"serverId": id, "clientsCount": 2, "namespaces": namespaces})

    state = after(stats("a", chat=1, admin=1), stats("b", chat=2, lab=1), stats("a", chat=3, admin=1))
    assert state.population(AT) == {"/chat": 5, "/lab": 1}
    assert {each.id for each in state.servers(AT)} == {"a", "b"}
    assert state.servers(AT + 20_000_000) == []


@pytest.mark.parametrize(
    ("last", "is_offset"),
    [
        ("Q8CSR3V", True),
        ("Q8CSR3V.0", True),
        ("1795505107167-0", True),
        (f"{AT // 1_000_000:x}aabbccddeeff0011", True),
        ("goodbye", False),
        ("lobby-1", False),
        ("1695505107167-0", False),
        ("ffffffffffffffffffffffff", False),
        ("zzzzzzzzzzzzzzzzzzzzzzzz", False),
        ("", False),
        (7, False),
    ],
)
def test_offsets_are_times(last: Any, is_offset: bool) -> None:
    assert without_offset(["x", last], AT) == (["x"] if is_offset else ["x", last])
    assert without_offset([], AT) == []


def test_changes_of_a_list() -> None:
    view = rooms_view((), None, False)
    before = view(after(told("all_sockets", [described(ANN, "a", "b"), described(BEN, "b")])))
    later = view(after(told("all_sockets", [described(ANN, "a"), described(BEN, "a", "c")])))
    assert [(row["room"], row.get("count")) for row in changes(before, later)] == [
        ("a", 2),
        ("c", 1),
        ("b", None),
    ]
    assert list(changes(before, later))[-1] == {"namespace": "/chat", "room": "b", "gone": True}
    assert list(changes(later, later)) == []
