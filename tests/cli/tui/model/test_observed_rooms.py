from nsroom.record import Record
from nsroom.tui.model.observed_rooms import replace_members
from tests.cli.tui.records import ack, emit, event, observed, packet


def members(*records: Record) -> dict[str, list[str]]:
    rooms = observed(*records).model.namespaces["/chat"].rooms
    return {name: list(room.members) for name, room in rooms.items()}


def joins(sid: str, room: str = "lobby", id: int = 0) -> list[Record]:
    return [emit("join", room, id=id, sid=sid), ack("join", {"ok": True}, id=id, sid=sid)]


def change(sid: str, name: str, room: object = "lobby") -> Record:
    return event(name, {"room": room, "sid": sid}, direction="local", sid=sid)


def test_a_join_counts_when_it_is_acknowledged() -> None:
    asked, answer = joins("abc")
    assert members(asked) == {}
    assert members(asked, answer) == {"lobby": ["abc"]}
    assert members(asked, ack("join", {"error": "full"}, sid="abc")) == {}
    assert members(asked, ack("join", {"ok": True}, sid="other")) == {}
    assert members(emit("join", "lobby", sid="abc")) == {}


def test_leaving_and_the_end_of_a_session() -> None:
    both = [*joins("abc"), *joins("def")]
    left = [emit("leave", "lobby", id=5, sid="abc"), ack("leave", {"ok": True}, id=5, sid="abc")]
    assert members(*both, *left) == {"lobby": ["def"]}
    assert members(*both, packet("close", "local", sid="abc")) == {"lobby": ["def"]}
    assert members(*both, packet("disconnect", sid="def", namespace="/chat")) == {"lobby": ["abc"]}
    assert members(*both, packet("disconnect", sid="def", namespace="/other")) == {"lobby": ["abc", "def"]}


def test_what_the_server_reports() -> None:
    assert members(change("abc", "join-room"), change("abc", "join-room", 7)) == {
        "lobby": ["abc"],
        "7": ["abc"],
    }
    assert members(change("abc", "join-room"), change("abc", "leave-room")) == {}
    assert members(change("abc", "leave-room"), change("abc", "join-room", ["x"])) == {}
    # What a client receives names the member by another sid.
    assert members(event("join-room", {"room": "lobby", "sid": "x"}, sid="abc")) == {}


def test_the_list_of_a_server_replaces_what_was_learned() -> None:
    namespaces = observed(*joins("abc")).model.namespaces
    replace_members(namespaces, {("/lab", "big"): [f"sid-{number}" for number in range(5000)]})
    assert namespaces["/chat"].rooms == {}
    room = namespaces["/lab"].rooms["big"]
    assert (room.count, len(room.members)) == (5000, 1000)
    namespaces.learn(
        event("leave-room", {"room": "big"}, direction="local", namespace="/lab", sid="sid-1"), 9
    )
    assert (room.count, len(room.members)) == (4999, 999)


def test_requests_and_members_are_bounded() -> None:
    namespaces = observed().model.namespaces
    for number in range(12_000):
        namespaces.learn(emit("join", "lobby", id=1, sid=f"{number}"), number)
        if number > 8000:
            namespaces.learn(ack("join", {"ok": True}, id=1, sid=f"{number}"), number)
    assert len(namespaces["/chat"].rooms["lobby"].members) == 1000
    assert len(namespaces.observed._requests) <= 10_000
