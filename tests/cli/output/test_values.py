"""Values in few cells."""

import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nsroom.output.summary import UNBOUNDED, summary
from nsroom.output.terminal import cells
from nsroom.output.values import _ROOMY
from nsroom.record import Direction, Json, Kind, Record

ASCII = st.text(st.characters(max_codepoint=126))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def shown_in(args: list[Json], width: int) -> str:
    """Return the arguments of an event, in at most `width` cells."""
    return summary(Record(0, 1, Direction.IN, Kind.EVENT, "/", event="e", args=args), width)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, '{symbol: "ACME", bid: 12.5, ask: 12.52, volume: 123456}'),
        (50, '{symbol: "ACME", bid: 12.5, ask: 12.52, …+1}'),
        (38, '{symbol: "ACME", bid: 12.5, …+2}'),
        (20, '{symbol: "AC…", …+3}'),
        (8, "{symbol…"),
    ],
)
def test_values_that_do_not_fit_are_counted(width: int, shown: str) -> None:
    price = {"symbol": "ACME", "bid": 12.5, "ask": 12.52, "volume": 123456}
    assert shown_in([price], width) == shown


ORDER = {
    "id": 8812,
    "customer": {"name": "Ann Smith", "email": "ann@example.org"},
    "items": [{"sku": "A-1", "n": 2}, {"sku": "B-7", "n": 1}],
    "total": 124,
    "note": "please ring twice",
}


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (3, "{i…"),
        (20, "{id: 8812, …+4}"),
        (30, "{id: 8812, customer: {…}, …+3}"),
        (60, "{id: 8812, customer: {…}, items: [2], total: 124, …+1}"),
        (
            92,
            '{id: 8812, customer: {name: "Ann Smith", …+1}, items: [2], total: 124, note: "please ring…"}',
        ),
    ],
)
def test_nested_values_are_summarised_into_the_room_there_is(width: int, shown: str) -> None:
    assert shown_in([ORDER], width) == shown


@given(st.lists(VALUES), st.integers(1, 120))
def test_nothing_is_cut_twice(args: list[Json], width: int) -> None:
    assume("…" not in str(args))
    assert "……" not in shown_in(args, width)


def test_only_visible_values_are_formatted() -> None:
    nested: Json = "x"
    for _ in range(sys.getrecursionlimit() - 200):
        nested = [nested]
    assert cells(shown_in([nested], 40)) <= 40
    huge = {str(number): "y" * 1000 for number in range(1000)}
    assert cells(shown_in([huge, "z" * 10**7], 40)) <= 40


def nested(levels: int, *, named: bool) -> Json:
    value: Json = 1
    for _ in range(levels):
        value = {"a": value} if named else [value]
    return value


@given(st.lists(VALUES | ASCII | st.lists(st.dictionaries(ASCII, VALUES | ASCII)), max_size=4))
def test_what_fits_is_shown_as_it_is_piece_by_piece(args: list[Json]) -> None:
    in_pieces = shown_in(args, _ROOMY - 1)
    assume(cells(in_pieces) < 5000)
    assert shown_in(args, UNBOUNDED) == in_pieces


@pytest.mark.parametrize("levels", [49, 50, 51, 52])
@pytest.mark.parametrize("named", [True, False])
def test_deep_values_are_shown_alike(levels: int, named: bool) -> None:
    args = [nested(levels, named=named), [{"a": 1}]]
    assert shown_in(args, UNBOUNDED) == shown_in(args, _ROOMY - 1)
