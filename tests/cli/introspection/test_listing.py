"""Rows of rooms and sockets, from the state of an admin namespace."""

import json

from nsroom.introspection.listing import rooms_view, sockets_view
from nsroom.output.tables import changes, room_cells, socket_cells
from tests.cli.introspection.admin.test_state import ANN, BEN, JS, after, described, sent


def test_secrets_of_the_handshake_are_not_kept() -> None:
    rows = sockets_view((), True)(after(sent("all_sockets", [described(ANN, "lobby")])))
    assert "secret" not in json.dumps(rows)
    assert rows[0]["connected"] == "2026-11-24T07:25:07.167000Z"


def test_changes_of_a_list() -> None:
    view = rooms_view((), None, False)
    before = view(after(sent("all_sockets", [described(ANN, "a", "b"), described(BEN, "b")])))
    later = view(after(sent("all_sockets", [described(ANN, "a"), described(BEN, "a", "c")])))
    assert [(row["room"], row.get("count")) for row in changes(before, later)] == [
        ("a", 2),
        ("c", 1),
        ("b", None),
    ]
    assert list(changes(before, later))[-1] == {"namespace": "/chat", "room": "b", "gone": True}
    assert list(changes(later, later)) == []


def test_a_number_and_the_same_text_are_two_rooms() -> None:
    state = after(sent("all_sockets", [described(ANN, 42, "room-10"), described(BEN, "42", "room-2")]))
    rows = rooms_view((), None, False)(state)
    assert [(row["room"], row["members"]) for row in rows] == [
        (42, [{"sid": ANN}]),
        ("42", [{"sid": BEN}]),
        ("room-2", [{"sid": BEN}]),
        ("room-10", [{"sid": ANN}]),
    ]
    assert [room_cells(row)[1] for row in rows] == ["42", '"42"', "room-2", "room-10"]
    assert [row["room"] for row in rooms_view((), "42", False)(state)] == [42, "42"]
    assert [row["room"] for row in rooms_view((), '"42"', False)(state)] == ["42"]
    assert [socket_cells(row)[-1] for row in sockets_view((), False)(state)] == [
        ["42", "room-10"],
        ['"42"', "room-2"],
    ]


def test_a_number_is_joined_and_left() -> None:
    state = after(sent("all_sockets", [described(ANN)]), sent("room_joined", "/chat", 42, ANN, JS))
    assert [row["room"] for row in rooms_view((), None, False)(state)] == [42]
    assert (state.find_room("42"), state.find_room('"42"')) == (42, '"42"')
    state.feed(sent("room_left", "/chat", 42, ANN, JS))
    assert rooms_view((), None, False)(state) == []
