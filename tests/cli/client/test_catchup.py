from itertools import count
from typing import Any

from nsroom.client.catchup import Attendance, Place, describe
from nsroom.client.events import Emit
from nsroom.record import Direction, Json, Kind, Record

JOIN = Emit("/", "join", ["lobby"])


def body(number: int | None, room: str = "lobby") -> dict[str, Json]:
    return {"id": number, "room": room, "text": f"text {number}"}


def live(number: int | None, room: str = "lobby", **fields: Any) -> Record:
    made = Record(1, 1, Direction.IN, Kind.EVENT, "/", event="message", args=[body(number, room)])
    return made._replace(**fields)


def joined(last: int = 0, room: str = "lobby", epoch: str = "e") -> Record:
    answer = {"ok": True, "room": room, "members": [], "history": [], "epoch": epoch, "last": last}
    return Record(1, 1, Direction.IN, Kind.ACK, "/", 1, "join", [{**answer, "gap": None, "count": 1}])


def page(*numbers: int, last: int | None = None, epoch: str = "e", gap: str | None = None) -> dict[str, Json]:
    last = max(numbers, default=0) if last is None else last
    return {"ok": True, "history": [body(n) for n in numbers], "last": last, "epoch": epoch, "gap": gap}


def attendance(last: int = 0) -> Attendance:
    made = Attendance(count(100), lambda: 7)
    made.joined(joined(last))
    return made


def ids(records: list[Record]) -> list[int | None]:
    return [record.args[0]["id"] for record in records if record.args]


def sifted(rooms: Attendance, *records: Record) -> list[Record]:
    """Give those that are to be shown now."""
    return [record for record in records if rooms.is_due(record)]


def again(rooms: Attendance, join: Emit = JOIN) -> tuple[Json, Place]:
    emit, place = rooms.again(join)
    assert place
    return emit.args[0], place


def test_other_servers_rooms_are_left_alone() -> None:
    rooms = Attendance(count(), lambda: 7)
    rooms.joined(joined()._replace(args=[{"ok": True, "room": "lobby"}]))
    assert rooms.again(JOIN) == (JOIN, None)
    records = [live(1), live(1), live(1, event="tick"), live(1, event="tick")]
    assert sifted(rooms, *records) == records


def test_a_message_that_overtakes_the_answer_to_the_join_is_known() -> None:
    rooms = Attendance(count(100), lambda: 7)
    assert ids(sifted(rooms, live(5), live(6), live(9, room="den"))) == [5, 6, 9]
    rooms.joined(joined(last=4))
    assert again(rooms)[0] == {"room": "lobby", "after": 6, "epoch": "e"}
    rooms.joined(joined(last=8, room="den"))
    assert again(rooms, Emit("/", "join", ["den"]))[0] == {"room": "den", "after": 9, "epoch": "e"}


def test_a_second_join_forgets_nothing() -> None:
    rooms = attendance(last=4)
    sifted(rooms, live(5))
    rooms.joined(joined(last=4))
    assert again(rooms)[0] == {"room": "lobby", "after": 5, "epoch": "e"}
    rooms = attendance(last=4)
    rooms.joined(joined(last=1, epoch="other"))
    assert again(rooms)[0] == {"room": "lobby", "after": 1, "epoch": "other"}


def test_what_came_over_a_lost_connection_says_nothing_of_the_next() -> None:
    rooms = Attendance(count(100), lambda: 7)
    sifted(rooms, live(500))
    rooms.interrupt()
    rooms.joined(joined(last=3))
    assert again(rooms)[0] == {"room": "lobby", "after": 3, "epoch": "e"}


def test_a_join_is_repeated_with_what_is_known() -> None:
    rooms = attendance(last=4)
    assert ids(sifted(rooms, live(5), live(6), live(9, room="den"))) == [5, 6, 9]
    known = {"room": "lobby", "after": 6, "epoch": "e"}
    assert again(rooms)[0] == known
    by_object = Emit("/", "join", [{"room": "lobby", "nick": "ann"}])
    assert again(rooms, by_object)[0] == {"nick": "ann", **known}
    assert rooms.again(Emit("/chat", "join", ["lobby"]))[1] is None


def test_what_was_missed_comes_before_what_is_live() -> None:
    rooms = attendance()
    sifted(rooms, live(1))
    _, place = again(rooms)
    rooms.joined(joined(4))
    assert sifted(rooms, live(4), live(5), live(None)) == []
    replayed = rooms.replay(place, page(2, 3, 4))
    assert replayed[0] == live(2, time=7, seq=100, data={"replayed": True})
    assert ids(replayed) == [2, 3, 4]
    released = rooms.release(place)
    assert ids(released) == [5, None]
    assert [record.seq for record in released] == [103, 104]
    assert ids(sifted(rooms, live(4), live(6), live(None))) == [6, None]
    assert place.summary == {"namespace": "/", "room": "lobby", "replayed": 3, "unknown": None}
    assert again(rooms)[0]["after"] == 6


def test_only_messages_are_held() -> None:
    rooms = attendance()
    again(rooms)
    others = [live(1, event="hi"), live(1, direction=Direction.OUT), live(1, args=["x"]), live(1, args=[])]
    assert sifted(rooms, *others) == others


def test_what_was_missed_may_take_several_answers() -> None:
    rooms = attendance()
    _, place = again(rooms)
    assert rooms.further(place, first := page(1, 2, last=3)) == Emit(
        "/", "history", [{"room": "lobby", "after": 2, "epoch": "e"}]
    )
    second = page(3, 4, last=4)
    assert ids(rooms.replay(place, first) + rooms.replay(place, second)) == [1, 2, 3, 4]
    assert rooms.further(place, second) is None
    assert rooms.further(place, page(last=9)) is None


def test_another_store_begins_anew() -> None:
    rooms = attendance(last=50)
    _, place = again(rooms)
    assert ids(rooms.replay(place, page(1, 2, epoch="f", gap="epoch"))) == [1, 2]
    assert (place.epoch, place.last, place.unknown) == ("f", 2, "epoch")
    rooms.release(place)
    assert again(rooms)[0] == {"room": "lobby", "after": 2, "epoch": "f"}
    assert place.unknown is None


def test_what_is_not_known_is_said() -> None:
    rooms = attendance(last=2)
    _, place = again(rooms)
    rooms.replay(place, page(8, 9, gap="trimmed"))
    assert describe([place]) == (
        "2 missed messages of lobby are shown now; what was said in lobby is not known whole"
    )
    for answer, reason in (({"error": "draining"}, "draining"), (None, "no answer"), ("x", "no answer")):
        _, place = again(rooms)
        assert rooms.replay(place, answer) == []
        assert place.unknown == reason
    assert describe([]) == ""


def test_a_second_cut_loses_and_doubles_nothing_and_keeps_the_order() -> None:
    rooms = attendance()
    sifted(rooms, live(1))
    again(rooms)
    sifted(rooms, live(5), live(None))
    rooms.interrupt()
    fields, place = again(rooms)
    assert fields["after"] == 1
    assert ids(rooms.replay(place, page(2, 3, 4, 5, 6))) == [2, 3, 4, 5, 6]
    assert ids(sifted(rooms, live(7)) + rooms.release(place)) == [None, 7]


def test_what_waited_is_shown_when_there_is_no_answer() -> None:
    rooms = attendance()
    again(rooms)
    sifted(rooms, live(5))
    rooms.interrupt()
    again(rooms)
    sifted(rooms, live(8))
    assert ids(rooms.give_up()) == [5, 8]
    assert rooms.give_up() == []


def test_a_room_that_is_joined_anew_waits_for_nothing() -> None:
    rooms = attendance()
    again(rooms)
    sifted(rooms, live(5))
    rooms.interrupt()
    rooms.joined(joined(7))
    assert ids(sifted(rooms, live(8))) == [8]
    assert ids(rooms.give_up()) == [5]


def test_what_waits_for_the_next_connection_is_bounded() -> None:
    rooms = attendance()
    for _ in range(3):
        again(rooms)
        sifted(rooms, *[live(number) for number in range(1, 9000)])
        rooms.interrupt()
    assert len(rooms.give_up()) == 10_000


def test_what_waited_is_shown_before_another_store() -> None:
    rooms = attendance(last=4)
    again(rooms)
    sifted(rooms, live(6))
    rooms.interrupt()
    _, place = again(rooms)
    sifted(rooms, live(3))
    assert ids(rooms.replay(place, page(1, 2, epoch="f", gap="epoch"))) == [6, 1, 2]
    assert ids(rooms.release(place)) == [3]


def test_a_hostile_answer_is_harmless() -> None:
    rooms = attendance()
    _, place = again(rooms)
    assert rooms.replay(place, {"history": [None, {"id": "x"}, []], "epoch": "e", "gap": None}) == []
