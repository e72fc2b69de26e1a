"""Names of rooms: numbers and texts told apart, and the order of lists."""

import random

import pytest

from nsroom.output.room_names import Room, find_room, is_named, parse_room, room_order, room_text
from nsroom.record import Json


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ("lobby", "lobby"),
        ("42", '"42"'),
        (42, "42"),
        (4.5, "4.5"),
        ("4.5", '"4.5"'),
        ("-1e3", '"-1e3"'),
        ("42a", "42a"),
        ("", ""),
        ('"42"', '"42"'),
        ("٤٢", "٤٢"),
    ],
)
def test_a_text_that_looks_like_a_number_is_quoted(room: Room, text: str) -> None:
    assert room_text(room) == text


@pytest.mark.parametrize(
    ("name", "rooms", "found"),
    [
        ("42", [42, "42"], 42),
        ('"42"', [42, "42"], "42"),
        ("42", ["42"], "42"),
        ("42", [42], 42),
        ("42", [], "42"),
        ('"42"', [42], '"42"'),
        ("lobby", ["lobby", 42], "lobby"),
    ],
)
def test_a_user_names_a_room_as_it_is_listed(name: str, rooms: list[Room], found: Room) -> None:
    assert find_room(name, rooms) == found
    assert type(find_room(name, rooms)) is type(found)


def test_a_name_may_mean_several_rooms() -> None:
    assert [is_named("42", room) for room in (42, "42", 4, "lobby")] == [True, True, False, False]
    assert [is_named('"42"', room) for room in (42, "42")] == [False, True]


@pytest.mark.parametrize(
    ("value", "room"), [(42, 42), ("a", "a"), (True, "True"), (None, "None"), ([1], "[1]")]
)
def test_reported_rooms(value: Json, room: Room) -> None:
    assert parse_room(value) == room
    assert type(parse_room(value)) is type(room)


def test_the_order_is_that_of_the_numbers_in_the_names() -> None:
    ordered: list[Room] = [
        *(1, "1", 2, 10, "10", "a", "a0", "a1b", "a2", "a2-1", "a2-10", "a10", "lobby"),
        *("room", "room-2", "room-02", "room-10", "room-" + "9" * 5000),
    ]
    shuffled = random.Random(7).sample(ordered, len(ordered))
    names = [*map(repr, sorted(shuffled, key=room_order))]
    assert names.index("'room-2'") + names.index("'room-02'") == 2 * names.index("'room'") + 3
    without_ties = [name for name in names if name != "'room-02'"]
    assert without_ties == [repr(room) for room in ordered if room != "room-02"]
