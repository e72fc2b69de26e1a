"""Presets of frameworks."""

import pytest

from nsroom.client.events import Emit
from nsroom.client.presets import PRESETS, Convention, Preset, find
from nsroom.errors import UsageError
from nsroom.filters import parse
from nsroom.record import Direction, Json, Kind, Record


def test_without_a_name_nothing_is_set() -> None:
    assert find(None) == Preset()


def test_an_unknown_name_lists_the_others() -> None:
    with pytest.raises(UsageError, match=r"unknown preset 'rails': choose room, .*, sails, nestjs"):
        find("rails")


def test_a_convention_fills_in_the_room() -> None:
    sails = PRESETS["sails"].join
    assert sails is not None
    assert sails.request("/", "user") == Emit(
        "/", "get", [{"method": "get", "url": "/user", "headers": {}, "data": {}}]
    )
    assert Convention().request("/a", "lobby") == Emit("/a", "join", ["lobby"])


@pytest.mark.parametrize(
    ("name", "answer", "fails"),
    [
        ("sails", {"body": "no", "statusCode": 404}, True),
        ("sails", {"body": "yes", "statusCode": 200}, False),
        ("nestjs", {"status": "error", "message": "no"}, True),
        ("nestjs", {"event": "events", "data": 1}, False),
    ],
)
def test_the_errors_of_a_framework(name: str, answer: Json, fails: bool) -> None:
    record = Record(0, 1, Direction.IN, Kind.ACK, "/", 0, "x", [answer])
    expression = PRESETS[name].fail
    assert expression is not None
    assert parse(expression)(record) is fails
