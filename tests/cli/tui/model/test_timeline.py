import pytest

from nsroom.tui.model.model import Model
from nsroom.tui.model.timeline import Timeline
from tests.cli.tui.records import ack, emit, event, packet


def members(timeline: Timeline, index: int) -> set[str]:
    room = timeline.after(index).namespaces["/chat"].rooms.get("lobby")
    return set(room.members.values()) if room else set()


def arrival(nick: str, change: str = "join-room") -> object:
    return event(change, {"room": "lobby", "sid": f"sid-{nick}", "nick": nick})


def read(*records: object, capacity: int = 100_000, relayed: bool = False) -> Timeline:
    made = Model(capacity=capacity, relayed=relayed)
    timeline = Timeline(made)
    for record in records:
        made.add(record)  # type: ignore[arg-type]
        timeline.keep()
        timeline.drop(made.trim())
    return timeline


def test_who_was_in_a_room_at_a_record() -> None:
    timeline = read(arrival("ann"), arrival("bob"), arrival("ann", "leave-room"), arrival("cat"))
    expected = [{"ann"}, {"ann", "bob"}, {"bob"}, {"bob", "cat"}]
    for index in (3, 0, 1, 2, 2, 3, 1, 0):
        assert members(timeline, index) == expected[index]


def test_a_long_recording_is_learned_from_the_nearest_copy() -> None:
    records = [
        arrival(f"{number % 50}", "leave-room" if number % 3 else "join-room") for number in range(9000)
    ]
    timeline, other = read(*records), read(*records)
    for index in (8999, 4095, 4096, 8191, 8192, 0):
        assert members(timeline, index) == members(Timeline(other._model), index)


def test_dropped_records_are_still_known() -> None:
    records = [arrival("ann"), *(event("tick") for _ in range(30_000)), arrival("bob")]
    timeline = read(*records, capacity=5000)
    first = timeline._model.ring.first
    assert first > 20_000
    assert members(timeline, first) == {"ann"}
    assert members(timeline, 30_001) == {"ann", "bob"}
    assert members(timeline, first) == {"ann"}


@pytest.mark.no_cover
def test_copies_are_bounded() -> None:
    many = [
        event("join-room", {"room": f"room-{number}", "sid": "x"}, namespace=f"/{number % 99}")
        for number in range(30_000)
    ]
    timeline = read(*many)
    assert sum(each.size for each in timeline._copies) <= 40_000_000
    assert "room-0" in timeline.after(29_999).namespaces["/0"].rooms


def test_clients_and_our_own_joins() -> None:
    timeline = read(packet("open", sid="a"), packet("close", "local", sid="a"), relayed=True)
    clients = timeline.after(0).clients
    assert clients
    assert clients.count_connected(0) == 1
    clients = timeline.after(1).clients
    assert clients
    assert clients.count_connected(0) == 0
    own = read(emit("join", "lobby", id=1), ack("join", {"ok": True}, id=1))
    assert own.after(0).namespaces["/chat"].rooms["lobby"].asked
    assert own.after(1).namespaces["/chat"].rooms["lobby"].joined
