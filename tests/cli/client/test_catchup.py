from itertools import count
from typing import Any

import pytest

from nsroom.client.catchup import CatchUp, RoomState, describe
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


def in_room(last: int = 0) -> CatchUp:
    made = CatchUp(count(100), lambda: 7)
    made.on_join(joined(last))
    return made


def ids(records: list[Record]) -> list[int | None]:
    return [record.args[0]["id"] for record in records if record.args]


def shown(rooms: CatchUp, *records: Record) -> list[Record]:
    """Return the records that are shown now."""
    return [record for record in records if rooms.should_show(record)]


def resumed(rooms: CatchUp, join: Emit = JOIN) -> tuple[Json, RoomState]:
    emit, room = rooms.resume(join)
    assert room
    return emit.args[0], room


def test_rooms_of_other_servers_are_not_changed() -> None:
    rooms = CatchUp(count(), lambda: 7)
    rooms.on_join(joined()._replace(args=[{"ok": True, "room": "lobby"}]))
    assert rooms.resume(JOIN) == (JOIN, None)
    records = [live(1), live(1), live(1, event="tick"), live(1, event="tick")]
    assert shown(rooms, *records) == records


def test_rooms_are_limited() -> None:
    rooms = CatchUp(count(), lambda: 7)
    for number in range(1001):
        rooms.on_join(joined(room=str(number)))
    rooms.on_join(joined(room="n" * 1025))
    assert [rooms.resume(Emit("/", "join", [room]))[1] is None for room in ("999", "1000", "n" * 1025)] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("room", [None, 5, ["lobby"], "n" * 1025])
def test_a_message_of_an_odd_room_is_shown(room: Any) -> None:
    record = live(1, room)
    assert shown(in_room(), record, record) == [record, record]


def test_a_message_before_the_answer_to_the_join_counts() -> None:
    rooms = CatchUp(count(100), lambda: 7)
    assert ids(shown(rooms, live(5), live(6), live(9, room="den"))) == [5, 6, 9]
    rooms.on_join(joined(last=4))
    assert resumed(rooms)[0] == {"room": "lobby", "after": 6, "epoch": "e"}
    rooms.on_join(joined(last=8, room="den"))
    assert resumed(rooms, Emit("/", "join", ["den"]))[0] == {"room": "den", "after": 9, "epoch": "e"}


def test_a_second_join_forgets_nothing() -> None:
    rooms = in_room(last=4)
    shown(rooms, live(5))
    rooms.on_join(joined(last=4))
    assert resumed(rooms)[0] == {"room": "lobby", "after": 5, "epoch": "e"}
    rooms = in_room(last=4)
    rooms.on_join(joined(last=1, epoch="other"))
    assert resumed(rooms)[0] == {"room": "lobby", "after": 1, "epoch": "other"}


def test_early_messages_of_a_lost_connection_do_not_count() -> None:
    rooms = CatchUp(count(100), lambda: 7)
    shown(rooms, live(500))
    rooms.interrupt()
    rooms.on_join(joined(last=3))
    assert resumed(rooms)[0] == {"room": "lobby", "after": 3, "epoch": "e"}


def test_a_repeated_join_has_the_last_id_and_the_epoch() -> None:
    rooms = in_room(last=4)
    assert ids(shown(rooms, live(5), live(6), live(9, room="den"))) == [5, 6, 9]
    known = {"room": "lobby", "after": 6, "epoch": "e"}
    assert resumed(rooms)[0] == known
    by_object = Emit("/", "join", [{"room": "lobby", "nick": "ann"}])
    assert resumed(rooms, by_object)[0] == {"nick": "ann", **known}
    assert rooms.resume(Emit("/chat", "join", ["lobby"]))[1] is None


def test_missed_messages_come_before_live_ones() -> None:
    rooms = in_room()
    shown(rooms, live(1))
    _, room = resumed(rooms)
    rooms.on_join(joined(4))
    assert shown(rooms, live(4), live(5), live(None)) == []
    replayed = rooms.replay(room, page(2, 3, 4))
    assert replayed[0] == live(2, time=7, seq=100, data={"replayed": True})
    assert ids(replayed) == [2, 3, 4]
    released = rooms.release(room)
    assert ids(released) == [5, None]
    assert [record.seq for record in released] == [103, 104]
    assert ids(shown(rooms, live(4), live(6), live(None))) == [6, None]
    assert room.summary == {"namespace": "/", "room": "lobby", "replayed": 3, "unknown": None}
    assert resumed(rooms)[0]["after"] == 6


def test_only_messages_are_held() -> None:
    rooms = in_room()
    resumed(rooms)
    others = [live(1, event="hi"), live(1, direction=Direction.OUT), live(1, args=["x"]), live(1, args=[])]
    assert shown(rooms, *others) == others


def test_missed_messages_may_need_several_pages() -> None:
    rooms = in_room()
    _, room = resumed(rooms)
    assert rooms.next_page(room, first := page(1, 2, last=3)) == Emit(
        "/", "history", [{"room": "lobby", "after": 2, "epoch": "e"}]
    )
    second = page(3, 4, last=4)
    assert ids(rooms.replay(room, first) + rooms.replay(room, second)) == [1, 2, 3, 4]
    assert rooms.next_page(room, second) is None
    assert rooms.next_page(room, page(last=9)) is None


def test_another_store_starts_over() -> None:
    rooms = in_room(last=50)
    _, room = resumed(rooms)
    assert ids(rooms.replay(room, page(1, 2, epoch="f", gap="epoch"))) == [1, 2]
    assert (room.epoch, room.last_id, room.unknown) == ("f", 2, "epoch")
    rooms.release(room)
    assert resumed(rooms)[0] == {"room": "lobby", "after": 2, "epoch": "f"}
    assert room.unknown is None


def test_a_gap_in_the_history_is_reported() -> None:
    rooms = in_room(last=2)
    _, room = resumed(rooms)
    rooms.replay(room, page(8, 9, gap="trimmed"))
    assert describe([room]) == ("2 missed messages of lobby are shown now; messages in lobby may be missing")
    for answer, reason in (({"error": "draining"}, "draining"), (None, "no answer"), ("x", "no answer")):
        _, room = resumed(rooms)
        assert rooms.replay(room, answer) == []
        assert room.unknown == reason
    assert describe([]) == ""


def test_a_second_lost_connection_keeps_every_message_once_and_in_order() -> None:
    rooms = in_room()
    shown(rooms, live(1))
    resumed(rooms)
    shown(rooms, live(5), live(None))
    rooms.interrupt()
    fields, room = resumed(rooms)
    assert fields["after"] == 1
    assert ids(rooms.replay(room, page(2, 3, 4, 5, 6))) == [2, 3, 4, 5, 6]
    assert ids(shown(rooms, live(7)) + rooms.release(room)) == [None, 7]


def test_held_messages_are_shown_without_an_answer() -> None:
    rooms = in_room()
    resumed(rooms)
    shown(rooms, live(5))
    rooms.interrupt()
    resumed(rooms)
    shown(rooms, live(8))
    assert ids(rooms.release_all()) == [5, 8]
    assert rooms.release_all() == []


def test_a_room_joined_again_is_live() -> None:
    rooms = in_room()
    resumed(rooms)
    shown(rooms, live(5))
    rooms.interrupt()
    rooms.on_join(joined(7))
    assert ids(shown(rooms, live(8))) == [8]
    assert ids(rooms.release_all()) == [5]


def test_unresolved_messages_are_limited() -> None:
    rooms = in_room()
    for _ in range(3):
        resumed(rooms)
        shown(rooms, *[live(number) for number in range(1, 9000)])
        rooms.interrupt()
    assert len(rooms.release_all()) == 10_000


def test_unresolved_messages_come_before_those_of_another_store() -> None:
    rooms = in_room(last=4)
    resumed(rooms)
    shown(rooms, live(6))
    rooms.interrupt()
    _, room = resumed(rooms)
    shown(rooms, live(3))
    assert ids(rooms.replay(room, page(1, 2, epoch="f", gap="epoch"))) == [6, 1, 2]
    assert ids(rooms.release(room)) == [3]


def test_a_hostile_answer_is_harmless() -> None:
    rooms = in_room()
    _, room = resumed(rooms)
    assert rooms.replay(room, {"history": [None, {"id": "x"}, []], "epoch": "e", "gap": None}) == []


def test_a_live_message_after_a_hole_waits_for_the_missing_ones() -> None:
    gaps: list[RoomState] = []
    rooms = CatchUp(count(100), lambda: 7, gaps.append)
    rooms.on_join(joined(3))
    assert ids(shown(rooms, live(4), live(7), live(8))) == [4]
    [room] = gaps
    assert rooms.missing(room) == Emit("/", "history", [{"room": "lobby", "after": 4, "epoch": "e"}])
    assert ids(rooms.replay(room, page(5, 6, 7, last=8))) == [5, 6, 7]
    assert ids(rooms.release(room)) == [8]
    assert (room.last_id, room.replayed_count, room.unknown) == (8, 3, None)


@pytest.mark.parametrize("forged", [40, 2**53 - 1])
def test_a_forged_id_skips_no_real_message(forged: int) -> None:
    rooms = in_room(20)
    assert shown(rooms, live(forged)) == []
    rooms.interrupt()
    _, room = resumed(rooms)
    assert room.last_id == 20
    rooms.replay(room, page(last=20))
    assert ids(rooms.release(room)) == [forged]
    assert ids(shown(rooms, *map(live, range(21, 24)))) == [21, 22, 23]
    assert room.last_id == 23
    early = CatchUp(count(100), lambda: 7)
    early.should_show(live(forged))
    early.on_join(joined(20))
    assert resumed(early)[0]["after"] == 20


@pytest.mark.parametrize("number", [-5, 0, True, 2.5, None])
def test_odd_ids_do_not_count(number: Any) -> None:
    rooms = in_room(20)
    assert len(shown(rooms, live(number))) == 1
    assert resumed(rooms)[0]["after"] == 20


def after_a_failed_catch_up(last: int, *after_hole: Record) -> tuple[CatchUp, list[RoomState]]:
    """Return rooms that showed messages after a hole without the missing ones, and the rooms asked for."""
    asked: list[RoomState] = []
    rooms = CatchUp(count(100), lambda: 7, asked.append)
    rooms.on_join(joined(last))
    assert shown(rooms, *after_hole) == []
    assert rooms.replay(asked[0], {"error": "history_unavailable"}) == []
    assert len(rooms.release(asked[0])) == len(after_hole)
    return rooms, asked


def test_a_message_that_was_shown_after_a_hole_is_not_replayed() -> None:
    rooms, asked = after_a_failed_catch_up(10, live(13))
    assert shown(rooms, live(14)) == []
    assert ids(rooms.replay(asked[1], page(11, 12, 13, 14))) == [11, 12, 14]
    assert rooms.release(asked[1]) == []
    assert ids(shown(rooms, live(15))) == [15]


def test_a_forged_message_after_a_hole_does_not_hide_the_real_one() -> None:
    rooms, asked = after_a_failed_catch_up(10, live(12)._replace(args=[{**body(12), "text": "forged"}]))
    assert shown(rooms, live(13)) == []
    replayed = rooms.replay(asked[1], page(11, 12, 13))
    assert [each.args[0]["text"] for each in replayed if each.args] == ["text 11", "text 12", "text 13"]
