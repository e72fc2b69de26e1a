"""Tables of rooms and sockets, and the rows that change."""

import json
from collections.abc import AsyncIterator

import pytest

from nsroom.output.tables import Row, Rows, changes, follow, room_cells, show, socket_cells

LOBBY: Row = {"namespace": "/", "room": "lobby", "count": 2, "members": [{"nick": "ann"}, {"sid": "s2"}]}
OPS: Row = {"namespace": "/", "room": "ops", "count": 1, "members": ["\x1b[31mbob"]}
COLUMNS = ("namespace", "room", "members", "")
EMPTY = "no rooms"


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (LOBBY, ("/", "lobby", "2", "ann, s2")),
        ({**LOBBY, "count": 1, "members": [{}]}, ("/", "lobby", "1", "?")),
    ],
)
def test_the_cells_of_a_room(row: Row, cells: tuple[str, ...]) -> None:
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
    assert socket_cells(row) == ("/", "s1", "?", "::1", "now", "a, b")


def test_a_table_is_safe_text(capsys: pytest.CaptureFixture[str]) -> None:
    show([LOBBY, OPS], COLUMNS, room_cells, False, EMPTY)
    assert capsys.readouterr().out.splitlines() == [
        "namespace  room   members",
        "/          lobby  2        ann, s2",
        r"/          ops    1        \x1b[31mbob",
    ]


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
