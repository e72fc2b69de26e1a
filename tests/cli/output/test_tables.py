"""Tables of rooms and sockets, and the rows that change."""

import json
from collections.abc import AsyncIterator

import pytest

from nsroom.output.tables import (
    Row,
    RowCells,
    Rows,
    changes,
    follow,
    joined,
    layout,
    room_cells,
    show,
    socket_cells,
)

LOBBY: Row = {"namespace": "/", "room": "lobby", "count": 2, "members": [{"nick": "ann"}, {"sid": "s2"}]}
OPS: Row = {"namespace": "/", "room": "ops", "count": 1, "members": ["\x1b[31mbob"]}
COLUMNS = ("namespace", "room", "members", "")
EMPTY = "no rooms"


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (LOBBY, ("/", "lobby", "2", ["ann", "s2"])),
        ({**LOBBY, "count": 1, "members": [{}]}, ("/", "lobby", "1", ["?"])),
    ],
)
def test_the_cells_of_a_room(row: Row, cells: RowCells) -> None:
    assert room_cells(row) == cells


def test_the_cells_of_a_socket() -> None:
    row = {
        "namespace": "/",
        "sid": "s1",
        "transport": None,
        "address": "::1",
        "connected": "now",
        "rooms": ["a", "b"],
    }
    assert socket_cells(row) == ("/", "s1", "?", "::1", "now", "", ["a", "b"])
    assert socket_cells(row | {"server": "one"})[5] == "one"


def test_servers_are_a_column_where_they_are_known() -> None:
    columns = ("sid", "server", "rooms")
    assert layout(columns, [("s1", "", ["a"]), ("s2", "two", [])], 80) == [
        "sid  server  rooms",
        "s1           a",
        "s2   two",
    ]
    assert layout(columns, [("s1", "", ["a"])], 80) == ["sid  rooms", "s1   a"]


def test_a_table_is_safe_text(capsys: pytest.CaptureFixture[str]) -> None:
    show([LOBBY, OPS], COLUMNS, room_cells, False, EMPTY)
    assert capsys.readouterr().out.splitlines() == [
        "namespace  room   members",
        "/          lobby  2        ann, s2",
        r"/          ops    1        \x1b[31mbob",
    ]


SOCKETS = ("namespace", "sid", "transport", "address", "connected", "rooms")
SID, TIME = "Z_f_6lFdurF0Yv3kAAAC", "2026-11-24T07:25:07.167000Z"


@pytest.mark.parametrize(
    ("width", "kept"), [(200, 6), (110, 6), (90, 5), (80, 4), (60, 4), (20, 4)], ids=lambda value: str(value)
)
def test_names_and_times_stay_whole_at_every_width(width: int, kept: int) -> None:
    rooms = [f"room-{number}" for number in range(40)]
    head, line = layout(SOCKETS, [("/chat", SID, "websocket", "127.0.0.1", TIME, rooms)], width)
    assert len(head.split()) == kept
    assert {SID, TIME} <= {*line.split()}
    assert len(line) <= max(width, 70)
    assert line.endswith("…+40") or ", …+" in line or width == 200
    assert head.index("connected") == line.index(TIME)


def test_wide_characters_are_aligned() -> None:
    assert layout(("room", "members"), [("日本", ["ann"]), ("lobby", ["bob"])], 80) == [
        "room   members",
        "日本   ann",
        "lobby  bob",
    ]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (99, "ann, bob, cat"),
        (13, "ann, bob, cat"),
        (12, "ann, …+2"),
        (8, "ann, …+2"),
        (7, "…+3"),
        (0, "…+3"),
    ],
)
def test_a_list_is_cut_between_its_items(width: int, text: str) -> None:
    assert joined(["ann", "bob", "cat"], width) == text
    assert joined([], width) == ""


def test_json_is_a_line_per_row(capsys: pytest.CaptureFixture[str]) -> None:
    show([LOBBY, OPS], COLUMNS, room_cells, True, EMPTY)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [LOBBY, OPS]


@pytest.mark.parametrize(("as_json", "message"), [(False, "nsroom: no rooms\n"), (True, "")])
def test_without_rows_only_people_get_a_message(
    as_json: bool, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show([], COLUMNS, room_cells, as_json, EMPTY)
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        ([], [], []),
        ([LOBBY], [LOBBY], []),
        ([], [LOBBY], [LOBBY]),
        ([LOBBY], [{**LOBBY, "count": 3}], [{**LOBBY, "count": 3}]),
        ([LOBBY, OPS], [OPS], [{"namespace": "/", "room": "lobby", "gone": True}]),
        ([{"namespace": "/", "sid": "s1", "rooms": []}], [], [{"namespace": "/", "sid": "s1", "gone": True}]),
    ],
)
def test_changes(before: Rows, after: Rows, rows: Rows) -> None:
    assert list(changes(before, after)) == rows


async def test_following_prints_what_changed(capsys: pytest.CaptureFixture[str]) -> None:
    async def later() -> AsyncIterator[Rows]:
        yield [LOBBY]
        yield [LOBBY, OPS]
        yield [OPS]

    await follow([LOBBY], later(), COLUMNS, room_cells, True, EMPTY)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        LOBBY,
        OPS,
        {"namespace": "/", "room": "lobby", "gone": True},
    ]
