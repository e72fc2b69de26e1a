"""Entries as text: what is written is read again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.cluster.entries import (
    Entry,
    Membership,
    Op,
    ReceivedEntry,
    Snapshot,
    parse_position,
    room_key,
)

PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))
ENTRIES = st.builds(
    Entry, st.sampled_from(Op), namespace=PRINTABLE, room=PRINTABLE, sid=PRINTABLE, data=PRINTABLE
)


@given(ENTRIES, st.integers(0), st.integers(0), st.integers(0))
def test_a_row_is_parsed_to_its_entry(entry: Entry, sequence: int, number: int, id: int) -> None:
    row = "\n".join(map(str, (sequence, "origin", number, id, *entry.row)))
    assert ReceivedEntry.parse(row) == ReceivedEntry(sequence, "origin", number, id, entry)


@pytest.mark.parametrize("row", ["", "1", "1\no\n1\n0\nx\n/\n\n\n", "x\no\n1\n0\ne\n/\n\n\n"])
def test_invalid_rows(row: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|Op|literal"):
        ReceivedEntry.parse(row)


def test_the_letters_that_servers_of_all_versions_share() -> None:
    assert {op.name: op.value for op in Op} == {
        "MESSAGE": "m",
        "EVENT": "e",
        "JOIN": "j",
        "LEAVE": "l",
        "QUERY": "q",
        "REPLY": "r",
        "WATCH": "w",
        "SERVER_DOWN": "g",
    }


def test_a_snapshot() -> None:
    members = ["one", room_key("/", "lobby") + "\na", '"ann"', "two", room_key("/chat", "") + "\nb", "null"]
    assert Snapshot.parse(["5-1", "7", *members]) == Snapshot(
        "5-1", 7, {Membership("one", "/", "lobby", "a"): '"ann"', Membership("two", "/chat", "", "b"): "null"}
    )


def test_the_size_counts_bytes() -> None:
    entry = Entry(Op.MESSAGE, "/")
    assert replace(entry, data="é" * 10).size - entry.size == 20


def test_positions_compare_as_numbers() -> None:
    positions = ["10-0", "9-10", "0-0", "9-2", "9-0"]
    assert sorted(positions, key=parse_position) == ["0-0", "9-0", "9-2", "9-10", "10-0"]
