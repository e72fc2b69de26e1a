"""The state of an admin namespace, after events as real servers send them."""

from typing import Any

import pytest

from nsroom.introspection.admin.state import State
from nsroom.record import Direction, Kind, Record, parse_time

AT = parse_time("2026-11-24T07:25:07.167Z")
JS = "2026-11-24T07:25:07.167Z"
PY = "2026-11-24T07:25:07.342853+00:00"
ANN, BEN, ADMIN = "Z_f_6lFdurF0Yv3kAAAC", "xy3O9l6WuZf9R3pbAAAD", "SYtngH3Wl73H9N4bAAAB"
ACTIONS = ["EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"]
NODE = [*ACTIONS, "AGGREGATED_EVENTS", "ALL_EVENTS"]
PYTHON = ["AGGREGATED_EVENTS", *ACTIONS, "ALL_EVENTS"]


def sent(event: str, *args: Any, offset: str | None = None) -> Record:
    """Return the record of an event of the admin namespace."""
    data = {"offset": offset} if offset else None
    return Record(AT, 1, Direction.IN, Kind.EVENT, "/admin", event=event, args=list(args), data=data)


def connecting() -> Record:
    return Record(AT, 1, Direction.OUT, Kind.CONNECT, "/admin")


def described(sid: str, *rooms: str | int, namespace: str = "/chat", time: str = JS) -> dict[str, Any]:
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
    """Return the state after these records."""
    state = State()
    for record in records:
        state.feed(record)
    return state


def rooms_of(state: State) -> dict[tuple[str, str], list[str]]:
    return {key: [socket.sid for socket in members] for key, members in state.rooms().items()}


def test_the_list_of_sockets() -> None:
    state = after(sent("all_sockets", [described(ANN, "lobby"), described(BEN, "lobby", "ops")]))
    assert state.listed
    assert rooms_of(state) == {("/chat", "lobby"): [ANN, BEN], ("/chat", "ops"): [BEN]}


def test_rooms_that_are_a_socket_s_own_are_hidden_unless_all_are_asked_for() -> None:
    state = after(sent("all_sockets", [described(ANN), described(ADMIN, namespace="/admin")]))
    assert state.rooms() == {}
    assert list(state.rooms(all=True)) == [("/admin", ADMIN), ("/chat", ANN)]
    assert [each.sid for each in state.select()] == [ANN]
    assert [each.sid for each in state.select(["/admin"])] == [ADMIN]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([sent("room_joined", "/chat", "lobby", ANN, JS)], {("/chat", "lobby"): [ANN]}),
        (
            [
                sent("room_joined", "/chat", "lobby", ANN, JS),
                sent("room_left", "/chat", "lobby", ANN, JS),
            ],
            {},
        ),
        ([sent("socket_disconnected", "/chat", ANN, "transport close", JS)], {}),
        # Two seconds late: the socket has disconnected by then.
        (
            [
                sent("socket_disconnected", "/chat", ANN, "client disconnect", PY),
                sent("room_joined", "/chat", "lobby", ANN, PY),
            ],
            {},
        ),
        # A list that was made before it left.
        (
            [
                sent("socket_disconnected", "/chat", ANN, "client disconnect", JS),
                sent("all_sockets", [described(ANN, "lobby")]),
            ],
            {},
        ),
        # Recovered: the same sid comes back.
        (
            [
                sent("socket_disconnected", "/chat", ANN, "transport close", JS),
                sent("socket_connected", described(ANN, "lobby"), JS),
            ],
            {("/chat", "lobby"): [ANN]},
        ),
        # The list was lost: sockets are known from their events.
        ([sent("room_joined", "/chat", "lobby", BEN, PY)], {("/chat", "lobby"): [BEN]}),
        # A new connection starts with nothing.
        ([sent("room_joined", "/chat", "lobby", ANN, JS), connecting()], {}),
    ],
)
def test_rooms_follow_the_events(records: list[Record], expected: dict[Any, Any]) -> None:
    assert rooms_of(after(connecting(), sent("all_sockets", [described(ANN)]), *records)) == expected


def test_python_does_not_report_that_a_refused_socket_disconnected() -> None:
    left = [sent("room_left", "/chat", room, ANN, PY) for room in (ANN, "lobby")]
    state = after(sent("socket_connected", described(ANN, "lobby", time=PY), PY), *left)
    assert state.select() == []


def test_a_node_socket_may_leave_its_own_room() -> None:
    state = after(sent("all_sockets", [described(ANN)]), sent("room_left", "/chat", ANN, ANN, JS))
    assert [each.sid for each in state.select()] == [ANN]


def test_events_before_the_connect_reply_count() -> None:
    reply = Record(AT, 1, Direction.IN, Kind.CONNECT, "/admin", sid=ADMIN)
    state = after(connecting(), sent("config", {"supportedFeatures": NODE}), reply)
    assert state.reports_sockets


def event(record: Record) -> tuple[Any, ...]:
    return record.direction, record.kind, record.namespace, record.sid, record.event, record.args


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            sent("event_received", "/chat", ANN, ["say", "hi", 7], JS),
            ("out", "event", "/chat", ANN, "say", ["hi", 7]),
        ),
        (
            sent("event_sent", "/chat", ANN, ["echo", "x"], JS),
            ("in", "event", "/chat", ANN, "echo", ["x"]),
        ),
        (
            sent("event_sent", "/chat", ANN, ["echo", "x", "Q8CSR3V.0"], JS, offset="Q8CSR3V.1"),
            ("in", "event", "/chat", ANN, "echo", ["x"]),
        ),
        # Volatile, or with an acknowledgement: nothing was added.
        (
            sent("event_sent", "/chat", ANN, ["echo", "goodbye"], JS, offset="Q8CSR3V.1"),
            ("in", "event", "/chat", ANN, "echo", ["goodbye"]),
        ),
        (
            sent("event_sent", "/chat", ANN, ["echo", "Q8CSR3V"], JS),
            ("in", "event", "/chat", ANN, "echo", ["Q8CSR3V"]),
        ),
        (sent("event_sent", "/chat", BEN, ["bare", None], PY), ("in", "event", "/chat", BEN, "bare", [])),
        (
            sent("event_sent", "/chat", BEN, ["bare", None], JS),
            ("in", "event", "/chat", BEN, "bare", [None]),
        ),
        (
            sent("room_joined", "/chat", "lobby", ANN, JS),
            ("local", "event", "/chat", ANN, "join-room", [{"room": "lobby", "sid": ANN}]),
        ),
        (
            sent("room_left", "/chat", "lobby", ANN, JS),
            ("local", "event", "/chat", ANN, "leave-room", [{"room": "lobby", "sid": ANN}]),
        ),
        (sent("socket_connected", described(ANN), JS), ("in", "connect", "/chat", ANN, None, None)),
        (
            sent("socket_disconnected", "/chat", ANN, "why", JS),
            ("in", "disconnect", "/chat", ANN, None, None),
        ),
    ],
)
def test_actions_of_sockets_become_records(record: Record, expected: tuple[Any, ...]) -> None:
    [made] = State().feed(record)
    assert event(made) == expected
    assert made.time in (parse_time(JS), parse_time(PY))


@pytest.mark.parametrize(
    "record",
    [
        sent("session", "85213e60428fafb3"),
        sent("room_joined", "/chat", ANN, ANN, JS),
        sent("config"),
        sent("config", {"supportedFeatures": 7}),
        sent("all_sockets", [1, {"id": 7}, {}]),
        sent("socket_connected"),
        sent("socket_updated", {"id": "unknown", "nsp": "/"}),
        sent("event_sent", "/chat", ANN, [], JS),
        sent("event_sent", "/chat", ANN, [["a"], 1], JS),
        sent("event_received", "/chat", ANN, [True], JS),
        sent("event_received", 7),
        sent("server_stats", {"serverId": "a", "clientsCount": "b"}),
        sent("unknown", 1),
    ],
)
def test_other_events_are_not_recorded(record: Record) -> None:
    assert State().feed(record) == []


def test_heartbeats_of_python_are_not_connects() -> None:
    first, later = "2026-11-24T07:12:20.469700+00:00", "2026-11-24T07:12:23.471497+00:00"
    arrived = sent("socket_connected", described(BEN, time=first), first)
    heartbeat = sent("socket_connected", described(BEN, "lobby", time=first), later)
    assert [made.kind for made in State().feed(arrived)] == ["connect"]
    state = State()
    assert state.feed(heartbeat) == []
    assert rooms_of(state) == {("/chat", "lobby"): [BEN]}


def test_a_socket_is_updated() -> None:
    state = after(
        sent("all_sockets", [described(ANN)]),
        sent("socket_updated", {"id": ANN, "nsp": "/chat", "transport": "polling"}),
        sent("socket_updated", {"id": ANN, "nsp": "/chat", "data": {"name": "ann"}}),
    )
    [socket] = state.select()
    assert (socket.transport, socket.data) == ("polling", {"name": "ann"})


@pytest.mark.parametrize(
    ("features", "reports_sockets", "is_python"),
    [
        (NODE, True, False),
        (PYTHON, True, True),
        (NODE[:-1], False, False),
        (PYTHON[:-1], False, True),
        (["AGGREGATED_EVENTS"], False, True),
    ],
)
def test_features(features: list[str], reports_sockets: bool, is_python: bool) -> None:
    state = after(sent("config", {"supportedFeatures": features}))
    assert (state.reports_sockets, state.is_python) == (reports_sockets, is_python)


def test_servers_and_their_counts() -> None:
    def stats(id: str, **counts: int) -> Record:
        namespaces = [{"name": f"/{name}", "socketsCount": number} for name, number in counts.items()]
        return sent("server_stats", {"serverId": id, "clientsCount": 2, "namespaces": namespaces})

    state = after(stats("a", chat=1, admin=1), stats("b", chat=2, lab=1), stats("a", chat=3, admin=1))
    assert state.socket_counts(AT) == {"/chat": 5, "/lab": 1}
    assert {each.id for each in state.servers(AT)} == {"a", "b"}
    assert state.servers(AT + 20_000_000) == []
