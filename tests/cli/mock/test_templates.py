"""Values with names in them, filled in for each event."""

import re

import pytest

from nsroom.cli.shell_words import split
from nsroom.client.events import parse_arguments
from nsroom.mock.templates import fill, mark, value_of
from nsroom.record import Direction, Json, Kind, Record

ORDER = {"id": 7, "who": 'a"b'}
RECORD = Record(0, 0, Direction.OUT, Kind.EVENT, "/chat", event="order", args=[ORDER], sid="s1")


def filled(text: str, record: Record = RECORD, number: int = 3) -> list[Json]:
    """Return the arguments that a text becomes."""
    names: list[str] = []
    args = parse_arguments(split(mark(text, names)))
    value: list[Json] = fill(args, names, lambda name: value_of(name, record, number))
    return value


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("{arg.0}", [ORDER]),
        ("{arg}", [[ORDER]]),
        ("{arg.0.id}", [7]),
        ('{"id": {arg.0.id}, "text": "{arg.0.who} {n}"}', [{"id": 7, "text": 'a"b 3'}]),
        ('{"{event}": [{ns}, {sid}, {n}]}', [{"order": ["/chat", "s1", 3]}]),
        ("id={arg.0.id} n:={n} x:=[{n}]", [{"id": 7, "n": 3, "x": [3]}]),
        ("hi-{arg.0.who}", ['hi-a"b']),
        ('"hello {arg.0.who}, you are {n}"', ['hello a"b, you are 3']),
        ("{arg.1} {arg.0.no} {arg.0.who.x} {data.x}", [None, None, None, None]),
        ("1.50 1e3 {}", [1.5, 1000.0, {}]),
        ("{other} {arg.0.id}", ["{other}", 7]),
    ],
)
def test_names(text: str, args: list[Json]) -> None:
    assert filled(text) == args


def test_a_value_cannot_change_what_is_around_it() -> None:
    record = RECORD._replace(args=['", "admin": true, "x": "', "\ue0000\ue000"])
    assert filled('{"text": "{arg.0}", "other": {arg.1}}', record) == [
        {"text": '", "admin": true, "x": "', "other": "\ue0000\ue000"}
    ]


def test_the_payload_of_a_connect() -> None:
    record = Record(0, 0, Direction.OUT, Kind.CONNECT, "/", data={"token": "x"})
    assert filled("{data.token} {arg.0}", record) == ["x", None]


def test_time_and_uuid() -> None:
    time, first, second = filled("{now} {uuid} {uuid}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time)
    assert len(first) == len(second) == 36
    assert first != second
