import pytest

from nsroom.record import Record
from nsroom.tui.model.namespaces import Namespaces, State
from tests.cli.tui.records import NOON, ack, emit, event, message, observed, packet


def learned(*records: Record, current: str = "/chat", room: str = "") -> Namespaces:
    spaces = Namespaces()
    spaces.current, spaces.room = current, room
    for index, record in enumerate(records):
        spaces.learn(record, index)
    return spaces


def test_the_states_of_namespaces() -> None:
    spaces = learned(
        packet("connect", sid="abc"),
        packet("connect_error", namespace="/secret", message="no"),
        packet("connect", namespace="/news", sid="def"),
        packet("disconnect", namespace="/news"),
    )
    states = {name: space.state for name, space in spaces.by_name.items()}
    assert states == {"/chat": State.CONNECTED, "/secret": State.REFUSED, "/news": State.DISCONNECTED}
    assert spaces["/chat"].sid == "abc"
    assert spaces.state is State.CONNECTED


def test_a_lost_connection_and_the_next_attempt() -> None:
    spaces = learned(
        packet("connect", sid="abc"),
        emit("join", "lobby", id=0),
        ack("join", {"room": "lobby", "members": [{"sid": "abc"}]}, id=0),
        packet("close", "local"),
        packet("reconnect", "local", time=NOON, data={"attempt": 2, "delay_ms": 500}),
    )
    assert (spaces.state, spaces.attempt, spaces.retry_at) == (State.CONNECTING, 2, NOON + 500_000)
    room = spaces["/chat"].rooms["lobby"]
    assert (room.joined, room.count, room.members) == (False, None, {})


def test_reading_a_namespace_does_not_add_it() -> None:
    spaces = Namespaces()
    assert spaces["/never"].rooms == {}
    assert spaces.by_name == {}


def test_unread_events_of_other_namespaces() -> None:
    spaces = learned(event("a"), event("b", namespace="/news"), event("c", namespace="/news"))
    assert (spaces["/chat"].unread, spaces["/news"].unread) == (0, 2)


def test_unread_messages_of_other_rooms() -> None:
    spaces = learned(message("ops", "ann", "hi"), message("lobby", "ann", "hi"), room="lobby")
    assert spaces["/chat"].rooms["ops"].unread == 1
    assert spaces["/chat"].rooms["lobby"].unread == 0


@pytest.mark.parametrize(
    ("asked", "answer", "state"),
    [
        ("lobby", {"ok": True}, (True, False, False)),
        ({"room": "lobby", "nick": "me"}, {"ok": True}, (True, False, False)),
        ({"table": "lobby"}, "fine", (True, False, False)),
        ("lobby", {"error": "too_many"}, (False, False, True)),
        ("lobby", None, (False, True, False)),
    ],
)
def test_a_join(asked: object, answer: object, state: tuple[bool, bool, bool]) -> None:
    answers = [] if answer is None else [ack("join", answer, id=7)]
    room = learned(emit("join", asked, id=7), *answers)["/chat"].rooms["lobby"]
    assert (room.joined, room.asked, room.refused) == state


def test_a_join_of_another_convention() -> None:
    spaces = Namespaces()
    spaces.joins |= {"enter"}
    for index, record in enumerate([emit("enter", "42", id=1), ack("enter", id=1)]):
        spaces.learn(record, index)
    assert spaces["/chat"].rooms["42"].joined


def test_leaving() -> None:
    spaces = learned(
        emit("join", "lobby", id=1), ack("join", id=1), emit("leave", "lobby", id=2), ack("leave", id=2)
    )
    assert spaces["/chat"].rooms == {}


def test_members_join_and_leave() -> None:
    spaces = learned(
        event("join-room", {"room": "lobby", "sid": "s1", "nick": "ann", "members": 1}),
        event("join-room", {"room": "lobby", "sid": "s2", "nick": "bob", "members": 2}),
        event("leave-room", {"room": "lobby", "sid": "s1", "nick": "ann", "members": 1}),
    )
    room = spaces["/chat"].rooms["lobby"]
    assert (room.members, room.count) == ({"s2": "bob"}, 1)
    assert list(spaces.sids) == ["s2", "s1"]


def test_a_deleted_room() -> None:
    spaces = learned(event("create-room", {"room": "x"}), event("delete-room", {"room": "x"}))
    assert spaces["/chat"].rooms == {}


def test_the_answer_to_rooms() -> None:
    rooms = [{"room": "a", "count": 2, "members": [{"sid": "s1", "nick": "ann"}, {"sid": "s2"}]}, "?", {}]
    room = learned(ack("rooms", {"ok": True, "rooms": rooms}))["/chat"].rooms["a"]
    assert (room.count, room.members) == (2, {"s1": "ann", "s2": "s2"})


@pytest.mark.parametrize(
    "record",
    [
        event("join-room", {"room": ["no"]}),
        event("join-room", {"room": "", "members": "many"}),
        event("join-room", None),
        event("message", {"room": "x" * 5000}),
        emit("join"),
        emit("join", {"room": 1}),
        ack("join", {"room": 5, "members": [1, 2]}),
        ack("rooms", {"rooms": "none"}),
        ack("rooms", {"rooms": [{"room": "a", "members": 1}]}),
        packet("reconnect", "local", data={"attempt": "x", "delay_ms": None}),
        packet("reconnect", "local"),
    ],
)
def test_unexpected_arguments_are_ignored(record: Record) -> None:
    assert learned(record)["/chat"].rooms == {}


def test_the_number_of_names_is_limited() -> None:
    spaces = learned(
        *(event(f"e{n}", {"room": f"r{n}"}, namespace=f"/{n % 2}") for n in range(3000)),
        *(event("e", namespace=f"/n{n}") for n in range(3000)),
    )
    assert len(spaces.by_name) == 1000
    assert max(len(space.rooms) for space in spaces.by_name.values()) <= 1000
    assert max(len(space.events) for space in spaces.by_name.values()) <= 1000


def test_observed_namespaces_have_no_sid() -> None:
    connected = packet("connect", sid="abc", data={"sid": "nsp-sid"})
    refusals = [packet("connect_error", namespace=name, sid="abc") for name in ("/secret", "/chat")]
    spaces = observed(connected, *refusals, packet("close", "local", sid="abc")).model.namespaces
    assert spaces["/chat"].sid is None
    assert {name: space.state for name, space in spaces.by_name.items()} == {
        "/chat": State.CONNECTED,
        "/secret": State.REFUSED,
    }


def test_rooms_that_other_clients_join_are_not_ours() -> None:
    joining = emit("join", "lobby", id=0, sid="abc")
    answer = ack("join", {"room": "lobby", "members": [{"sid": "x"}]}, id=0, sid="abc")
    spaces = observed(joining, answer, event("join-room", {"room": "ops"}, sid="abc")).model.namespaces
    assert {name: room.joined for name, room in spaces["/chat"].rooms.items()} == {"lobby": False}


def test_the_connection_that_reports_other_clients() -> None:
    closed, retry = packet("close", "local"), packet("reconnect", "local", data={"attempt": 2, "delay_ms": 9})
    spaces = observed(packet("connect", sid="abc"), closed, retry).model.namespaces
    assert (spaces.state, spaces.attempt) == (State.CONNECTING, 2)
    spaces.learn(packet("gap", "local"), 9)
    assert (spaces.state, spaces.attempt) == (State.CONNECTED, 0)


def test_a_disconnect_with_a_reason_is_a_refusal() -> None:
    spaces = learned(
        packet("connect", sid="abc"),
        packet("disconnect", namespace="/chat", message="no token", data={"message": "no token"}),
    )
    assert (spaces["/chat"].state, spaces["/chat"].reason) == (State.REFUSED, "no token")
